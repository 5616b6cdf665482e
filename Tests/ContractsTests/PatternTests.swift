import Contracts
import Journaling
import Testing
import Wire

@Suite("Patterns")
struct PatternTests {
    static func pattern(_ json: String) throws -> Pattern {
        try #require(Pattern.reading(Document(try JSON.parse(json))).pattern)
    }

    @Test(arguments: [
        // Mappings: every path must hold, other fields are free.
        (#"{"type":"x"}"#, #"{"type":"x","more":1}"#, true), (#"{"type":"x"}"#, #"{"type":"y"}"#, false),
        (#"{"a.b":1}"#, #"{"a":{"b":1.0}}"#, true), (#"{"a":{"b":1}}"#, #"{"a":{"b":1,"c":2}}"#, true),
        (#"{"a":1}"#, #"{"a":"1"}"#, false), (#"{"a":"1"}"#, #"{"a":1}"#, false), (#"{}"#, #"{"a":1}"#, true),
        // Lists are any of; strings are globs over the whole string.
        (#"{"t":["x","y"]}"#, #"{"t":"y"}"#, true), (#"{"t":["x","y"]}"#, #"{"t":"z"}"#, false),
        (#"{"t":"re*"}"#, #"{"t":"response"}"#, true), (#"{"t":"re*"}"#, #"{"t":"are"}"#, false),
        (#"{"t":"is:a*"}"#, #"{"t":"a*"}"#, true), (#"{"t":"is:a*"}"#, #"{"t":"ab"}"#, false),
        (#"{"t":"re:[a-z]+"}"#, #"{"t":"abc"}"#, true), (#"{"t":"re:[a-z]+"}"#, #"{"t":"ab1"}"#, false),
        // Absent, null and type words.
        (#"{"t":"<absent>"}"#, #"{}"#, true), (#"{"t":"<absent>"}"#, #"{"t":null}"#, false),
        (#"{"t":"<null>"}"#, #"{"t":null}"#, true), (#"{"t":"<null>"}"#, #"{}"#, false),
        (#"{"t":null}"#, #"{"t":null}"#, true), (#"{"t":null}"#, #"{}"#, false),
        (#"{"t":"<absent|null>"}"#, #"{}"#, true), (#"{"t":["<absent>","x"]}"#, #"{}"#, true),
        (#"{"t":"<any>"}"#, #"{"t":null}"#, true), (#"{"t":"<any>"}"#, #"{}"#, false),
        (#"{"t":"<text>"}"#, #"{"t":""}"#, false), (#"{"t":"<string>"}"#, #"{"t":""}"#, true),
        (#"{"t":"<text>"}"#, #"{"t":"x"}"#, true), (#"{"t":"<number>"}"#, #"{"t":1.5}"#, true),
        (#"{"t":"<integer>"}"#, #"{"t":1.5}"#, false), (#"{"t":"<integer>"}"#, #"{"t":1.0}"#, true),
        (#"{"t":"<integer>"}"#, #"{"t":15e-1}"#, false), (#"{"t":"<integer>"}"#, #"{"t":1e400}"#, true),
        (#"{"t":"<boolean>"}"#, #"{"t":false}"#, true), (#"{"t":"<object>"}"#, #"{"t":{}}"#, true),
        (#"{"t":"<array>"}"#, #"{"t":[]}"#, true), (#"{"t":"<object|array>"}"#, #"{"t":1}"#, false),
        (#"{"t":true}"#, #"{"t":true}"#, true), (#"{"t":true}"#, #"{"t":"true"}"#, false),
        // All values when a path yields several.
        (#"{"l[*].id":"<text>"}"#, #"{"l":[{"id":"a"},{"id":"b"}]}"#, true),
        (#"{"l[*].id":"<text>"}"#, #"{"l":[{"id":"a"},{"id":1}]}"#, false),
        (#"{"l[*].id":"<text>"}"#, #"{"l":[]}"#, false), (#"{"l[*].id":"<text|absent>"}"#, #"{"l":[]}"#, true),
        // Patterns on the message itself.
        (#""<any>""#, #""anything""#, true), (#""<object>""#, #"[]"#, false), (#"[{"a":1},{"b":1}]"#, #"{"b":1}"#, true),
    ])
    func holds(pattern: String, message: String, expected: Bool) throws {
        #expect(try Self.pattern(pattern).holds(for: try JSON.parse(message)) == expected)
    }

    @Test func foreignAsksTheContextForTheFullPath() throws {
        let pattern = try Self.pattern(#"{"a":{"id":"<foreign>"}}"#)
        #expect(pattern.asksForeign)
        let message = try JSON.parse(#"{"a":{"id":"t1"}}"#)
        #expect(!pattern.holds(for: message))
        #expect(pattern.holds(for: message) { path, value in path.text == "a.id" && value == .string("t1") })
        #expect(!pattern.holds(for: try JSON.parse(#"{"a":{}}"#)) { _, _ in true })
        #expect(try !Self.pattern(#"{"a":"<text>"}"#).asksForeign)
    }

    @Test func violationNamesTheField() throws {
        let pattern = try Self.pattern(#"{"error":"<text>","message":"<text>","timestamp":"<number>"}"#)
        #expect(pattern.violation(in: try JSON.parse(#"{"error":"e","message":"","timestamp":1}"#)) == "message: <text>")
        #expect(pattern.violation(in: try JSON.parse(#"{"error":"e","message":"m","timestamp":1}"#)) == nil)
    }

    @Test(arguments: [
        (#"{"t":"<txet>"}"#, "pattern \"<txet>\": not a type word", "nearest: text"),
        (#"{"t":"re:(?=x)"}"#, "re: look-ahead is not supported", ""),
        (#"{"a..b":1}"#, "path \"a..b\": \"..\" is allowed in volatile and secrets only", ""),
        (#"{"t":[]}"#, "an empty list matches nothing", "write <any>"),
    ])
    func refuses(pattern: String, message: String, remedy: String) throws {
        let found = Pattern.reading(Document(try JSON.parse(pattern)))
        #expect(found.pattern == nil)
        #expect(found.problems.first?.error.message == message)
        #expect(found.problems.first?.error.remedy ?? "" == remedy)
    }
}

@Suite("Durations and nearest words")
struct SmallPartTests {
    @Test(arguments: [
        ("250ms", Duration.milliseconds(250)), ("5s", .seconds(5)), ("2m", .seconds(120)), ("1h", .seconds(3600)),
        ("1.5s", .milliseconds(1500)), ("0", .zero), ("0.25ms", .microseconds(250)),
    ])
    func durations(text: String, expected: Duration) {
        #expect(DurationText.parse(text) == expected)
    }

    @Test(arguments: ["", "5", "5 s", "s", "-5s", "5sec", "1e3s", "99999999999s", "1.s", ".5s", "never", "٥s"])
    func noDurations(text: String) { #expect(DurationText.parse(text) == nil) }

    @Test func corrections() {
        #expect(DurationText.correction("5 sec") == "5s")
        #expect(DurationText.correction("5") == "5s")
        #expect(DurationText.correction("3 minutes") == "3m")
        #expect(DurationText.correction("fast") == nil)
    }

    @Test func nearest() {
        #expect(Nearest.word(to: "reqests", among: ["events", "requests"]) == "requests")
        #expect(Nearest.word(to: "drop-aut", among: ["drop", "drop-auth"]) == "drop-auth")
        #expect(Nearest.word(to: "runing", among: ["asked", "running"]) == "running")
        #expect(Nearest.word(to: "conn", among: ["connection_error"]) == "connection_error")
        #expect(Nearest.word(to: "xyz", among: ["events", "requests"]) == nil)
        #expect(Nearest.word(to: "a", among: ["b"]) == nil)
        #expect(Nearest.remedy(for: "zzzz", among: (1...9).map { "w\($0)" }) == "known: w1 w2 w3 w4 w5 w6 w7 w8 …")
    }

    /// What redaction hid fits a shape, whatever the shape asks; it never condemns anybody.
    @Test(arguments: [
        #"{"t":"re:[0-9]{16}"}"#, #"{"t":"<number>"}"#, #"{"t":"4111*"}"#, #"{"t":7}"#, #"{"a":{"t":"<number>"}}"#, #"{"t":["x",7]}"#,
    ])
    func whatIsHiddenIsTrusted(pattern: String) throws {
        let pattern = try PatternTests.pattern(pattern)
        for text in [#"{"t":"‹secret:07f›","a":{"t":"‹secret:07f›"}}"#, #"{"t":"x ‹jwt:a1›","a":{"t":"‹jwt:a1›"}}"#] {
            let message = try JSON.parse(text)
            #expect(pattern.violation(in: message) == nil && pattern.holds(for: message))
            #expect(!pattern.holds(for: message, hidden: false))
        }
        #expect(pattern.violation(in: try JSON.parse(#"{"t":"secret:07f"}"#)) != nil)
    }

    @Test func aRuleSeesWhatItCondemns() throws {
        #expect(try PatternTests.pattern(#"{"t":"<any>"}"#).holds(for: JSON.parse(#"{"t":"‹secret:07f›"}"#), hidden: false))
        #expect(try !PatternTests.pattern(#"{"t":"<absent>"}"#).holds(for: JSON.parse(#"{"t":"‹secret:07f›"}"#), hidden: false))
    }
}
