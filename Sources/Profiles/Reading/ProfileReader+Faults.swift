import Contracts
import Faults
import Journaling
import Wire

extension ProfileReader {
    private static let own = ["id", "fault", "when", "expect"]

    /// Nil when nothing of it can be told; its errors are noted all the same.
    mutating func readFault(_ document: Document, _ number: Int) -> FaultRule? {
        guard let fields = document.map else {
            fail(document.mark, "fault \(number) needs a mapping", "found \(document.found), write `fault: KIND`")
            return nil
        }
        let first = problems.count
        if let off = document["off"] {
            fail(off.mark, "`off` takes away a fault of the profile that is extended", "name that in `extends`, or leave the fault out")
            return nil
        }
        let id = readID(document["id"], number)
        let conditions = document["when"].flatMap { $0.scalar?.isNull == true ? nil : $0 }
        let when = conditions.map { readTrigger($0) } ?? Trigger()
        let expect = document["expect"].flatMap { readExpectation($0) }
        guard let kind = document["fault"] else {
            fail(document.mark, "fault \(number) names no kind", "write `fault: KIND`", hint: "`miswire faults` lists all")
            return nil
        }
        guard let name = text(kind, "fault") else { return nil }
        guard let type = FaultRegistry.kind(name) else {
            let known = FaultRegistry.all.map { $0.name }
            fail(
                kind.mark, "no fault is called `\(name)`", Self.nearest(name, known), hint: "`miswire faults` lists all")
            return nil
        }
        let written = fields.filter { !Self.own.contains($0.key) }
        let before = problems.count
        let settings = readSettings(written, type.parameters, name)
        for parameter in type.parameters where parameter.required && !written.contains(where: { $0.key == parameter.name }) {
            fail(kind.mark, "`\(name)` needs `\(parameter.name)`", "write \(parameter.unit.noun): \(parameter.doc)")
        }
        if problems.count == before, let fault = build(name, settings, written, kind.mark), problems.count == first,
            let conditions, !type.actsOnBytes
        {
            warnOfIdleConditions(conditions, name, fault.selects)
        }
        if type.actsOnBytes, let conditions { refuseMessages(conditions, when, name) }
        return FaultRule(id: id, kind: name, settings: settings, when: when, expect: expect)
    }

    /// Bytes are no messages: what asks for one would never hold.
    private mutating func refuseMessages(_ conditions: Document, _ when: Trigger, _ kind: String) {
        let expected = "leave it out; `connection`, `user`, `path` and `to` choose, `after` and `until` take a time"
        for name in ["message", "match", "opcode", "during", "after", "until"] {
            guard let field = conditions[name] else { continue }
            if name == "after" || name == "until" {
                switch name == "after" ? when.after : when.until {
                case .messages, .event: break
                case nil, .time: continue
                }
            }
            fail(field.mark, "`\(kind)` acts on bytes, which `\(name)` says nothing of", expected)
        }
    }

    private mutating func readID(_ document: Document?, _ number: Int) -> String {
        guard let document, let id = text(document, "id") else { return "f\(number)" }
        let isGood =
            id.utf8.count <= 64
            && id.utf8.allSatisfy { $0 >= 0x61 && $0 <= 0x7a || $0 >= 0x30 && $0 <= 0x39 || $0 == 0x2d }
        if !isGood { fail(document.mark, "`\(id)` is no id", "write small letters, digits and dashes, at most 64") }
        return id
    }

    private mutating func readSettings(
        _ fields: [Document.Field], _ parameters: [Parameter], _ kind: String
    ) -> Settings {
        var settings = Settings()
        for field in fields {
            guard let parameter = parameters.first(where: { $0.name == field.key }) else {
                let remedy =
                    parameters.isEmpty ? "leave it out, it has none" : Self.nearest(field.key, parameters.map(\.name))
                fail(field.mark, "`\(kind)` has no setting `\(field.key)`", remedy, hint: "`miswire faults \(kind)` lists all")
                continue
            }
            let items = parameter.unit.isPlural ? field.value.list ?? [field.value] : [field.value]
            var values: [String] = []
            for item in items {
                guard let text = value(item, field.key, parameter.unit) else { continue }
                values.append(text)
                switch parameter.unit {
                case .text, .names: fill(text, field.key, item.mark, &settings)
                case .duration, .bytes, .rate, .share, .count, .choice, .choices: break
                }
            }
            settings.values.append((field.key, values))
        }
        return settings
    }

