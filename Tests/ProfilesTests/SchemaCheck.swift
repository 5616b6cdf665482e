import Journaling
import Wire

/// As much of JSON Schema (draft 2020-12) as `ProfileSchema` writes; a word that it does not know is an error of its own.
/// `.ci/profile-schema.py` asks a validator of another maker.
struct SchemaCheck {
    let root: JSON

    /// What does not hold; empty when the value conforms.
    func complaints(_ value: JSON) -> [String] { check(value, root, at: "").complaints }

    private struct Answer {
        var complaints: [String] = []
        /// Members that some subschema looked at.
        var seen: Set<String> = []
    }

    private func check(_ value: JSON, _ schema: JSON, at place: String) -> Answer {
        guard case .object(let members) = schema else { return Answer(complaints: schema == .bool(true) ? [] : ["\(place): never"]) }
        var answer = Answer()
        for member in members where member.key != "unevaluatedProperties" && member.key != "additionalProperties" {
            let one = keyword(member.key, member.value, value, schema, at: place)
            answer.complaints += one.complaints
            answer.seen.formUnion(one.seen)
        }
        for word in ["additionalProperties", "unevaluatedProperties"] where schema[word] == .bool(false) {
            for member in value.members where !answer.seen.contains(member.key) { answer.complaints.append("\(place).\(member.key): unknown") }
        }
        return answer
    }

    private func keyword(_ word: String, _ rule: JSON, _ value: JSON, _ schema: JSON, at place: String) -> Answer {
        var answer = Answer()
        func demand(_ holds: Bool) { if !holds { answer.complaints.append("\(place): \(word) \(rule.text.prefix(80))") } }
        switch word {
        case "$schema", "title", "description", "default", "$defs", "then": break
        case "type": demand(rule.elements.isEmpty ? value.isOf(rule.string ?? "") : rule.elements.contains { value.isOf($0.string ?? "") })
        case "const": demand(value.means(rule))
        case "enum": demand(rule.elements.contains(where: value.means))
        case "pattern": if let text = value.string { demand(text.matches(rule.string ?? "")) }
        case "minLength": if let text = value.string { demand(Double(text.count) >= rule.double ?? 0) }
        case "minimum": if let number = value.double, let least = rule.double { demand(number >= least) }
        case "maximum": if let number = value.double, let most = rule.double { demand(number <= most) }
        case "maxItems": if case .array(let items) = value { demand(Double(items.count) <= rule.double ?? 0) }
        case "required": if case .object = value { demand(rule.elements.allSatisfy { value[$0.string ?? ""] != nil }) }
        case "items":
            for (index, item) in value.elements.enumerated() { answer.complaints += check(item, rule, at: "\(place)[\(index)]").complaints }
        case "properties":
            for member in rule.members {
                guard let part = value[member.key] else { continue }
                answer.seen.insert(member.key)
                answer.complaints += check(part, member.value, at: "\(place).\(member.key)").complaints
            }
        case "$ref":
            let name = (rule.string ?? "").split(separator: "/").last.map(String.init) ?? ""
            guard let target = root["$defs"]?[name] else { return Answer(complaints: ["\(place): no \(name)"]) }
            return check(value, target, at: place)
        case "anyOf": demand(rule.elements.contains { check(value, $0, at: place).complaints.isEmpty })
        case "not": demand(!check(value, rule, at: place).complaints.isEmpty)
        case "allOf":
            for part in rule.elements {
                let one = check(value, part, at: place)
                answer.complaints += one.complaints
                answer.seen.formUnion(one.seen)
            }
        case "if":
            let condition = check(value, rule, at: place)
            guard condition.complaints.isEmpty, let then = schema["then"] else { break }
            let one = check(value, then, at: place)
            answer = Answer(complaints: one.complaints, seen: one.seen.union(condition.seen))
        default: answer.complaints.append("\(place): the check knows no `\(word)`")
        }
        return answer
    }
}

extension JSON {
    fileprivate subscript(_ key: String) -> JSON? { members.first { $0.key == key }?.value }
    fileprivate var members: [Member] { if case .object(let members) = self { members } else { [] } }
    fileprivate var elements: [JSON] { if case .array(let elements) = self { elements } else { [] } }
    fileprivate var double: Double? { if case .number(let text) = self { Double(text) } else { nil } }

    /// The same value; numbers by what they count.
    fileprivate func means(_ other: JSON) -> Bool { double.flatMap { mine in other.double.map { mine == $0 } } ?? (self == other) }

    fileprivate func isOf(_ type: String) -> Bool {
        switch self {
        case .object: type == "object"
        case .array: type == "array"
        case .string: type == "string"
        case .bool: type == "boolean"
        case .null: type == "null"
        case .number: type == "number" || type == "integer" && double.map { $0 == $0.rounded() } == true
        }
    }
}

extension String {
    fileprivate func matches(_ pattern: String) -> Bool {
        guard let regex = try? Regex(pattern) else { return false }
        return firstMatch(of: regex) != nil
    }
}

extension Document {
    /// As any reader of YAML 1.2 sees it (core schema).
    var json: JSON {
        switch node {
        case .list(let items): .array(items.map(\.json))
        case .map(let fields): .object(fields.map { JSON.Member(key: $0.key, value: $0.value.json) })
        case .scalar(let scalar):
            scalar.isNull ? .null : scalar.bool.map(JSON.bool) ?? (scalar.number == nil ? .string(scalar.text) : .number(scalar.text))
        }
    }
}
