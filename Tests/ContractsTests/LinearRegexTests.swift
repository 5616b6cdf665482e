import Journaling
import NIOCore
import Testing
import Wire

@testable import Contracts

@Suite("Regular expressions")
struct LinearRegexTests {
    @Test(arguments: [
        ("abc", "abc", true), ("abc", "abcd", false), ("abc", "xabc", false), ("a|bc", "bc", true), ("a|bc", "ac", false),
        ("a*", "", true), ("a+", "", false), ("a?b", "b", true), ("a{2,3}", "aa", true), ("a{2,3}", "aaaa", false),
        ("a{2}", "aa", true), ("a{2,}", "aaaaa", true), ("a{0}", "", true), ("a{,3}", "a{,3}", true), ("{", "{", true),
        ("[a-c]+", "abcabc", true), ("[^a-c]", "d", true), ("[^a-c]", "b", false), ("[]a]", "]", true), ("[a-]", "-", true),
        ("[\\d_]+", "1_2", true), (".", "\n", false), (".*", "a b", true), ("\\d+", "123", true), ("\\D", "1", false),
        ("\\w+\\s\\W", "ab !", true), ("a\\.b", "a.b", true), ("a\\.b", "axb", false), ("\\x41\\u0042", "AB", true),
        ("(?:ab)+", "abab", true), ("(ab|a)(bc|c)", "abc", true), ("^a$", "a", true), ("a^b", "ab", false),
        ("\\bfoo\\b.*", "foo bar", true), ("f\\Boo", "foo", true), ("a*?b", "aab", true), ("", "", true), ("", "a", false),
        ("(|a)b", "b", true), ("(a*)*", "aaa", true), ("(a*)+b", "b", true), ("ä+", "ää", true), ("[α-ω]+", "αβγ", true),
        ("\\0", "\0", true), ("[\\b]", "\u{8}", true),
    ])
    func matching(pattern: String, text: String, expected: Bool) throws {
        let regex = try LinearRegex(pattern)
        #expect(regex.matches(text) == expected)
        #expect((regex.match(text) != nil) == expected)
    }

