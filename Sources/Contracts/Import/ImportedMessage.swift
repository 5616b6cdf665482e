import Journaling

/// One message of an imported document.
struct ImportedMessage {
    /// A member of the payload that has one possible text.
    struct Constant: Hashable {
        var path: String
        var value: String
    }
    /// The place that it was read from, so that answers can name it.
    var id: String
    var name: String
    var isRequest: Bool
    var mark: Mark
    /// Its payload's schema, references written out; nil = anything.
    var schema: Document?
    /// Members of the payload that have one possible text.
    var constants: [Constant] = []
    var examples: [Document] = []
    /// Ids of the messages that answer it.
    var answers: [String] = []
    /// Where the payload holds what joins a request and its answer.
    var correlation: String?

    /// As an entry of `requests` or `events`. What the contract says itself about the form of a message stands alone.
    func field(
        name: String, match: Document?, answers: [String], own: Document?, _ references: inout ImportReferences
    ) -> Document.Field {
        var fields: [Document.Field] = []
        let isOwn = own?["shape"] != nil || own?["schema"] != nil
        if let match, own?["match"] == nil { fields.append(.init(key: "match", mark: mark, value: match)) }
        if let schema, !isOwn { fields.append(.init(key: "schema", mark: schema.mark, value: schema)) }
        if !answers.isEmpty {
            let list = answers.map { Document(.scalar(.init(text: $0, isPlain: false)), mark: mark) }
            fields.append(.init(key: "answer", mark: mark, value: Document(.list(list), mark: mark)))
        }
        if !examples.isEmpty, own?["examples"] == nil {
            fields.append(.init(key: "examples", mark: mark, value: Document(.list(examples), mark: mark)))
        }
        return Document.Field(key: name, mark: mark, value: Document(.map(fields), mark: mark))
    }
}

extension ImportedMessage {
    /// Reads a message object of AsyncAPI 2.x or 3.x.
    /// - Parameters:
    ///   - key: what it is called where it stands.
    ///   - id: its place, or the place that it was reached by.
    static func reading(
        _ document: Document, key: String, id: String, isRequest: Bool, _ references: inout ImportReferences
    ) -> ImportedMessage {
        let name = document["name"]?.scalar?.text ?? document["messageId"]?.scalar?.text ?? key
        var message = ImportedMessage(id: id, name: name, isRequest: isRequest, mark: document.mark)
        message.readPayload(document, &references)
        for item in (document["examples"]?.list ?? []).prefix(8) {
            if let payload = item["payload"] { message.examples.append(payload) }
        }
        if let correlation = document["correlationId"], let (value, _) = references.resolved(correlation) {
            message.correlation = Self.path(value["location"], &references)
        }
        for unused in ["traits", "bindings", "headers"] {
            if let found = document[unused] { references.warn(found.mark, "\(unused) of the message \(name) cannot be used") }
        }
        return message
    }

    private mutating func readPayload(_ document: Document, _ references: inout ImportReferences) {
        guard let written = document["payload"] else { return }
        if let content = document["contentType"], let text = content.scalar?.text, !text.lowercased().contains("json") {
            return references.warn(content.mark, "the payload of \(name) is \(text), which has no JSON fields",
                remedy: "its schema is left out")
        }
        guard var (payload, _) = references.resolved(written) else { return }
        let format = payload["schemaFormat"] ?? document["schemaFormat"]
        if let format, let text = format.scalar?.text, !Self.isJSONSchema(text) {
            return references.warn(format.mark, "the payload of \(name) is described in \(text), which cannot be read",
                remedy: "its schema is left out")
        }
        if payload["schemaFormat"] != nil, let inner = payload["schema"] {
            guard let (found, _) = references.resolved(inner) else { return }
            payload = found
        }
        let whole = references.inlined(payload)
        schema = whole
        constants = Self.constants(of: whole)
    }

    private static func isJSONSchema(_ format: String) -> Bool {
        let text = format.lowercased()
        return text.hasPrefix("application/schema+json") || text.hasPrefix("application/schema+yaml")
            || text.hasPrefix("application/vnd.aai.asyncapi")
    }

    /// Properties that may be one text only: `const`, or an `enum` of one; one deep, and through `allOf`.
    private static func constants(of schema: Document) -> [Constant] {
        var found: [Constant] = []
        let parts = [schema] + (schema["allOf"]?.list ?? [])
        for property in parts.flatMap({ $0["properties"]?.map ?? [] }) {
            let only = property.value["const"] ?? property.value["enum"]?.list.flatMap { $0.count == 1 ? $0.first : nil }
            guard let text = only?.scalar, !text.isNull, text.bool == nil, text.number == nil || !text.isPlain else { continue }
            guard let step = InferredName.step(property.key) else { continue }
            if !found.contains(where: { $0.path == step }) { found.append(Constant(path: step, value: text.text)) }
        }
        return found
    }

    /// `$message.payload#/meta/id` is meta.id.
    private static func path(_ location: Document?, _ references: inout ImportReferences) -> String? {
        guard let location, let text = location.scalar?.text else { return nil }
        let head = "$message.payload#/"
        guard text.hasPrefix(head) else {
            references.warn(location.mark, "the correlationId at \(text) cannot be used",
                remedy: "over a WebSocket it must be in the payload: \(head)NAME")
            return nil
        }
        var path = ""
        for part in text.dropFirst(head.count).split(separator: "/") {
            guard let step = InferredName.step(String(part)) else { return nil }
            path = InferredName.join(path, step)
        }
        return path.isEmpty ? nil : path
    }
}
