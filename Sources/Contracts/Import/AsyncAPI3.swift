import Journaling

/// AsyncAPI 3.x: what an operation says the application does with a channel's messages; `receive` is what clients send.
struct AsyncAPI3 {
    private let file: Document
    private var read: Set<String> = []

    init(_ file: Document) { self.file = file }

    mutating func read(_ result: inout ContractImport, _ references: inout ImportReferences) {
        var servers: [(address: String?, mark: Mark)] = []
        for server in file["servers"]?.map ?? [] {
            let value = references.resolved(server.value)?.value
            servers.append((value.map { $0["pathname"]?.scalar?.text ?? "" }, server.mark))
        }
        let hasBase = servers.contains { $0.address != "" }
        var paths = ImportedPaths(servers)
        for channel in file["channels"]?.map ?? [] {
            guard let (value, _) = references.resolved(channel.value) else { continue }
            let written = value["address"]?.scalar.flatMap { $0.isNull ? nil : $0.text }
            let address = written ?? channel.key
            // What begins otherwise may be a topic, and nobody knows where it is spoken.
            paths.add(address.hasPrefix("/") || written != nil && hasBase ? address : nil, channel.mark)
            if let bindings = value["bindings"] {
                references.warn(bindings.mark, "bindings of the channel \(channel.key) cannot be used")
            }
        }
        for operation in file["operations"]?.map ?? [] {
            guard let (value, _) = references.resolved(operation.value) else { continue }
            readOperation(value, operation, &result, &references)
        }
        result.paths = paths.documents(&references)
        if result.messages.isEmpty { references.warn(file.mark, "no operation of this file has a message") }
        ImportedLinks.read(&result, file.mark)
        for server in file["servers"]?.map ?? [] {
            guard let (value, _) = references.resolved(server.value) else { continue }
            for item in value["security"]?.list ?? [] {
                guard let (scheme, pointer) = references.resolved(item) else { continue }
                ImportedSecurity.read(scheme, pointer.flatMap(ImportedPath.last) ?? "security", &result, &references)
            }
        }
    }

    private mutating func readOperation(
        _ operation: Document, _ field: Document.Field, _ result: inout ContractImport, _ references: inout ImportReferences
    ) {
        guard let action = operation["action"]?.scalar?.text, ["send", "receive"].contains(action) else {
            return references.fail(field.mark, "the operation \(field.key) needs action: send or receive",
                remedy: "found \(operation["action"]?.found ?? "nothing")")
        }
        let isRequest = action == "receive"
        var answers: [String] = []
        if let reply = operation["reply"], let (value, _) = references.resolved(reply) {
            answers = readMessages(value, operation, !isRequest, &result, &references)
            if let address = value["address"] { references.warn(address.mark, "the reply's address of \(field.key) cannot be used") }
        }
        let asked = readMessages(operation, operation, isRequest, &result, &references)
        for index in result.messages.indices where asked.contains(result.messages[index].id)
            && result.messages[index].isRequest == isRequest {
            result.messages[index].answers += answers
        }
    }

    /// The messages that it names, or else all of its channel.
    /// - Returns: their ids.
    private mutating func readMessages(
        _ holder: Document, _ operation: Document, _ isRequest: Bool, _ result: inout ContractImport,
        _ references: inout ImportReferences
    ) -> [String] {
        var named = holder["messages"]?.list ?? []
        if named.isEmpty, let (channel, pointer) = references.resolved(holder["channel"] ?? operation["channel"]) {
            // Referred to by its place, so that it is one message however it is reached.
            named = (channel["messages"]?.map ?? []).map { message in
                guard let pointer else { return message.value }
                let escaped = message.key.map { $0 == "~" ? "~0" : $0 == "/" ? "~1" : String($0) }.joined()
                let text = pointer + "/messages/" + escaped
                return Document(.map([ContractImport.field("$ref", .init(text: text, isPlain: false), message.mark)]),
                    mark: message.mark)
            }
        }
        var ids: [String] = []
        for item in named {
            guard let (value, pointer) = references.resolved(item) else { continue }
            let id = pointer ?? "\(value.mark)"
            ids.append(id)
            guard read.insert((isRequest ? "> " : "< ") + id).inserted else { continue }
            // The name that the channel gives it, before that of the component behind it.
            let key = item["$ref"]?.scalar.flatMap { ImportedPath.last($0.text) } ?? pointer.flatMap(ImportedPath.last) ?? "message"
            result.messages.append(.reading(value, key: key, id: id, isRequest: isRequest, &references))
        }
        return ids
    }
}
