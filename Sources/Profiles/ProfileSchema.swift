import Faults
import Journaling
package import Wire

/// The JSON Schema of profiles (draft 2020-12) for editors, made from the registry: `# yaml-language-server: $schema=FILE`.
package enum ProfileSchema {
    package static var json: JSON {
        object([
            ("$schema", .string("https://json-schema.org/draft/2020-12/schema")),
            ("title", .string("Miswire profile, version \(ProfileReader.version)")),
            ("type", .string("object")),
            ("required", list(["miswire", "name"])),
            ("additionalProperties", .bool(false)),
            ("properties", object([
                ("miswire", object([("const", .number("\(ProfileReader.version)")), doc("version of the format, the first key")])),
                ("name", object([("type", list(["string", "integer"])), ("pattern", .string("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"))])),
                ("about", orNull(text("what it does, in a sentence or two"))),
                ("extends", orNull(text("a profile by name or file, over which this one is laid; faults merge by id, null removes"))),
                ("contract", orNull(text("a contract by name or file"))),
                ("seed", object([("type", list(["integer", "null"])), ("minimum", .number("0")), doc("seed of every decision")])),
                ("scope", orNull(scope)),
                (
                    "faults",
                    object([("type", list(["array", "null"])), ("maxItems", .number("\(Limits.standard.faults)")), ("items", fault)])
                ),
            ])),
            ("$defs", object([
                ("ordinal", ordinal), ("bound", bound), ("texts", texts),
            ])),
        ])
    }

    /// Indented, so that people can read it.
    package static var text: String { json.indented + "\n" }

    // MARK: Parts

    private static var scope: JSON {
        closed([
            ("paths", orNull(reference("texts"))), ("users", orNull(reference("texts"))),
            ("share", orNull(unit(.share))),
            ("expires", orNull(any([unit(.duration), object([("const", .string("never"))])]))),
            ("budget", orNull(closed([("per-connection", orNull(unit(.count))), ("total", orNull(unit(.count)))]))),
        ], "who may be concerned, and how much: the blast radius")
    }

    private static var when: JSON {
        let conditions = [
            ("connection", reference("ordinal")), ("message", reference("ordinal")),
            ("user", text("whose, with `*` for any characters")), ("path", text("of the upgrade, with `*`")),
            ("to", choice(["server", "client"])), ("match", object([("type", list(["object", "string", "number", "boolean"]))])),
            ("opcode", opcode), ("after", reference("bound")),
            ("until", reference("bound")), ("during", choice(["run"])),
        ]
        return closed(conditions.map { ($0.0, orNull($0.1)) }, "conditions, all of which must hold")
    }

    private static var opcode: JSON {
        any([
            choice(["text", "binary", "close", "ping", "pong"]), pattern("^0*([1-9]|1[0-5])$"),
            object([("type", .string("integer")), ("minimum", .number("1")), ("maximum", .number("15"))]),
        ])
    }

    private static var ordinal: JSON {
        object([
            ("type", .string("string")),
            ("pattern", .string("^((nth|every|first) +[1-9][0-9]*|share +" + percent + ")$")),
        ])
    }

    private static var bound: JSON {
        any([
            object([("type", .string("integer")), ("minimum", .number("0"))]), unit(.duration), object([("type", .string("object"))]),
        ])
    }

    private static var texts: JSON { any([text(""), object([("type", .string("array")), ("items", text(""))])]) }

    private static var fault: JSON {
        let kinds = FaultRegistry.all
        let codes = "( +[1-4][0-9]{3})*"
        let within = "( +within +" + durationPattern + ")?"
        let expectation = "^((refused|recovers|delivered|error +event|nothing +lost)" + within + "|closed" + codes + within + ")$"
        var branches = kinds.map { kind in
            let required = kind.parameters.filter(\.required).map(\.name)
            return object([
                ("if", object([("properties", object([("fault", object([("const", .string(kind.name))]))])), ("required", list(["fault"]))])),
                ("then", object([("properties", object(kind.parameters.map { ($0.name, parameter($0)) }))]
                    + (required.isEmpty ? [] : [("required", list(required))]))),
            ])
        }
        // Without a kind it changes, or takes away, a fault of the profile that is extended.
        var names: [String] = []
        for kind in kinds { for parameter in kind.parameters where !names.contains(parameter.name) { names.append(parameter.name) } }
        branches.append(
            object([
                ("if", object([("not", object([("required", list(["fault"]))]))])),
                ("then", object([
                    ("required", list(["id"])),
                    ("properties", object([("off", object([("const", .bool(true))]))] + names.map { ($0, .bool(true)) })),
                ])),
            ]))
        return object([
            ("type", .string("object")),
            ("properties", object([
                ("id", object([("type", list(["string", "integer"])), ("pattern", .string("^[a-z0-9-]{1,64}$"))])),
                ("fault", object([("enum", list(kinds.map { $0.name }))])),
                ("when", orNull(when)),
                ("expect", object([("type", .string("string")), ("pattern", .string(expectation))])),
            ])),
            ("allOf", .array(branches)),
            ("unevaluatedProperties", .bool(false)),
        ])
    }

    private static func parameter(_ parameter: Parameter) -> JSON {
        guard case .object(var members) = unit(parameter.unit) else { return .bool(true) }
        members.append(JSON.Member(key: "description", value: .string(parameter.doc)))
        if let value = parameter.default { members.append(JSON.Member(key: "default", value: .string(value))) }
        return .object(members)
    }

    // MARK: Units

    private static let amount = "[0-9]+(\\.[0-9]*)?"
    private static let durationPattern = "(0|" + amount + "(us|ms|s|m|h))"
    private static let percent = "(100(\\.0*)?|[0-9]{1,2}(\\.[0-9]*)?|0[0-9]*(\\.[0-9]*)?)%"

    private static func unit(_ unit: Parameter.Unit) -> JSON {
        switch unit {
        case .duration: any([pattern("^" + durationPattern + "$"), object([("const", .number("0"))])])
        case .bytes: any([pattern("^" + amount + "(KiB|MiB|GiB|B)$"), whole, pattern("^[0-9]+$")])
        case .rate: any([pattern("^(0|" + amount + "(KB|MB|KiB|MiB|GiB|B)/s)$"), object([("const", .number("0"))])])
        case .share: pattern("^" + percent + "$")
        case .count: any([whole, pattern("^[0-9]+$")])
        case .text: text("")
        case .choice(let words): choice(words)
        case .choices(let words): any([choice(words), object([("type", .string("array")), ("items", choice(words))])])
        case .names: reference("texts")
        }
    }

    /// A word that looks like a number, or a truth, is one to an editor.
    private static func choice(_ words: [String]) -> JSON {
        let plain = words.flatMap { word -> [JSON] in
            if word.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 || $0 == 0x2e }), Double(word) != nil { return [.string(word), .number(word)] }
            if word == "true" || word == "false" { return [.string(word), .bool(word == "true")] }
            return [.string(word)]
        }
        return object([("enum", .array(plain))])
    }

    private static var whole: JSON { object([("type", .string("integer")), ("minimum", .number("0"))]) }
    private static func pattern(_ text: String) -> JSON { object([("type", .string("string")), ("pattern", .string(text))]) }
    private static func reference(_ name: String) -> JSON { object([("$ref", .string("#/$defs/" + name))]) }
    private static func any(_ choices: [JSON]) -> JSON { object([("anyOf", .array(choices))]) }
    /// Null is as if it were not there, and removes what the profile that is extended says.
    private static func orNull(_ schema: JSON) -> JSON { any([schema, object([("type", .string("null"))])]) }
    private static func list(_ words: [String]) -> JSON { .array(words.map { .string($0) }) }
    private static func doc(_ text: String) -> (String, JSON) { ("description", .string(text)) }
    private static func text(_ about: String) -> JSON {
        object([("type", list(["string", "number", "boolean"])), ("minLength", .number("1"))] + (about.isEmpty ? [] : [doc(about)]))
    }
    private static func closed(_ properties: [(String, JSON)], _ about: String? = nil) -> JSON {
        object(
            [("type", list(["object"])), ("additionalProperties", .bool(false)), ("properties", object(properties))]
                + (about.map { [doc($0)] } ?? []))
    }
    private static func object(_ members: [(String, JSON)]) -> JSON {
        .object(members.map { JSON.Member(key: $0.0, value: $0.1) })
    }
}

extension JSON {
    /// One member or element a line.
    fileprivate var indented: String { indented("") }

    private func indented(_ space: String) -> String {
        let inner = space + "  "
        switch self {
        case .object(let members) where !members.isEmpty:
            let lines = members.map { inner + JSON.string($0.key).text + ": " + $0.value.indented(inner) }
            return "{\n" + lines.joined(separator: ",\n") + "\n" + space + "}"
        case .array(let elements) where elements.contains(where: { if case .object = $0 { true } else { false } }):
            return "[\n" + elements.map { inner + $0.indented(inner) }.joined(separator: ",\n") + "\n" + space + "]"
        default: return text
        }
    }
}
