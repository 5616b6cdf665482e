import Contracts
package import Faults
import Journaling
import Wire

/// What keeps a plan's fault line from being a fault.
package struct FaultLineError: Error, Sendable, Equatable {
    /// The word that is wrong; empty when one is missing.
    package var word: String
    package var sentence: String
    package var remedy: String
}

/// A profile's rule as one line of a plan and back: `f1 accept-delay stage upgrade-response delay 400ms user alice
/// connection nth 1 expect refused within 2s`. Settings come first, by the names of the fault's parameters, lists joined
/// by commas; then the conditions of `when` by theirs (faults.md); then `expect`.
extension Plan.FaultLine {
    package init(rule: FaultRule) {
        self.init(id: rule.id, kind: rule.kind, words: [])
        for setting in rule.settings.values { words += [setting.name, setting.values.joined(separator: ",")] }
        let when = rule.when
        if let user = when.user { words += ["user", user.text] }
        if let path = when.path { words += ["path", path.text] }
        if let connection = when.connection { words += ["connection"] + Self.words(connection) }
        if let side = when.to { words += ["to", side.rawValue] }
        if let message = when.message { words += ["message"] + Self.words(message) }
        if let match = when.match { words += ["match", match.text] }
        if let opcode = when.opcode { words += ["opcode", OpcodeWord.text(opcode)] }
        if let after = when.after { words += ["after"] + Self.words(after) }
        if let until = when.until { words += ["until"] + Self.words(until) }
        if when.duringRun { words += ["during", "run"] }
        guard let expect = rule.expect else { return }
        words += ["expect"] + expect.what.rawValue.split(separator: " ").map { String($0) }
        words += expect.codes.map { String($0) }
        if let bound = expect.within { words += ["within", PlanDuration.print(bound)] }
    }

    private static func words(_ ordinal: Trigger.Ordinal) -> [String] {
        switch ordinal {
        case .nth(let number): ["nth", String(number)]
        case .every(let number): ["every", String(number)]
        case .first(let number): ["first", String(number)]
        case .share(let share): ["share", Self.percent(share)]
        }
    }

    private static func percent(_ share: Double) -> String {
        let percent = (share * 100_000_000).rounded() / 1_000_000
        if let whole = Int(exactly: percent) { return "\(whole)%" }
        return "\(percent)%"
    }

    private static func words(_ bound: Trigger.Bound) -> [String] {
        switch bound {
        case .time(let duration): [PlanDuration.print(duration)]
        case .messages(let count): [String(count)]
        case .event(let pattern): [pattern.text]
        }
    }

    /// The rule that this line says.
    package func rule() throws(FaultLineError) -> FaultRule {
        guard let kind = FaultRegistry.kind(kind) else {
            let known = FaultRegistry.all.map { $0.name }
            throw FaultLineError(
                word: kind, sentence: "no fault is called `\(kind)`",
                remedy: "one of \(known.joined(separator: ", "))")
        }
        var reader = FaultWords(words: words)
        var settings = Settings()
        while let name = reader.peek, let parameter = kind.parameters.first(where: { $0.name == name }),
            !settings.values.contains(where: { $0.name == name })
        {
            _ = reader.next()
            let value = try reader.need("a value", for: name)
            settings.values.append((name, parameter.unit.values(value)))
        }
        do throws(SettingsError) { _ = try kind.init(settings) } catch {
            throw FaultLineError(
                word: error.parameter, sentence: "`\(error.parameter)` cannot be read",
                remedy: "found \(error.found), expected \(error.expected)")
        }
        let when = try reader.trigger(parameters: kind.parameters.map(\.name))
        return FaultRule(id: id, kind: self.kind, settings: settings, when: when, expect: try reader.expectation())
    }
}

extension Parameter.Unit {
    /// What a comma parts where several values may stand.
    fileprivate func values(_ text: String) -> [String] {
        switch self {
        case .choices, .names: text.split(separator: ",").map { String($0) }
        default: [text]
        }
    }
}

/// The words for opcodes in profiles and plans.
enum OpcodeWord {
    static let names: [(String, Opcode)] = [
        ("continuation", .continuation), ("text", .text), ("binary", .binary), ("close", .close), ("ping", .ping),
        ("pong", .pong),
    ]
    static func text(_ opcode: Opcode) -> String {
        names.first { $0.1 == opcode }?.0 ?? String(opcode.rawValue)
    }
    static func opcode(_ text: String) -> Opcode? {
        if let named = names.first(where: { $0.0 == text }) { return named.1 }
        return UInt8(text).flatMap { (1..<16).contains($0) ? Opcode(rawValue: $0) : nil }
    }
}

/// Reads the words of a fault line from left to right.
private struct FaultWords {
    let words: [String]
    var index = 0

