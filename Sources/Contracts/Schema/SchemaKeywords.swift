import Journaling
import Wire

/// What each keyword of a schema becomes.
extension SchemaCompiler {
    mutating func keyword(_ field: Document.Field, of index: Int, _ pointer: String?) {
        let value = field.value
        switch field.key {
        case "type": nodes[index].types = kinds(value)
        case "const": nodes[index].constant = SchemaChoices([value.json])
        case "enum": nodes[index].choices = choices(value)
        case "required": nodes[index].required = names(value, of: index)
        case "properties":
            for member in mapping(value, field.key) {
                nodes[index].properties[member.key] = below(member.value, pointer, field.key, member.key)
            }
        case "additionalProperties": nodes[index].additional = below(value, pointer, field.key)
        case "prefixItems": nodes[index].prefix = list(value, field.key, pointer)
        case "items": items(value, of: index, pointer)
        case "minItems": nodes[index].itemCount.least = count(value, field.key)
        case "maxItems": nodes[index].itemCount.most = count(value, field.key)
        case "minLength": nodes[index].length.least = count(value, field.key)
        case "maxLength": nodes[index].length.most = count(value, field.key)
        case "pattern": pattern(value, of: index)
        case "minimum": bound(.least, value, field.key, of: index)
        case "maximum": bound(.most, value, field.key, of: index)
        case "exclusiveMinimum": bound(.above, value, field.key, of: index)
        case "exclusiveMaximum": bound(.below, value, field.key, of: index)
        case "allOf": nodes[index].allOf = list(value, field.key, pointer)
        case "anyOf": nodes[index].anyOf = list(value, field.key, pointer)
        case "oneOf": nodes[index].oneOf = list(value, field.key, pointer)
        case "not": nodes[index].not = below(value, pointer, field.key)
        case "$ref": refer(value, from: index)
        case "$defs", "definitions":
            for member in mapping(value, field.key) { _ = below(member.value, pointer, field.key, member.key) }
        default: ignore(field, of: index)
        }
    }

    /// Keywords that only tell people something.
    private static let notes: Set<String> = [
        "$schema", "$comment", "title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly",
        "contentEncoding", "contentMediaType", "contentSchema", "externalDocs", "xml", "discriminator", "$vocabulary", "$id", "id",
        "$anchor",
    ]

    /// Stands for a schema that could not be taken over by an import: anything may be right, and anything wrong.
    static let openKey = "x-miswire-open"

    /// Keywords of other drafts and dialects, with the values of which they speak.
    private static let foreign: [String: SchemaKinds] = [
        "multipleOf": [.number], "uniqueItems": [.array], "contains": [.array], "minContains": [.array], "maxContains": [.array],
        "additionalItems": [.array], "unevaluatedItems": [.array], "patternProperties": [.object], "propertyNames": [.object],
        "minProperties": [.object], "maxProperties": [.object], "dependencies": [.object], "dependentRequired": [.object],
        "dependentSchemas": [.object], "unevaluatedProperties": [.object], "format": [.string, .number], "nullable": [.null],
    ]

    private mutating func ignore(_ field: Document.Field, of index: Int) {
        let key = field.key
        if key == Self.openKey {
            nodes[index].isOpenFor = .all
            nodes[index].areMembersKnown = false
            return
        }
        if Self.notes.contains(key) || key.hasPrefix("x-") { return }
        nodes[index].isOpenFor.formUnion(Self.foreign[key] ?? .all)
        if key == "patternProperties" || key == "$dynamicRef" || key == "$recursiveRef" { nodes[index].areMembersKnown = false }
        // A format is a note to people, and to whoever generates values.
        if key == "format" { return }
        let known = ["type", "properties", "additionalProperties", "required", "items", "enum", "const", "pattern", "oneOf", "anyOf"]
        let near = Self.foreign[key] == nil ? Nearest.word(to: key, among: known).map { "nearest: \($0)" } : nil
        warn(field.mark, "keyword \"\(key)\" is ignored; what it forbids is not judged", near)
    }

