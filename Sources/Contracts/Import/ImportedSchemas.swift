import Journaling

/// Schemas with their references written out, so that each stands by itself in a contract.
extension ImportReferences {
    /// One that holds itself keeps that reference, to `$defs` of its own. Of what cannot be followed stays a schema that is
    /// open: nobody knows what it says, and so it can make nothing wrong, wherever it stands.
    mutating func inlined(_ schema: Document) -> Document {
        circles = []
        var place = SchemaPlace()
        place.isElsewhere = schema["$id"].map(Self.isAddress) ?? false && schema != root
        let whole = copy(schema, place)
        var definitions: [Document.Field] = []
        while definitions.count < circles.count {
            let (pointer, name) = circles[definitions.count]
            let reference = Document(.map([ContractImport.field("$ref", .init(text: pointer, isPlain: false), schema.mark)]), mark: schema.mark)
            let value = followed(reference, pointer, SchemaPlace()) ?? Self.open(schema.mark)
            definitions.append(.init(key: name, mark: value.mark, value: value))
        }
        guard !definitions.isEmpty, let fields = whole.map else { return whole }
        let holder = Document(.map(definitions), mark: whole.mark)
        return Document(.map(fields + [.init(key: "$defs", mark: whole.mark, value: holder)]), mark: whole.mark)
    }

    /// Where in the schema in hand something stands.
    private struct SchemaPlace {
        /// References that are being written out, outermost first; how many of them lead elsewhere than to this very value.
        var within: [String] = []
        var above = 0
        var depth = 0
        /// References start from an address of their own.
        var isElsewhere = false

        var below: SchemaPlace {
            var place = self
            place.depth += 1
            return place
        }
        /// At another value than before.
        var inside: SchemaPlace {
            var place = below
            place.above = within.count
            return place
        }
    }

    private static func open(_ mark: Mark) -> Document {
        Document(.map([ContractImport.field(SchemaCompiler.openKey, .init(text: "true", isPlain: true), mark)]), mark: mark)
    }

    private static func isAddress(_ id: Document) -> Bool { id.scalar.map { !$0.text.isEmpty && !$0.text.hasPrefix("#") } ?? false }

    private mutating func copy(_ document: Document, _ place: SchemaPlace) -> Document {
        guard isAffordable(document, place) else { return Self.open(document.mark) }
        guard let fields = document.map else { return verbatim(document, place) }
        var place = place
        if place.depth > 0, let id = document["$id"], Self.isAddress(id) { place.isElsewhere = true }
        if let reference = document["$ref"]?.scalar?.text {
            let siblings = fields.filter { $0.key != "$ref" && !SchemaCompiler.holders.contains($0.key) }
            let target = referred(document, reference, place)
            guard !dropsSiblings, !siblings.isEmpty else { return target }
            let rest = copy(Document(.map(siblings), mark: document.mark), place.below)
            return Document(
                .map([.init(key: "allOf", mark: document.mark, value: Document(.list([target, rest]), mark: document.mark))]),
                mark: document.mark)
        }
        // Every reference is written out: nothing needs an address any more.
        let kept = fields.filter { !SchemaCompiler.holders.contains($0.key) && $0.key != "$id" }
        var copied: [Document.Field] = []
        for field in kept { copied.append(.init(key: field.key, mark: field.mark, value: keyword(field, place))) }
        return Document(.map(copied), mark: document.mark)
    }

    private mutating func keyword(_ field: Document.Field, _ place: SchemaPlace) -> Document {
        let value = field.value
        switch field.key {
        case "properties", "patternProperties":
            return named(value, place.inside)
        case "dependentSchemas", "dependencies":
            return named(value, place.below)
        case "additionalProperties", "additionalItems", "contains", "propertyNames", "unevaluatedItems", "unevaluatedProperties":
            return copy(value, place.inside)
        case "items", "prefixItems":
            return value.list.map { list($0, value.mark, place.inside) } ?? copy(value, place.inside)
        case "allOf", "anyOf", "oneOf":
            return value.list.map { list($0, value.mark, place.below) } ?? verbatim(value, place)
        case "not", "if", "then", "else":
            return copy(value, place.below)
        default:
            // A value, not a schema: what looks like a reference or a keyword is none.
            return verbatim(value, place.below)
        }
    }

    /// The keys are names of members.
    private mutating func named(_ value: Document, _ place: SchemaPlace) -> Document {
        guard let fields = value.map else { return verbatim(value, place) }
        var copied: [Document.Field] = []
        for field in fields {
            let inner = field.value.list == nil ? copy(field.value, place) : verbatim(field.value, place)
            copied.append(.init(key: field.key, mark: field.mark, value: inner))
        }
        return Document(.map(copied), mark: value.mark)
    }

    private mutating func list(_ items: [Document], _ mark: Mark, _ place: SchemaPlace) -> Document {
        var copied: [Document] = []
        for item in items { copied.append(copy(item, place)) }
        return Document(.list(copied), mark: mark)
    }

    private mutating func verbatim(_ document: Document, _ place: SchemaPlace) -> Document {
        var left = [document]
        while let next = left.popLast() {
            nodes -= 1
            left += next.list ?? next.map?.map(\.value) ?? []
        }
        return isAffordable(document, place) ? document : Document(.list([]), mark: document.mark)
    }

    // MARK: References

    private mutating func referred(_ document: Document, _ reference: String, _ place: SchemaPlace) -> Document {
        // Only a whole AsyncAPI document has components.
        if place.isElsewhere, !reference.hasPrefix("#/components/") || root["components"] == nil {
            warn(document.mark, "the reference \"\(reference)\" starts from an $id and is not followed; what it forbids is not judged")
            return Self.open(document.mark)
        }
        if let first = place.within.firstIndex(of: reference) {
            if first >= place.above {
                warn(
                    document.mark, "the schema \"\(reference)\" leads back to itself without going into the value",
                    remedy: "what it forbids there is not judged")
                return Self.open(document.mark)
            }
            let pointer = "#/$defs/" + circle(reference)
            return Document(.map([ContractImport.field("$ref", .init(text: pointer, isPlain: false), document.mark)]), mark: document.mark)
        }
        return followed(document, reference, place) ?? Self.open(document.mark)
    }

    private mutating func followed(_ document: Document, _ reference: String, _ place: SchemaPlace) -> Document? {
        guard let (value, _) = resolved(document) else { return nil }
        var place = place
        place.within.append(reference)
        return copy(value, place)
    }

    /// What a schema that holds itself is called below `$defs`.
    private mutating func circle(_ reference: String) -> String {
        if let known = circles.first(where: { $0.pointer == reference }) { return known.name }
        let last = (ImportedPath.last(reference) ?? "").filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
        let plain = last.isEmpty ? "schema" : String(last.prefix(64))
        let isTaken = circles.contains { $0.name == plain }
        let name = isTaken ? "\(plain)-\(circles.count + 1)" : plain
        circles.append((reference, name))
        return name
    }

    private mutating func isAffordable(_ document: Document, _ place: SchemaPlace) -> Bool {
        nodes -= 1
        if nodes <= 0 {
            fail(document.mark, "the schemas are too large when every $ref is written out", remedy: "make them smaller (limit L6)")
            return false
        }
        guard place.depth < deepest else {
            warn(
                document.mark, "the schema is nested too deep; what is below is not looked at",
                remedy: "at most \(deepest) levels (limit L6)")
            return false
        }
        return true
    }
}
