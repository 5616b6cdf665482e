/// A regular expression that matches the whole string in time linear in it (trust.md T23): a Thompson automaton run in
/// Pike's way, so no pattern can make it slow. Back-references and look-around are refused for that reason.
///
/// Supported: literals, `.` (not a line end), classes, `\d \w \s` and their negations, `\n \r \t \f \v \0 \xHH \uHHHH`,
/// groups `(…)`, `(?:…)`, `(?<name>…)`, alternation, `* + ? {n} {n,} {n,m}` and their lazy forms, `^ $ \b \B`.
///
/// One that is compiled is shared: a copy would be one of all its lists.
package final class LinearRegex: Sendable, Hashable {
    package let text: String
    /// Names of the named groups, in order of their opening brackets.
    package let groups: [String]
    let program: [RegexInstruction]
    let table: RegexTable
    /// Nil: it is followed step by step.
    let states: RegexStates?

    /// Longest text looked at; a longer one does not match (trust.md T23).
    package static let maximumText = 65_536

    package init(_ text: String) throws(PartError) {
        var compiler = RegexCompiler(text)
        program = try compiler.compile()
        table = RegexTable(program)
        states = RegexStates(table)
        groups = compiler.groups
        self.text = text
    }

    package static func == (lhs: LinearRegex, rhs: LinearRegex) -> Bool { lhs === rhs || lhs.text == rhs.text }
    package func hash(into hasher: inout Swift.Hasher) { hasher.combine(text) }

    package struct Match: Sendable, Hashable {
        /// One for each named group, nil where the group took no part.
        package var values: [(name: String, value: String?)]
        /// Without groups.
        package static let bare = Match(values: [])
        package subscript(_ name: String) -> String? { values.first { $0.name == name }?.value }

        package static func == (lhs: Match, rhs: Match) -> Bool {
            lhs.values.elementsEqual(rhs.values) { $0.name == $1.name && $0.value == $1.value }
        }
        package func hash(into hasher: inout Swift.Hasher) {
            for pair in values { hasher.combine(pair.value) }
        }
    }

    /// Steps of the automaton after which a text is given up, so that no pattern and no text can hold up who asks.
    package static let maximumSteps = 4_000_000

    package func matches(_ candidate: String) -> Bool { decides(candidate) ?? false }

    /// Whether it matches the whole string. Nil: the text is too long to look at, or needs more than `maximumSteps`.
    package func decides(_ candidate: String) -> Bool? {
        var unfilled = RegexStates.Slots(repeating: -1)
        switch quick(candidate, captures: false, &unfilled) {
        case .fits: return true
        case .misfit: return false
        case .unknown: break
        }
        var isDecided = true
        let found = slots(candidate, captures: false, &isDecided) != nil
        return isDecided ? found : nil
    }

    /// The named groups of a match of the whole string.
    package func match(_ candidate: String) -> Match? { attempt(candidate).match }

    /// The same, with whether the answer is known.
    package func attempt(_ candidate: String) -> (match: Match?, isDecided: Bool) {
        var isDecided = true
        let match = match(candidate, &isDecided)
        return (match, isDecided)
    }

    private func match(_ candidate: String, _ isDecided: inout Bool) -> Match? {
        if let told = quickMatch(candidate) { return told }
        guard let found = slots(candidate, captures: true, &isDecided) else { return nil }
        let values = groups.enumerated().map { number, name -> (name: String, value: String?) in
            let (start, end) = (found.slots[2 * number], found.slots[2 * number + 1])
            guard start >= 0, end >= start else { return (name, nil) }
            return (name, Self.string(found.text, start, end))
        }
        return Match(values: values)
    }

    /// Where its states are worked out, and for texts of which `RegexTrail` would tell the same.
    private func quick(_ candidate: String, captures: Bool, _ slots: inout RegexStates.Slots) -> RegexStates.Answer {
        guard let states, RegexTrail.takes(table, length: candidate.utf8.count) else { return .unknown }
        return states.run(candidate.utf8Span.span, slotCount: captures ? 2 * groups.count : 0, into: &slots)
    }

    /// As `match`, where it costs no more than a look at each byte of the text; nil = it would cost more.
    package func quickMatch(_ candidate: String) -> Match?? {
        var slots = RegexStates.Slots(repeating: -1)
        switch quick(candidate, captures: true, &slots) {
        case .unknown: return nil
        case .misfit: return .some(nil)
        case .fits: break
        }
        if groups.isEmpty { return Match.bare }
        var values: [(name: String, value: String?)] = []
        values.reserveCapacity(groups.count)
        // Offsets of bytes are those of characters here.
        let bytes = candidate.utf8
        for number in groups.indices {
            let (start, end) = (slots[2 * number], slots[2 * number + 1])
            let isSet = start >= 0 && end >= start
            values.append((groups[number], isSet ? String(Substring(bytes.dropFirst(start).prefix(end - start))) : nil))
        }
        return Match(values: values)
    }

    /// Texts that are matched again and again are identifiers, of ASCII nearly all: a byte is a scalar there.
    private static func scalars(_ text: String) -> [UInt32] {
        var scalars: [UInt32] = []
        scalars.reserveCapacity(text.utf8.count)
        let bytes = text.utf8Span.span
        for place in bytes.indices {
            guard bytes[place] < 0x80 else { return text.unicodeScalars.map(\.value) }
            scalars.append(UInt32(bytes[place]))
        }
        return scalars
    }

    private static func string(_ scalars: [UInt32], _ start: Int, _ end: Int) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(end - start)
        for place in start..<end {
            guard scalars[place] < 0x80 else {
                var text = String.UnicodeScalarView()
                for place in start..<end { if let scalar = Unicode.Scalar(scalars[place]) { text.append(scalar) } }
                return String(text)
            }
            bytes.append(UInt8(truncatingIfNeeded: scalars[place]))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// With the scalars of the text, which the slots count.
    /// - Parameter isDecided: becomes false when the text is given up.
    private func slots(_ candidate: String, captures: Bool, _ isDecided: inout Bool) -> (slots: [Int], text: [UInt32])? {
        guard candidate.utf8.count <= Self.maximumText else {
            isDecided = false
            return nil
        }
        let text = Self.scalars(candidate)
        let count = captures ? 2 * groups.count : 0
        if var trail = RegexTrail(table: table, text: text) { return trail.run(slotCount: count).map { ($0, text) } }
        var machine = RegexMachine(program: program, text: text)
        let slots = machine.run(slotCount: count, budget: Self.maximumSteps)
        isDecided = slots != nil || machine.steps <= Self.maximumSteps
        return slots.map { ($0, text) }
    }
}

/// One step of a compiled expression. Jumps are relative, so that pieces can be joined and copied as they are.
enum RegexInstruction: Sendable, Hashable {
    case scalar(UInt32)
    /// Anything but a line end.
    case any
    case set(RegexSet)
    /// Tries `first`, then `second`.
    case split(first: Int, second: Int)
    case jump(Int)
    case save(Int)
    case assert(RegexAssertion)
    case match
}

enum RegexAssertion: Sendable, Hashable { case start, end, wordBoundary, noWordBoundary }

/// Scalars as sorted ranges that do not touch.
struct RegexSet: Sendable, Hashable {
    private(set) var ranges: [ClosedRange<UInt32>]

    init(_ ranges: [ClosedRange<UInt32>]) {
        self.ranges = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = self.ranges.last, range.lowerBound <= last.upperBound &+ 1 {
                self.ranges[self.ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                self.ranges.append(range)
            }
        }
    }

    static let last: UInt32 = 0x10ffff
    static let digits = RegexSet([0x30...0x39])
    static let word = RegexSet([0x30...0x39, 0x41...0x5a, 0x5f...0x5f, 0x61...0x7a])
    static let space = RegexSet([0x09...0x0d, 0x20...0x20, 0xa0...0xa0, 0x2028...0x2029, 0xfeff...0xfeff])

    var inverted: RegexSet {
        var gaps: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { gaps.append(next...(range.lowerBound - 1)) }
            next = range.upperBound &+ 1
        }
        if next <= Self.last { gaps.append(next...Self.last) }
        return RegexSet(gaps)
    }

    func contains(_ scalar: UInt32) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < scalar { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(scalar)
    }
}
