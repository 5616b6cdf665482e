import Contracts
import Faults
import Journaling
import Wire

extension ProfileReader {
    private static let conditions = [
        "connection", "user", "path", "to", "message", "match", "opcode", "after", "until", "during",
    ]
    private static let opcodes: [(name: String, opcode: Opcode)] = [
        ("text", .text), ("binary", .binary), ("close", .close), ("ping", .ping), ("pong", .pong),
    ]

    mutating func readTrigger(_ document: Document) -> Trigger {
        var trigger = Trigger()
        let fields = mapping(document, "`when`", Self.conditions)
        trigger.connection = fields["connection"].flatMap { readOrdinal($0, "connection") }
        trigger.message = fields["message"].flatMap { readOrdinal($0, "message") }
        trigger.user = text(fields["user"], "user").map { Glob($0) }
        trigger.path = text(fields["path"], "path").map { Glob($0) }
        trigger.to = value(fields["to"], "to", .choice(["server", "client"])).flatMap(Side.init(rawValue:))
        trigger.opcode = fields["opcode"].flatMap { readOpcode($0) }
        trigger.match = fields["match"].flatMap { readPattern($0) }
        trigger.after = fields["after"].flatMap { readBound($0, "after") }
        trigger.until = fields["until"].flatMap { readBound($0, "until") }
        if value(fields["during"], "during", .choice(["run"])) != nil { trigger.duringRun = true }
        return trigger
    }

    /// A name, or a number from 1 to 15 (RFC 6455 section 5.2): what is reserved may be on its way too.
    private mutating func readOpcode(_ document: Document) -> Opcode? {
        let text = document.scalar?.text ?? ""
        let known = Self.opcodes.map(\.name)
        if let number = UnitText.count(text) {
            if (1...15).contains(number) { return Opcode(rawValue: UInt8(number)) }
            fail(
                document.mark, "`opcode` needs a name, or a number from 1 to 15",
                number == 0 ? "fragments belong to the message that they continue, write text or binary" : "found \(number)")
            return nil
        }
        guard let name = value(document, "opcode", .choice(known)) else { return nil }
        return Self.opcodes.first { $0.name == name }?.opcode
    }

    /// `nth 2`, `every 3`, `first 10`, `share 5%`.
    private mutating func readOrdinal(_ document: Document, _ name: String) -> Trigger.Ordinal? {
        let words = (document.scalar?.text ?? "").split(separator: " ").map(String.init)
        if words.count == 2 {
            if words[0] == "share", let share = UnitText.share(words[1]) { return .share(share) }
            if let number = UnitText.count(words[1]), number > 0 {
                switch words[0] {
                case "nth": return .nth(number)
                case "every": return .every(number)
                case "first": return .first(number)
                default: break
                }
            }
        }
        let near = words.first.flatMap { Nearest.word(to: $0, among: ["nth", "every", "first", "share"]) }
        let expected = "expected `nth 2`, `every 3`, `first 10` or `share 5%`"
        var remedy = "found \(document.found), \(expected)"
        if let near, words.count == 2, near != words[0] { remedy = "write `\(near) \(words[1])`" }
        if words.count == 1, let number = UnitText.count(words[0]), number > 0 { remedy = "write `nth \(number)` or `every \(number)`" }
        if words.count == 2, words[0] == "share", UnitText.share(words[1] + "%") != nil { remedy = "write `share \(words[1])%`" }
        fail(document.mark, "`\(name)` says which ones", remedy)
        return nil
    }

    private mutating func readPattern(_ document: Document) -> Pattern? {
        let (pattern, found) = Pattern.reading(document)
        for problem in found { fail(problem.mark, problem.error.message, problem.error.remedy ?? "") }
        return pattern
    }

    /// A time (`30s`), a number of messages (`10`), or an event (a pattern).
    private mutating func readBound(_ document: Document, _ name: String) -> Trigger.Bound? {
        if document.map != nil { return readPattern(document).map(Trigger.Bound.event) }
        if let scalar = document.scalar {
            if let count = UnitText.count(scalar.text), scalar.isPlain { return .messages(count) }
            if let duration = UnitText.duration(scalar.text) { return .time(duration) }
        }
        let correction = document.scalar.flatMap { DurationText.correction($0.text) }
        fail(
            document.mark, "`\(name)` needs a time, a number of messages or an event",
            correction.map { "write `\($0)`" } ?? "found \(document.found), expected 30s, 10 or { type: NAME }")
        return nil
    }
}
