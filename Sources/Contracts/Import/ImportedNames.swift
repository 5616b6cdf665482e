import Journaling

/// How the messages of an imported document are told from each other: by the value at one path, or each by what it alone
/// says.
struct ImportedNames {
    /// `wire.type` of the contract, or the path at which the most of them say something different.
    let type: String?
    private let messages: [ImportedMessage]
    /// What several messages of a direction say.
    private var shared: [Bool: Set<ImportedMessage.Constant>] = [:]

    /// - Parameter own: `wire.type` of the contract that imports.
    init(_ messages: [ImportedMessage], own: String?) {
        self.messages = messages
        type = own ?? Self.typePath(messages)
        var seen: [Bool: Set<ImportedMessage.Constant>] = [:]
        for message in messages {
            for constant in message.constants where !seen[message.isRequest, default: []].insert(constant).inserted {
                shared[message.isRequest, default: []].insert(constant)
            }
        }
    }

    struct Known {
        /// Its key in `requests` or `events`.
        var name: String
        var match: Document?
        /// Every message of that kind is recognised by what the document says.
        var isSure: Bool
    }

    func known(_ message: ImportedMessage) -> Known {
        if let type {
            let constant = message.constants.first { $0.path == type }
            return Known(name: constant?.value ?? message.name, match: nil, isSure: constant != nil)
        }
        let fields = own(of: message).map { ContractImport.field($0.path, .init(text: "is:" + $0.value, isPlain: false), message.mark) }
        let match = fields.isEmpty ? nil : Document(.map(fields), mark: message.mark)
        return Known(name: own(of: message).first?.value ?? message.name, match: match, isSure: match != nil)
    }

    /// No message says at that path what this document says of messages at all: names are as good as anything.
    var areTypesUnsaid: Bool { !messages.contains { message in message.constants.contains { $0.path == type } } }

    /// What no other message of its direction says.
    private func own(of message: ImportedMessage) -> [ImportedMessage.Constant] {
        message.constants.filter { !(shared[message.isRequest]?.contains($0) ?? false) }
    }

    /// A member that has one value in the payload of every message, and more than one among those of a direction: a version
    /// that all of them bear tells nothing.
    private static func typePath(_ messages: [ImportedMessage]) -> String? {
        guard let first = messages.first else { return nil }
        var best: (path: String, score: Int)?
        for path in first.constants.map(\.path) {
            let said = messages.compactMap { message in
                message.constants.first { $0.path == path }.map { (isRequest: message.isRequest, value: $0.value) }
            }
            guard said.count == messages.count else { continue }
            let ways = [true, false].map { way in said.filter { $0.isRequest == way } }
            guard ways.allSatisfy({ $0.count < 2 || Set($0.map(\.value)).count > 1 }) else { continue }
            let score = ways.reduce(Set(said.map(\.value)).count) { $0 + Set($1.map(\.value)).count }
            if score > best?.score ?? 0 { best = (path, score) }
        }
        return best?.path
    }
}

/// Messages of one direction that have the same name: one may be any of them.
struct ImportedKind {
    var known: ImportedNames.Known
    var messages: [ImportedMessage]

    /// The first, with what holds whichever of them it is.
    func merged(_ references: inout ImportReferences) -> ImportedMessage {
        var whole = messages[0]
        guard messages.count > 1 else { return whole }
        references.warn(
            messages[1].mark, "\(messages.count) messages are told apart by nothing and stand as one: \(known.name)",
            remedy: "each of their forms is valid for it")
        let schemas = messages.compactMap(\.schema)
        whole.schema = nil
        if schemas.count == messages.count, let alternatives = Self.alternatives(schemas, &references) {
            let list = Document(.list(alternatives.list), mark: whole.mark)
            let either = Document.Field(key: "anyOf", mark: whole.mark, value: list)
            whole.schema = Document(.map([either] + alternatives.definitions), mark: whole.mark)
        }
        whole.examples = Array(messages.flatMap(\.examples).prefix(8))
        // Of which it is that owes no answer, nobody can tell.
        whole.answers = messages.contains { $0.answers.isEmpty } ? [] : messages.flatMap(\.answers)
        return whole
    }

    /// Their `$defs` go to the top of the whole. Nil when two mean different things by one name.
    private static func alternatives(
        _ schemas: [Document], _ references: inout ImportReferences
    ) -> (list: [Document], definitions: [Document.Field])? {
        var definitions: [Document.Field] = []
        var list: [Document] = []
        for schema in schemas {
            for field in schema["$defs"]?.map ?? [] {
                if let known = definitions.first(where: { $0.key == field.key }) {
                    if known.value == field.value { continue }
                    references.warn(field.mark, "two schemas are called \(field.key); those of these messages are left out")
                    return nil
                }
                definitions.append(field)
            }
            list.append(schema.map.map { Document(.map($0.filter { $0.key != "$defs" }), mark: schema.mark) } ?? schema)
        }
        guard let mark = list.first?.mark, !definitions.isEmpty else { return (list, []) }
        return (list, [.init(key: "$defs", mark: mark, value: Document(.map(definitions), mark: mark))])
    }
}
