import Testing

@testable import Contracts

/// The matcher against one that is plainly right, and what it costs.
@Suite("Regular expressions: properties")
struct LinearRegexPropertyTests {
    @Test func agreesOnRandomPatterns() throws {
        var source = Source(state: 7)
        var matched = 0
        var checked = 0
        for _ in 0..<1_500 {
            let tree = Tree.random(&source, depth: 3)
            guard let regex = try? LinearRegex(tree.text) else {
                Issue.record("\(tree.text) is refused")
                continue
            }
            for _ in 0..<12 {
                let text = source.word()
                let expected = tree.ends(text, from: 0).contains(text.count)
                #expect(regex.matches(String(text)) == expected, "\(tree.text) on \(String(text))")
                checked += 1
                matched += expected ? 1 : 0
            }
        }
        // Neither answer is so rare that it would not be tested.
        #expect(matched > checked / 20)
        #expect(matched < checked * 9 / 10)
    }

    /// States that were worked out beforehand tell the same as the machine that they stand for, groups and all.
    @Test func statesAgreeOnRandomPatterns() throws {
        var source = Source(state: 13)
        var (told, captured) = (0, 0)
        for _ in 0..<2_000 {
            let parts = (0..<3).map { _ in Tree.random(&source, depth: 2).text }
            let regex = try LinearRegex(parts[0] + "(?:(?<g>" + parts[1] + ")|(?<h>_)|a)*(?<i>" + parts[2] + ")")
            guard let states = regex.states else { continue }
            for _ in 0..<8 {
                let text = String(source.word() + source.word())
                var machine = RegexMachine(program: regex.program, text: text.unicodeScalars.map(\.value))
                let slots = machine.run(slotCount: 2 * regex.groups.count)
                #expect(states.slots(text, regex) == slots, "\(regex.text) on \(text)")
                #expect(regex.matches(text) == (slots != nil))
                told += 1
                captured += slots.map { $0[0] >= 0 || $0[2] >= 0 } == true ? 1 : 0
            }
        }
        #expect(told > 4_000 && captured > 200)
    }

    /// The first alternative that leads to a match is taken, as a backtracking matcher does.
    @Test func groupsAgreeOnRandomPatterns() throws {
        var source = Source(state: 11)
        var captured = 0
        for _ in 0..<1_500 {
            let inner = Tree.random(&source, depth: 2)
            let (before, behind) = (Tree.random(&source, depth: 1), Tree.random(&source, depth: 1))
            let regex = try LinearRegex(before.text + "(?<g>" + inner.text + ")" + behind.text)
            for _ in 0..<8 {
                let text = source.word()
                let expected = Self.group(before, inner, behind, text)
                let found = regex.match(String(text))
                #expect((found != nil) == (expected != nil), "\(regex.text) on \(String(text))")
                #expect(found?["g"] == expected, "\(regex.text) on \(String(text))")
                captured += expected == nil ? 0 : 1
            }
        }
        #expect(captured > 200)
    }

    private static func group(_ before: Tree, _ inner: Tree, _ behind: Tree, _ text: [Character]) -> String? {
        for start in before.ends(text, from: 0) {
            for end in inner.ends(text, from: start) where behind.ends(text, from: end).contains(text.count) {
                return String(text[start..<end])
            }
        }
        return nil
    }

    /// Twice the text is at most twice the work, for patterns that take others exponential time.
    @Test(arguments: [
        "(a+)+b", "(a*)*b", "(a|a)*b", "(a|aa)+b", "a*a*a*a*a*a*b", "(.*)(.*)(.*)b", "(?:a?){40}a{40}", "(?:(?:a|b)*c?)*d",
        "(?<x>a*)(?<y>a*)(?<z>a*)", "(?:\\b|a)*", "[ab]*[a-z]*\\w*.*",
    ])
    func workIsLinearInTheText(pattern: String) throws {
        let regex = try LinearRegex(pattern)
        func work(_ length: Int) -> Int {
            var machine = RegexMachine(program: regex.program, text: Array(repeating: 0x61, count: length))
            _ = machine.run(slotCount: 2 * regex.groups.count)
            return machine.steps
        }
        let (short, long) = (work(1_000), work(2_000))
        #expect(long <= 2 * short + 8 * regex.program.count)
        // Each instruction is looked at from at most two others at each place, and once to be tried on the scalar.
        #expect(long <= 4 * regex.program.count * 2_001)
        #expect(short > 0)
    }

    @Test func noPatternIsLargerThanItsBound() {
        for pattern in [
            String(repeating: "a|", count: 8_000), String(repeating: "(?:a{1900}){0}", count: 1_000), String(repeating: "()", count: 8_000),
            String(repeating: "a", count: 16_385), String(repeating: "(?:|a)", count: 2_000), String(repeating: "[a-z]", count: 3_000),
            String(repeating: "(?:", count: 64) + "a{31}" + String(repeating: "){1,2}", count: 64),
        ] {
            guard let regex = try? LinearRegex(pattern) else { continue }
            #expect(regex.program.count <= RegexCompiler.maximumProgram)
        }
    }
}

