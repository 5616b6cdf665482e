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
        let type = typePath()
        var requests: [Document.Field] = []
        var events: [Document.Field] = []
        var seen: Set<String> = []
        for message in messages {
            let (name, match) = message.recognised(by: type)
            guard seen.insert((message.isRequest ? "> " : "< ") + name).inserted else { continue }
            let section = message.isRequest ? "requests" : "events"
            let field = message.field(name: name, match: match, answers: answers(of: message, type), own: own[section]?[name],
                &references)
            if message.isRequest { requests.append(field) } else { events.append(field) }
        }
        var fields: [Document.Field] = []
        var wire: [Document.Field] = []
        if let type, own["wire"]?["type"] == nil { wire.append(Self.field("type", .init(text: type, isPlain: false), file.mark)) }
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

    /// Names of the messages that answer this one.
    private func answers(of message: ImportedMessage, _ type: String?) -> [String] {
        var names: [String] = []
        for answer in message.answers {
            guard let found = messages.first(where: { $0.id == answer && $0.isRequest != message.isRequest }) else { continue }
            let name = found.recognised(by: type).name
            if !names.contains(name) { names.append(name) }
        }
        return names
    }

    /// `wire.type` of the contract, or the member that has one value of its own in the payload of every message.
    private func typePath() -> String? {
        if let own = own["wire"]?["type"]?.scalar?.text { return own }
        guard let first = messages.first else { return nil }
        return first.constants.map(\.path).first { path in messages.allSatisfy { message in message.constants.contains { $0.path == path } } }
    }

    static func field(_ key: String, _ scalar: Document.Scalar, _ mark: Mark) -> Document.Field {
        .init(key: key, mark: mark, value: Document(.scalar(scalar), mark: mark))
    }
}
