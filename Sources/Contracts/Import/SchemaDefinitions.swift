import Journaling

/// A JSON Schema with `$defs`: it says how messages look, not who sends them. What the contract declares and says no form
/// of gets the schema of that name, or of the definition whose type value is that name.
struct SchemaDefinitions {
    let own: Document
    let defined: Document

    func contract(_ references: inout ImportReferences) -> Document {
        guard let fields = own.map else { return own }
        var used: Set<String> = []
        let type = own["wire"]?["type"]?.scalar?.text
        var byType: [String: Document.Field] = [:]
        for field in defined.map ?? [] {
            guard let type, let name = constant(field.value, type, &references), byType[name] == nil else { continue }
            byType[name] = field
        }
        var result: [Document.Field] = []
        for field in fields {
            guard ["requests", "events"].contains(field.key), let messages = field.value.map else {
                result.append(field)
                continue
            }
            let filled = messages.map { message -> Document.Field in
                let known = defined.map?.first { $0.key == message.key } ?? byType[message.key]
                guard let known, message.value["shape"] == nil, message.value["schema"] == nil else {
                    if let known { used.insert(known.key) }
                    return message
                }
                used.insert(known.key)
                let schema = Document.Field(key: "schema", mark: known.mark, value: references.inlined(known.value))
                let whole = Document(.map((message.value.map ?? []) + [schema]), mark: message.value.mark)
                return Document.Field(key: message.key, mark: message.mark, value: whole)
            }
            result.append(.init(key: field.key, mark: field.mark, value: Document(.map(filled), mark: field.value.mark)))
        }
        for field in defined.map ?? [] where !used.contains(field.key) && byType.values.contains(where: { $0.key == field.key }) {
            references.warn(
                field.mark, "the definition \(field.key) is used by no message",
                remedy: "a schema does not say who sends it: declare it in requests or events")
        }
        return Document(.map(result), mark: own.mark)
    }

    private func constant(_ schema: Document, _ type: String, _ references: inout ImportReferences) -> String? {
        guard let (value, _) = references.resolved(schema), let property = value["properties"]?[type] else { return nil }
        let only = property["const"] ?? property["enum"]?.list.flatMap { $0.count == 1 ? $0.first : nil }
        return only?.scalar?.text
    }
}
