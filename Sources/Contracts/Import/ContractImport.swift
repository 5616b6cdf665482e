package import Journaling

/// `import: FILE` of a contract (contract.md, "Keys"): the messages of an AsyncAPI 2.6 or 3.0 document, or of a JSON
/// Schema with `$defs`, as keys of the contract language. What the contract says itself wins; what could not be used is
/// said as warnings.
package struct ContractImport {
    private var references: ImportReferences
    private let own: Document
    private let file: Document
    var messages: [ImportedMessage] = []
    var paths: [Document] = []
    var credentials: [Document] = []
    var links: [Document] = []

    /// - Parameters:
    ///   - file: the imported document.
    ///   - own: the contract that imports it, with all that it extends.
    package init(_ file: Document, own: Document) {
        self.file = file
        self.own = own
        references = ImportReferences(file)
    }

    package var problems: [ConfigurationError] { references.problems }

    /// The contract with everything that it imports laid under it.
    package mutating func contract() -> Document {
        // Both are changed while it is read.
        var references = references
        defer { self.references = references }
        if let version = file["asyncapi"] {
            let text = version.scalar?.text ?? ""
            if text.hasPrefix("2.") {
                var reader = AsyncAPI2(file)
                reader.read(&self, &references)
            } else if text.hasPrefix("3.") {
                var reader = AsyncAPI3(file)
                reader.read(&self, &references)
            } else {
                references.fail(version.mark, "AsyncAPI \(text) cannot be imported", remedy: "2.x and 3.x can")
                return own
            }
        } else if let definitions = file["$defs"] ?? file["definitions"], file["openapi"] == nil {
            return SchemaDefinitions(own: own, defined: definitions).contract(&references)
        } else {
            references.fail(
                file.mark, "this file is neither AsyncAPI nor a JSON Schema with $defs",
                remedy: "an AsyncAPI file says asyncapi: 3.0.0, a schema has $defs")
            return own
        }
        return fragment(&references).extended(by: own)
    }

    // MARK: As keys of a contract

    private func fragment(_ references: inout ImportReferences) -> Document {
        let names = ImportedNames(messages, own: own["wire"]?["type"]?.scalar?.text)
        var kinds: [ImportedKind] = []
        var places: [String: Int] = [:]
        for message in messages {
            let known = names.known(message)
            let key = (message.isRequest ? "> " : "< ") + known.name
            if let place = places[key] {
                kinds[place].messages.append(message)
            } else {
                places[key] = kinds.count
                kinds.append(.init(known: known, messages: [message]))
            }
        }
        let requests = fields(of: kinds.filter { $0.messages[0].isRequest }, "requests", names, &references)
        let events = fields(of: kinds.filter { !$0.messages[0].isRequest }, "events", names, &references)
        var fields: [Document.Field] = []
        var wire: [Document.Field] = []
        if let type = names.type, own["wire"]?["type"] == nil { wire.append(Self.field("type", .init(text: type, isPlain: false), file.mark)) }
        // What is undeclared may be one of those that nothing tells.
        if kinds.contains(where: { !$0.known.isSure && !$0.messages[0].isRequest }), own["wire"]?["unknown"] == nil {
            wire.append(Self.field("unknown", .init(text: "note", isPlain: false), file.mark))
        }
        if !paths.isEmpty { wire.append(.init(key: "paths", mark: file.mark, value: Document(.list(paths), mark: file.mark))) }
        if !wire.isEmpty { fields.append(.init(key: "wire", mark: file.mark, value: Document(.map(wire), mark: file.mark))) }
        if !credentials.isEmpty {
            let list = Document(.list(credentials), mark: file.mark)
            let inner = Document(.map([.init(key: "credential", mark: file.mark, value: list)]), mark: file.mark)
            fields.append(.init(key: "identity", mark: file.mark, value: inner))
        }
        for (key, list) in [("requests", requests), ("events", events)] where !list.isEmpty {
            fields.append(.init(key: key, mark: file.mark, value: Document(.map(list), mark: file.mark)))
        }
        if !links.isEmpty { fields.append(.init(key: "link", mark: file.mark, value: Document(.list(links), mark: file.mark))) }
        return Document(.map(fields), mark: file.mark)
    }

    private func fields(
        of kinds: [ImportedKind], _ section: String, _ names: ImportedNames, _ references: inout ImportReferences
    ) -> [Document.Field] {
        var fields: [Document.Field] = []
        var isWhole = true
        for kind in kinds {
            var message = kind.merged(&references)
            let own = own[section]?[kind.known.name]
            if !kind.known.isSure, own?["match"] == nil {
                isWhole = false
                references.warn(
                    message.mark, names.type.map { "\(message.name) has no value of its own at \($0); it is known by its name alone" }
                        ?? "nothing tells \(message.name) from other messages; its schema is left out",
                    remedy: "give it a match in \(section)")
                if names.type == nil {
                    message.schema = nil
                    if own == nil { continue }
                }
            }
            let answers = answers(of: message, isSure: kind.known.isSure, names, &references)
            fields.append(message.field(name: kind.known.name, match: kind.known.match, answers: answers, own: own, &references))
        }
        // A request of the document that nothing tells is no unknown one.
        if !isWhole, section == "requests", let mark = kinds.first?.messages[0].mark {
            let any = Self.field("match", .init(text: "<any>", isPlain: false), mark)
            let inner: [Document.Field] = names.type == nil ? [any] : []
            let taken = Set(fields.map(\.key) + (own[section]?.map ?? []).map(\.key))
            let name = names.type == nil ? ["other", "any-other", "what-is-left"].first { !taken.contains($0) } ?? "other-request" : "*"
            if !taken.contains(name) { fields.append(.init(key: name, mark: mark, value: Document(.map(inner), mark: mark))) }
        }
        return fields
    }

    /// Names of the messages that answer this one. None, when one of them may come and not be known.
    private func answers(
        of message: ImportedMessage, isSure: Bool, _ names: ImportedNames, _ references: inout ImportReferences
    ) -> [String] {
        var found: [String] = []
        for answer in message.answers {
            guard let other = messages.first(where: { $0.id == answer && $0.isRequest != message.isRequest }) else { continue }
            let known = names.known(other)
            // Where all go by their names, both do or none.
            guard known.isSure || !isSure && names.type != nil && names.areTypesUnsaid else {
                references.warn(message.mark, "\(message.name) owes no answer, because nothing tells \(other.name) from other messages")
                return []
            }
            if !found.contains(known.name) { found.append(known.name) }
        }
        return found
    }

    static func field(_ key: String, _ scalar: Document.Scalar, _ mark: Mark) -> Document.Field {
        .init(key: key, mark: mark, value: Document(.scalar(scalar), mark: mark))
    }
}