    /// What needs more steps than anybody waits for is left open: a shape lets it pass, and it makes nothing wrong.
    @Test(arguments: [("(?:(?:a?){30}(?:a|b)*){30}c", String(repeating: "a", count: 60_000)), ("a*", String(repeating: "a", count: 70_000))])
    func whatTakesTooLongIsNotTold(pattern: String, text: String) throws {
        let regex = try LinearRegex(pattern)
        #expect(regex.decides(text) == nil && regex.decides("b") == false)
        let (match, isDecided) = regex.attempt(text)
        #expect(match == nil && !isDecided)
        #expect(try IdentifierForm("re:" + pattern).match(text)?.values.isEmpty == true)
        let shape = try #require(Pattern.reading(Document(.map([
            .init(key: "x", mark: Mark(file: "", line: 1, column: 1), value: Document(.scalar(.init(text: "re:" + pattern, isPlain: true)), mark: Mark(file: "", line: 1, column: 1)))
        ]), mark: Mark(file: "", line: 1, column: 1))).pattern)
        let message = JSON.object([.init(key: "x", value: .string(text))])
        #expect(shape.holds(for: message) && !shape.holds(for: message, hidden: false))
        #expect(!shape.holds(for: .object([.init(key: "x", value: "b")])))
        var wire = WireRules()
        wire.envelope = regex
        var contract = Contract(name: "t")
        contract.wire = wire
        let read = Recognizer(contract).recognise(ByteBuffer(string: text), opcode: .text, direction: .toServer)
        guard case .unreadable = read.outcome else { return #expect(Bool(false), "\(read.outcome)") }
    }

    @Test func groups() throws {
        let regex = try LinearRegex("thread_(?<stem>[a-z]+(?:_[a-z]+)*_\\d+)_(?<n>\\d+)_[0-9a-f]+")
        #expect(regex.groups == ["stem", "n"])
        let match = try #require(regex.match("thread_websocket_factory_1757371363786_274_898638db"))
        #expect(match["stem"] == "websocket_factory_1757371363786")
        #expect(match["n"] == "274")
        #expect(match["other"] == nil)
    }

    @Test func groupsPreferTheLeftAlternativeAndGreed() throws {
        #expect(try LinearRegex("(?<a>a|ab)(?<b>c|bcd)?.*").match("abcd")?["a"] == "a")
        #expect(try LinearRegex("(?<a>a*)(?<b>a*)").match("aaa")?["a"] == "aaa")
        #expect(try LinearRegex("(?<a>a*?)(?<b>a*)").match("aaa")?["a"] == "")
        #expect(try LinearRegex("(?<a>a)|(?<b>b)").match("b")?["a"] == nil)
        #expect(try LinearRegex("(?:(?<a>.),?)*").match("x,y,z")?["a"] == "z")
    }

    @Test func socketIoEnvelope() throws {
        let regex = try LinearRegex(
            "(?<packet>4[0-6]|[0-356])(?:(?<attachments>\\d+)-)?(?:(?<namespace>/[^,]*),)?(?<ack>\\d+)?(?<body>.*)")
        let match = try #require(regex.match("42/admin,13[\"x\",{}]"))
        #expect(match["packet"] == "42")
        #expect(match["attachments"] == nil)
        #expect(match["namespace"] == "/admin")
        #expect(match["ack"] == "13")
        #expect(match["body"] == "[\"x\",{}]")
    }

    @Test(arguments: [
        ("(a)\\1", "re: back-references are not supported"), ("\\k<a>", "re: back-references are not supported"),
        ("(?=a)", "re: look-ahead is not supported"), ("(?!a)", "re: look-ahead is not supported"),
        ("(?<=a)", "re: look-behind is not supported"), ("(?<!a)", "re: look-behind is not supported"),
        ("(?>a)", "re: atomic groups are not supported"), ("(?i)a", "re: flags and conditions in (?…) are not supported"),
        ("(a", "re: \"(\" is never closed"), ("a)", "re: \")\" closes nothing"), ("[a", "re: \"[\" is never closed"),
        ("*a", "re: \"*\" repeats nothing"), ("a|*", "re: \"*\" repeats nothing"), ("a**", "re: \"*\" repeats a repetition"),
        ("a++", "re: possessive repetition is not supported"), ("a{3,2}", "re: {3,2} counts down"),
        ("[z-a]", "re: a range in […] counts down"), ("\\", "re: it ends in a backslash"), ("\\q", "re: \\q means nothing here"),
        ("(?<a>x)(?<a>y)", "re: two groups are called a"), ("(?<>x)", "re: a group's name is letters and digits"),
        ("\\p{L}", "re: \\p{…} is not supported"), ("\\xZZ", "re: \"ZZ\" is not hexadecimal"),
        ("a{9999}", "re: it needs more than 2,000 steps"), ("((a{50}){50}){50}", "re: it needs more than 2,000 steps"),
    ])
    func refuses(pattern: String, message: String) {
        let error = #expect(throws: PartError.self) { _ = try LinearRegex(pattern) }
        #expect(error?.message == message)
    }

    @Test func nestedBracketsAreBounded() {
        let deep = String(repeating: "(", count: 10_000) + String(repeating: ")", count: 10_000)
        #expect(throws: PartError.self) { _ = try LinearRegex(deep) }
    }

    /// Each of these takes a backtracking matcher longer than a lifetime: that the test ends at all is what it shows.
    @Test(arguments: ["(a+)+b", "(a*)*b", "(a|a)*b", "(a|aa)+b", "a*a*a*a*a*a*b", "(.*)(.*)(.*)b"])
    func staysLinear(pattern: String) throws {
        let regex = try LinearRegex(pattern)
        #expect(!regex.matches(String(repeating: "a", count: 10_000)))
    }

    @Test func looksAtSixtyFourKiBOnly() throws {
        let regex = try LinearRegex("a*")
        #expect(regex.matches(String(repeating: "a", count: 65_536)))
        #expect(!regex.matches(String(repeating: "a", count: 65_537)))
    }

    /// Against a plain backtracking matcher of the same language: every small pattern on every small text.
    @Test func agreesWithANaiveMatcher() throws {
        let atoms: [[Naive]] = [
            [.letter("a")], [.letter("b")], [.star([.letter("a")])], [.optional([.letter("b")])],
            [.either([.letter("a")], [.letter("a"), .letter("b")])], [.star([.either([.letter("a")], [.letter("b")])])],
        ]
        let texts = Self.texts(upTo: 4)
        for first in atoms {
            for second in atoms {
                for third in atoms {
                    let tree = first + second + third
                    let regex = try LinearRegex(tree.map(\.text).joined())
                    for text in texts {
                        let expected = Naive.ends(tree, Array(text), 0, 0).contains(text.count)
                        #expect(regex.matches(text) == expected, "\(regex.text) on \(text)")
                    }
                }
            }
        }
    }

    /// Both ways to run an expression take the same threads for the best ones, groups and all.
    @Test(arguments: [
        "(?<a>a|ab)(?<b>b|bab)?.*", "(?<a>a*)(?<b>a*?)(?<c>b?)", "(?:(?<a>.)b?)*", "(?<a>a*)*(?<b>b*)*", "(?:(?<a>a)|(?<b>b))*",
        "(?<a>(?:a|aa)+)(?<b>a*b*)", "(?:^(?<a>a)|(?<b>b)|a$)*", "(?:(?<a>a*)|b)*(?<b>$)(?:)*", "(?<a>)|(?<b>(?:a|b(?<c>))*?)(?<d>b*)",
        "(?<a>^a|\\Ba)*\\b(?<b>b*)$", "(?:a?(?<a>b??))*(?<b>a{1,2})", "(?<a>[^b])*(?<b>.{0,2}?)b*",
    ])
    func trailAgreesWithMachine(pattern: String) throws {
        let regex = try LinearRegex(pattern)
        for text in Self.texts(upTo: 7) {
            let scalars = text.unicodeScalars.map(\.value)
            var machine = RegexMachine(program: regex.program, text: scalars)
            var trail = try #require(RegexTrail(table: regex.table, text: scalars))
            let slots = machine.run(slotCount: 2 * regex.groups.count)
            #expect(trail.run(slotCount: 2 * regex.groups.count) == slots, "\(pattern) on \(text)")
            if let states = regex.states {
                #expect(states.slots(text, regex) == slots, "\(pattern) on \(text)")
            } else {
                #expect(pattern.contains("\\b") || pattern.contains("\\B"))
            }
        }
    }

    /// States are worked out for what identifiers look like, and within bounds; whatever has none is followed step by step.
    @Test(arguments: [
        ("thread_(?<stem>[a-z]+(?:_[a-z]+)*_\\d+)_\\d+_[0-9a-f]+", true), ("(?:run_)?(?<stem>[a-z]+(?:_[a-z]+)*_\\d+)(?:_\\d+)?", true),
        ("ws_.+_\\d+_[0-9a-f]+", true), ("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", true), ("^a$|b", true), ("", true),
        ("\\ba", false), ("(?:a|b)*a(?:a|b){14}", false), ("a{600}", false), ("(?:(?:a?){30}(?:a|b)*){30}c", false),
    ])
    func statesAreFew(pattern: String, areWorkedOut: Bool) throws {
        let regex = try LinearRegex(pattern)
        #expect((regex.states != nil) == areWorkedOut)
        #expect(regex.quickMatch("ä") == nil && regex.quickMatch(String(repeating: "a", count: 65_536)) == nil)
        #expect((regex.quickMatch("a_1") != nil) == areWorkedOut)
    }

    /// A text that is not of ASCII is told by the machine, also where its beginning is.
    @Test func statesLeaveOtherTexts() throws {
        let regex = try LinearRegex("(?<a>[a-z]+)(?<b>[^a-z]*)")
        let match = try #require(regex.match("abä1"))
        #expect(match["a"] == "ab" && match["b"] == "ä1")
        #expect(regex.quickMatch("abä1") == nil)
        #expect(regex.quickMatch("ab1-") == .some(regex.match("ab1-")))
        #expect(regex.match("") == nil && regex.match("1") == nil)
    }

    /// What many branches run into is walked once for each place in the text, whatever lies behind it.
    @Test func whatBranchesRunIntoIsMarked() throws {
        let table = try LinearRegex("a(?:(?:|||)\\B{3}a)*b").table
        let joins = table.steps.filter { $0.isMarked && $0.kind != .split }
        #expect(!joins.isEmpty)
        #expect(try LinearRegex("abc[de]f").table.steps.allSatisfy { !$0.isMarked })
    }

    @Test func longTextsAreLeftToTheMachine() throws {
        let regex = try LinearRegex("(?:a|b)*(?<end>b)")
        let long = String(repeating: "a", count: 40_000) + "b"
        #expect(RegexTrail(table: regex.table, text: long.unicodeScalars.map(\.value)) == nil)
        #expect(regex.match(long)?["end"] == "b")
    }

    private static func texts(upTo length: Int) -> [String] {
        var all = [""]
        var last = [""]
        for _ in 0..<length {
            last = last.flatMap { [$0 + "a", $0 + "b"] }
            all += last
        }
        return all
    }

    private indirect enum Naive {
        case letter(Character), star([Naive]), optional([Naive]), either([Naive], [Naive])

        var text: String {
            switch self {
            case .letter(let c): String(c)
            case .star(let inner): "(?:" + inner.map(\.text).joined() + ")*"
            case .optional(let inner): "(?:" + inner.map(\.text).joined() + ")?"
            case .either(let a, let b): "(" + a.map(\.text).joined() + "|" + b.map(\.text).joined() + ")"
            }
        }

        /// Every place where a match of the sequence can end.
        static func ends(_ sequence: [Naive], _ text: [Character], _ item: Int, _ at: Int) -> Set<Int> {
            guard item < sequence.count else { return [at] }
            let rest = { (place: Int) in ends(sequence, text, item + 1, place) }
            switch sequence[item] {
            case .letter(let c): return at < text.count && text[at] == c ? rest(at + 1) : []
            case .optional(let inner):
                return ends(inner, text, 0, at).reduce(rest(at)) { $0.union(rest($1)) }
            case .either(let a, let b):
                return ends(a, text, 0, at).union(ends(b, text, 0, at)).reduce([]) { $0.union(rest($1)) }
            case .star(let inner):
                var reached: Set<Int> = [at]
                var frontier: Set<Int> = [at]
                while !frontier.isEmpty {
                    frontier = Set(frontier.flatMap { ends(inner, text, 0, $0) }).subtracting(reached)
                    reached.formUnion(frontier)
                }
                return reached.reduce([]) { $0.union(rest($1)) }
            }
        }
    }
}

extension RegexStates {
    /// The slots as the machine tells them; nil: no match.
    func slots(_ text: String, _ regex: LinearRegex) -> [Int]? {
        var slots = Slots(repeating: -1)
        let count = 2 * regex.groups.count
        guard case .fits = run(text.utf8Span.span, slotCount: count, into: &slots) else { return nil }
        return (0..<count).map { slots[$0] }
    }
}