    init(words: [String]) { self.words = words }

    var peek: String? { index < words.count ? words[index] : nil }

    mutating func next() -> String? {
        defer { index = min(index + 1, words.count) }
        return peek
    }

    mutating func need(_ what: String, for name: String) throws(FaultLineError) -> String {
        guard let word = next() else {
            throw FaultLineError(word: name, sentence: "`\(name)` needs \(what)", remedy: "write it behind the name")
        }
        return word
    }

    mutating func trigger(parameters: [String]) throws(FaultLineError) -> Trigger {
        var when = Trigger()
        while let name = peek, name != "expect" {
            _ = next()
            switch name {
            case "user": when.user = Glob(try need("a name", for: name))
            case "path": when.path = Glob(try need("a path", for: name))
            case "connection": when.connection = try ordinal(name)
            case "message": when.message = try ordinal(name)
            case "to":
                let word = try need("client or server", for: name)
                guard let side = Side(rawValue: word) else { throw wrong(word, "expected client or server") }
                when.to = side
            case "opcode":
                let word = try need("an opcode", for: name)
                guard let opcode = OpcodeWord.opcode(word) else {
                    throw wrong(word, "expected text, binary, close, ping, pong or a number up to 15")
                }
                when.opcode = opcode
            case "match": when.match = try pattern(try need("a pattern", for: name))
            case "after": when.after = try bound(name)
            case "until": when.until = try bound(name)
            case "during":
                let word = try need("`run`", for: name)
                guard word == "run" else { throw wrong(word, "write `during run`") }
                when.duringRun = true
            default:
                let known = parameters + [
                    "user", "path", "connection", "to", "message", "match", "opcode", "after", "until", "during",
                    "expect",
                ]
                throw FaultLineError(
                    word: name, sentence: "`\(name)` is no setting or condition of this fault",
                    remedy: "one of \(known.joined(separator: ", "))")
            }
        }
        return when
    }

    private mutating func ordinal(_ name: String) throws(FaultLineError) -> Trigger.Ordinal {
        let remedy = "expected nth 2, every 3, first 10 or share 5%"
        let word = try need("which ones", for: name)
        let value = try need("a number", for: word)
        if word == "share" {
            guard value.hasSuffix("%"), let percent = Double(value.dropLast()), (0...100).contains(percent) else {
                throw wrong(value, remedy)
            }
            return .share(percent / 100)
        }
        guard let number = Int(value), number > 0 else { throw wrong(value, remedy) }
        switch word {
        case "nth": return .nth(number)
        case "every": return .every(number)
        case "first": return .first(number)
        default: throw wrong(word, remedy)
        }
    }

    private mutating func bound(_ name: String) throws(FaultLineError) -> Trigger.Bound {
        let word = try need("a time, a number of messages or a pattern", for: name)
        if let count = Int(word), count >= 0 { return .messages(count) }
        if let duration = PlanDuration.parse(word) { return .time(duration) }
        return .event(try pattern(word))
    }

    private func pattern(_ word: String) throws(FaultLineError) -> Pattern {
        guard let document = FlowText.document(word) else {
            throw wrong(word, "expected a pattern such as { type: error } or [a, b]")
        }
        let (pattern, problems) = Pattern.reading(document)
        guard let pattern else {
            let problem = problems.first?.error
            throw FaultLineError(
                word: word, sentence: problem?.message ?? "the pattern cannot be read",
                remedy: problem?.remedy ?? "write { type: error }")
        }
        return pattern
    }

    mutating func expectation() throws(FaultLineError) -> Expectation? {
        guard next() == "expect" else { return nil }
        let remedy = "expected refused, closed, error event, recovers, delivered or nothing lost"
        var words: [String] = []
        while let word = peek, word != "within", Int(word) == nil {
            words.append(word)
            _ = next()
        }
        guard let what = Expectation.What(rawValue: words.joined(separator: " ")) else {
            throw wrong(words.joined(separator: " "), remedy)
        }
        var expectation = Expectation(what: what, within: nil)
        while let word = peek, let code = Int(word) {
            expectation.codes.append(code)
            _ = next()
        }
        guard let word = next() else { return expectation }
        guard word == "within" else { throw wrong(word, "write `within 2s`") }
        let bound = try need("a duration", for: word)
        guard let within = PlanDuration.parse(bound) else { throw wrong(bound, PlanDuration.remedy) }
        expectation.within = within
        if let rest = next() { throw wrong(rest, "nothing stands behind it") }
        return expectation
    }

    private func wrong(_ word: String, _ remedy: String) -> FaultLineError {
        FaultLineError(word: word, sentence: "`\(word)` is not expected here", remedy: remedy)
    }
}
