import Wire

extension KindRow {
    static let handshake: [KindRow] = [
        KindRow(
            kind: "accept-delay", settings: "stage: upgrade-response, delay: 2s", to: [.client], when: "", late: 0, play: .ahead),
        KindRow(kind: "accept-delay", settings: "stage: upgrade-request, delay: 2s", to: [.server], when: "", late: 0, play: .ahead),
        KindRow(kind: "accept-delay", settings: "stage: tcp-accept, delay: 2s", to: [.server], when: "", late: 0, play: .ahead),
        KindRow(
            kind: "early-frames", settings: "form: before-101, hold: 20s", to: [.server], when: "", nearSees: { $0.ours + $0.back().joined() },
            note: "before it had answered", play: .own { try await early($0) }),
        KindRow(
            kind: "early-frames", settings: "form: same-segment, hold: 20s, frames: 3", to: [.client], when: "", pieces: 1...2, play: .own { try await together($0) }),
        KindRow(
            kind: "refuse", settings: "status: 503, retry-after: 2s", to: [.client], when: "",
            sees: { _ in [.exact(unavailable)] }, ends: Ends(far: .finished, near: .reset), nearSees: { _ in [] },
            play: .own { try await refused($0) }),
        KindRow(
            kind: "handshake-mutate", settings: "op: [no-accept]", to: [.client], when: "",
            sees: { [$0.head("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", "")] + $0.words.map { .exact($0) } }),
        KindRow(
            kind: "handshake-mutate", settings: "op: [version], in: [request], version: \"12\"", to: [.server], when: "",
            sees: { [$0.head("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 12")] + $0.words.map { .exact($0) } }),
        KindRow(
            kind: "drop-auth", settings: "in: [header], how: strip", to: [.server], when: "",
            sees: { said in
                let lines = String(decoding: said.head, as: UTF8.self).components(separatedBy: "\r\n")
                let left = lines.filter { !$0.hasPrefix("Authorization:") }.joined(separator: "\r\n")
                return [.exact(Array(left.utf8))] + said.words.map { .exact($0) }
            }),
        KindRow(
            kind: "offer-deflate", settings: "op: strip", to: [.server], when: "",
            requestLines: "Sec-WebSocket-Extensions: permessage-deflate\r\n",
            sees: { [$0.head("Sec-WebSocket-Extensions: permessage-deflate\r\n", "")] + $0.words.map { .exact($0) } }),
        KindRow(
            kind: "announce", settings: "value: staging-safe 9be012", to: [.client], when: "",
            sees: { [$0.head("\r\n\r\n", "\r\nMiswire: staging-safe 9be012\r\n\r\n")] + $0.words.map { .exact($0) } }),
    ]

    private static let unavailable = Array(
        ("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 29\r\n"
            + "Connection: close\r\n\r\nmiswire: Service Unavailable\n").utf8)

    /// The client is accepted by us and speaks; only then the server, which has its words, answers.
    private static func early(_ stage: KindStage) async throws -> KindPlay {
        let client = try await stage.client(saying: stage.request)
        _ = try await client.prefix(stage.ours.count)
        for word in stage.words { try await client.send(word) }
        let server = try await stage.server()
        _ = try await server.prefix(stage.request.count + stage.words.joined().count)
        try await server.send(stage.accepted)
        try await server.send(Array(stage.back().joined()))
        try await client.finish()
        let outside = try await stage.liveOutside()
        _ = try await server.everything()
        try await server.finish()
        _ = try await client.everything()
        await KindPlay.close([client, server])
        return KindPlay(far: server.seen, near: client.seen, others: KindPlay.turn(outside))
    }

    /// The server's words come long behind its 101, another session's life later.
    private static func together(_ stage: KindStage) async throws -> KindPlay {
        let client = try await stage.client(saying: stage.request + stage.back().joined())
        let server = try await stage.server()
        try await server.send(stage.accepted)
        let outside = try await stage.liveOutside()
        var wrong: [String] = []
        if !client.seen.bytes.isEmpty { wrong.append("the 101 did not wait") }
        for word in stage.words { try await server.send(word) }
        try await server.finish()
        _ = try await client.everything()
        try await client.finish()
        _ = try await server.everything()
        await KindPlay.close([client, server])
        return KindPlay(far: client.seen, near: server.seen, others: KindPlay.turn(outside), wrong: wrong)
    }
}

extension KindStage {
    /// The 101 that the proxy writes in the server's place.
    var ours: [UInt8] {
        Array(
            ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n").utf8)
    }
}