    /// Conditions under which a fault with these settings never acts.
    private mutating func warnOfIdleConditions(_ conditions: Document, _ kind: String, _ selects: [ParcelKind]) {
        if let to = conditions["to"], let side = to.scalar.flatMap({ Side(rawValue: $0.text) }),
            !selects.contains(where: { side == .server ? $0.tap != .clientOut : $0.tap == .clientOut })
        {
            let other = side == .server ? "client" : "server"
            let message = "`\(kind)` with these settings never acts on the way to the \(side.rawValue)"
            warn(to.mark, message, "write `\(other)`, or leave it out")
        }
        guard !selects.contains(.messageToServer), !selects.contains(.messageToClient) else { return }
        for name in ["message", "match", "opcode"] {
            guard let condition = conditions[name] else { continue }
            warn(condition.mark, "`\(kind)` acts on no message, so `\(name)` never holds", "leave it out")
        }
    }

    /// Lets the fault itself look at its settings together.
    private mutating func build(
        _ name: String, _ settings: Settings, _ fields: [Document.Field], _ mark: Mark
    ) -> (any Fault)? {
        do throws(SettingsError) { return try FaultRegistry.make(name, settings) } catch {
            let place = fields.first { $0.key == error.parameter }?.value.mark ?? mark
            // What is quoted of a text that names variables would show their values.
            let found = settings.hasVariables(error.parameter) ? "what its variables make of it" : error.found
            fail(
                place, "`\(error.parameter)` needs \(error.needs ?? "another name")",
                "found \(found), expected \(error.expected)")
            return nil
        }
    }

    /// `refused within 2s`, `closed 1008 4401 within 2s`, `error event`, `recovers within 5s`, `delivered`, `nothing lost`.
    private mutating func readExpectation(_ document: Document) -> Expectation? {
        guard let text = text(document, "expect") else { return nil }
        var words = text.split(separator: " ").map(String.init)
        var within: Duration?
        if let place = words.firstIndex(of: "within") {
            guard place == words.count - 2, let duration = UnitText.duration(words[place + 1]) else {
                let remedy = words.last.flatMap(DurationText.correction).map { "write `within \($0)`" }
                fail(document.mark, "`expect` needs a duration behind `within`", remedy ?? "write `within 2s`")
                return nil
            }
            within = duration
            words.removeLast(2)
        }
        let known = Expectation.What.allCases.map(\.rawValue)
        let codes = words.drop { Int($0) == nil }.compactMap { Int($0) }
        let name = words.prefix { Int($0) == nil }.joined(separator: " ")
        guard let what = Expectation.What(rawValue: name), codes.count + name.split(separator: " ").count == words.count else {
            let near = Nearest.word(to: name, among: known).map { "write `\($0)`" } ?? "expected \(known.joined(separator: ", "))"
            fail(document.mark, "`expect` has no `\(words.joined(separator: " "))`", near)
            return nil
        }
        if !codes.isEmpty, what != .closed {
            fail(document.mark, "`expect: \(name)` takes no close codes", "write `closed \(codes[0])`, or leave them out")
        }
        if let bad = codes.first(where: { !(1000...4999).contains($0) }) {
            fail(document.mark, "\(bad) is no close code", "write one from 1000 to 4999")
        }
        return Expectation(what: what, codes: codes, within: within)
    }
}

extension Parameter.Unit {
    var isPlural: Bool {
        switch self {
        case .choices, .names: true
        case .duration, .bytes, .rate, .share, .count, .text, .choice: false
        }
    }
}