/// Numbers that are the same in each run.
private struct Source {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
    }

    mutating func word() -> [Character] {
        let length = below(7)
        return (0..<length).map { _ in "aab_\n"[below(20) == 0 ? 4 : below(4)] }
    }
}

extension String {
    fileprivate subscript(_ place: Int) -> Character { Array(self)[place] }
}

/// An expression as a tree, with the plainest of meanings: the places where it can end, the preferred ones first.
private indirect enum Tree {
    case letter(Character), any, set([Character], negated: Bool), start, end, boundary
    case sequence([Tree]), either([Tree])
    case times(Tree, Int, Int?, lazy: Bool)

    static func random(_ source: inout Source, depth: Int) -> Tree {
        switch source.below(depth > 0 ? 12 : 6) {
        case 0, 1, 2: return .letter(["a", "b", "_"][source.below(3)])
        case 3: return .any
        case 4: return .set(source.below(2) == 0 ? ["a"] : ["b", "_"], negated: source.below(2) == 0)
        case 5: return [.start, .end, .boundary, .letter("a")][source.below(4)]
        case 6, 7: return .sequence((0...source.below(3)).map { _ in random(&source, depth: depth - 1) })
        case 8: return .either((0...source.below(3)).map { _ in random(&source, depth: depth - 1) })
        default:
            let low = source.below(3)
            let high = source.below(2) == 0 ? nil : low + source.below(3)
            let inner = random(&source, depth: depth - 1)
            // What an empty turn of a loop is worth, dialects disagree on: it is left out of loops.
            if inner.mayBeEmpty { return .times(.letter("a"), low, high, lazy: source.below(3) == 0) }
            return .times(inner, low, high, lazy: source.below(3) == 0)
        }
    }

    private var mayBeEmpty: Bool {
        switch self {
        case .letter, .any, .set: false
        case .start, .end, .boundary: true
        case .sequence(let parts): parts.allSatisfy(\.mayBeEmpty)
        case .either(let parts): parts.contains(where: \.mayBeEmpty)
        case .times(let inner, let low, _, _): low == 0 || inner.mayBeEmpty
        }
    }

    var text: String {
        switch self {
        case .letter(let letter): String(letter)
        case .any: "."
        case .set(let letters, let negated): "[" + (negated ? "^" : "") + String(letters) + "]"
        case .start: "^"
        case .end: "$"
        case .boundary: "\\b"
        case .sequence(let parts): "(?:" + parts.map(\.text).joined() + ")"
        case .either(let parts): "(" + parts.map(\.text).joined(separator: "|") + ")"
        case .times(let inner, let low, let high, let lazy):
            "(?:" + inner.text + ")" + Self.sign(low, high) + (lazy ? "?" : "")
        }
    }

    private static func sign(_ low: Int, _ high: Int?) -> String {
        switch (low, high) {
        case (0, nil): "*"
        case (1, nil): "+"
        case (0, 1): "?"
        case (_, nil): "{\(low),}"
        case (_, let high?): low == high ? "{\(low)}" : "{\(low),\(high)}"
        }
    }

    func ends(_ text: [Character], from place: Int) -> [Int] {
        let next = place < text.count ? text[place] : nil
        switch self {
        case .letter(let letter): return next == letter ? [place + 1] : []
        case .any: return next != nil && next != "\n" ? [place + 1] : []
        case .set(let letters, let negated): return next.map { letters.contains($0) != negated } == true ? [place + 1] : []
        case .start: return place == 0 ? [place] : []
        case .end: return place == text.count ? [place] : []
        case .boundary:
            let before = place > 0 && text[place - 1] != "\n"
            return before != (next != nil && next != "\n") ? [place] : []
        case .sequence(let parts):
            return parts.reduce([place]) { places, part in Self.once(places.flatMap { part.ends(text, from: $0) }) }
        case .either(let parts): return Self.once(parts.flatMap { $0.ends(text, from: place) })
        case .times(let inner, let low, let high, let lazy):
            return Self.once(Self.turns(inner, low, high, lazy, text, place))
        }
    }

    private static func turns(
        _ inner: Tree, _ low: Int, _ high: Int?, _ lazy: Bool, _ text: [Character], _ place: Int
    ) -> [Int] {
        if high == 0 { return [place] }
        let more = inner.ends(text, from: place).flatMap { turns(inner, max(0, low - 1), high.map { $0 - 1 }, lazy, text, $0) }
        if low > 0 { return more }
        return lazy ? [place] + more : more + [place]
    }

    private static func once(_ places: [Int]) -> [Int] {
        places.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