    // MARK: Values of keywords

    private mutating func mapping(_ value: Document, _ keyword: String) -> [Document.Field] {
        if let fields = value.map { return fields }
        fail(value.mark, "\(keyword) needs a mapping", "found \(value.found)")
        return []
    }

    private mutating func kinds(_ value: Document) -> SchemaKinds? {
        var kinds: SchemaKinds = []
        for item in value.list ?? [value] {
            // `null` is a word here, quoted or not.
            let word = item.scalar?.text ?? ""
            if let kind = SchemaKinds.words.first(where: { $0.word == word })?.kind {
                kinds.formUnion(kind)
            } else {
                let near = Nearest.word(to: word, among: SchemaKinds.words.map(\.word)).map { "nearest: \($0)" }
                fail(
                    item.mark, "type needs one of null, boolean, integer, number, string, array, object",
                    near ?? "found \(item.found)")
                kinds = .all
            }
        }
        if value.list?.isEmpty == true { fail(value.mark, "type needs at least one word") }
        return kinds
    }

    private mutating func choices(_ value: Document) -> SchemaChoices? {
        guard let items = value.list, !items.isEmpty else {
            fail(value.mark, "enum needs a list of values", "found \(value.found)")
            return nil
        }
        return SchemaChoices(items.map(\.json))
    }

    private mutating func names(_ value: Document, of index: Int) -> [String] {
        // Draft 3 wrote it beside the member that it is about.
        if value.scalar?.bool != nil {
            nodes[index].isOpenFor = .all
            warn(value.mark, "\"required\" is ignored; what it forbids is not judged", "write required: [NAME, …] one level up")
            return []
        }
        return (value.list ?? [value]).compactMap { item in
            if let scalar = item.scalar, !scalar.isNull { return scalar.text }
            fail(item.mark, "required needs names of members", "found \(item.found)")
            return nil
        }
    }

    private mutating func list(_ value: Document, _ keyword: String, _ pointer: String?) -> [Int] {
        guard let items = value.list, !items.isEmpty else {
            fail(value.mark, "\(keyword) needs a list of schemas", "found \(value.found)")
            return []
        }
        return items.enumerated().map { below($0.element, pointer, keyword, "\($0.offset)") }
    }

    /// Older drafts wrote `prefixItems` as a list below `items`.
    private mutating func items(_ value: Document, of index: Int, _ pointer: String?) {
        if value.list != nil {
            nodes[index].prefix = list(value, "items", pointer)
        } else {
            nodes[index].items = below(value, pointer, "items")
        }
    }

    private mutating func count(_ value: Document, _ keyword: String) -> Int? {
        if case .number(let text) = value.json, let count = JSONNumber(text)?.integer, count >= 0 { return count }
        fail(value.mark, "\(keyword) needs a number from 0", "found \(value.found)")
        return nil
    }

    private mutating func bound(_ relation: SchemaBound.Relation, _ value: Document, _ keyword: String, of index: Int) {
        if case .number(let text) = value.json, let number = JSONNumber(text) {
            nodes[index].bounds.append(SchemaBound(relation: relation, text: text, value: number))
        } else if value.scalar?.bool != nil, relation == .above || relation == .below {
            // Draft 4 wrote whether the bound beside it is meant so.
            nodes[index].isOpenFor.formUnion(.number)
            warn(value.mark, "\(keyword): \(value.scalar?.text ?? "") is ignored; what it forbids is not judged", "write the number")
        } else {
            fail(value.mark, "\(keyword) needs a number", "found \(value.found)")
        }
    }

    private mutating func pattern(_ value: Document, of index: Int) {
        guard let text = value.scalar?.text else { return fail(value.mark, "pattern needs a text", "found \(value.found)") }
        do throws(PartError) { nodes[index].pattern = try SchemaPattern(text) } catch {
            nodes[index].isOpenFor.formUnion(.string)
            warn(value.mark, "pattern \"\(text)\" is ignored; what it forbids is not judged: \(error.message)", error.remedy)
        }
    }
}
