import Journaling

/// AsyncAPI 2.x: a channel's `publish` is what clients send, `subscribe` what they get.
struct AsyncAPI2 {
    private let file: Document

    init(_ file: Document) { self.file = file }

    mutating func read(_ result: inout ContractImport, _ references: inout ImportReferences) {
        var servers: [(address: String?, mark: Mark)] = []
        for server in file["servers"]?.map ?? [] {
            let value = references.resolved(server.value)?.value
            servers.append((value.flatMap(Self.base), server.mark))
        }
        var paths = ImportedPaths(servers)
        for channel in file["channels"]?.map ?? [] {
            guard let (value, _) = references.resolved(channel.value) else { continue }
            // A channel that is no path is a topic, and nobody knows where it is spoken.
            paths.add(channel.key.hasPrefix("/") ? channel.key : nil, channel.mark)
            for (key, isRequest) in [("publish", true), ("subscribe", false)] {
                guard let operation = value[key] else { continue }
                read(operation, isRequest, channel.key, &result, &references)
            }
            if let bindings = value["bindings"] {
                references.warn(bindings.mark, "bindings of the channel \(channel.key) cannot be used")
            }
        }
        result.paths = paths.documents(&references)
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

    /// The path of a server's URL: `/v1` of `wss://{host}/v1`. Nil when none can be told.
    private static func base(_ server: Document) -> String? {
        guard let url = server["url"]?.scalar, !url.isNull else { return nil }
        // A variable may hold a path of its own.
        for variable in server["variables"]?.map ?? [] {
            let values = [variable.value["default"]].compactMap { $0 } + (variable.value["enum"]?.list ?? [])
            if values.contains(where: { $0.scalar?.text.contains("/") ?? true }) { return nil }
        }
        var rest = url.text[...]
        if let scheme = rest.firstRange(of: "://") { rest = rest[scheme.upperBound...] }
        let end = rest.firstIndex { $0 == "?" || $0 == "#" } ?? rest.endIndex
        return rest[..<end].firstIndex(of: "/").map { String(rest[$0..<end]) } ?? ""
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
