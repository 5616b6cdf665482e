import Journaling

/// AsyncAPI 2.x: a channel's `publish` is what clients send, `subscribe` what they get.
struct AsyncAPI2 {
    private let file: Document

    init(_ file: Document) { self.file = file }

    mutating func read(_ result: inout ContractImport, _ references: inout ImportReferences) {
        for channel in file["channels"]?.map ?? [] {
            guard let (value, _) = references.resolved(channel.value) else { continue }
            if let path = ImportedPath.text(channel.key, below: nil) {
                result.paths.append(Document(.scalar(.init(text: path, isPlain: false)), mark: channel.mark))
            }
            for (key, isRequest) in [("publish", true), ("subscribe", false)] {
                guard let operation = value[key] else { continue }
                read(operation, isRequest, channel.key, &result, &references)
            }
            if let bindings = value["bindings"] {
                references.warn(bindings.mark, "bindings of the channel \(channel.key) cannot be used")
            }
        }
        if result.messages.isEmpty { references.warn(file.mark, "no channel of this file has a message") }
        ImportedLinks.read(&result, file.mark)
        var security: [Document] = []
        for server in file["servers"]?.map ?? [] {
            guard let (value, _) = references.resolved(server.value) else { continue }
            security += value["security"]?.list ?? []
        }
        var names: [String] = []
        for field in security.flatMap({ $0.map ?? [] }) where !names.contains(field.key) { names.append(field.key) }
        for name in names {
            guard let (scheme, _) = references.resolved(file["components"]?["securitySchemes"]?[name]) else { continue }
            ImportedSecurity.read(scheme, name, &result, &references)
        }
    }

    private func read(
        _ operation: Document, _ isRequest: Bool, _ channel: String, _ result: inout ContractImport,
        _ references: inout ImportReferences
    ) {
        if let traits = operation["traits"] { references.warn(traits.mark, "traits of an operation cannot be used") }
        guard let message = operation["message"] else { return }
        for (index, item) in (message["oneOf"]?.list ?? [message]).enumerated() {
            guard let (value, pointer) = references.resolved(item) else { continue }
            let key = pointer.flatMap(ImportedPath.last) ?? operation["operationId"]?.scalar?.text ?? "message-\(index + 1)"
            result.messages.append(
                .reading(value, key: key, id: pointer ?? "\(channel) \(isRequest) \(index)", isRequest: isRequest, &references))
        }
    }
}
