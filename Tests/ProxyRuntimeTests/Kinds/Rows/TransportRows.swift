import Wire

extension KindRow {
    private static let nothing: @Sendable (Said) -> [Part] = { _ in [] }

    static let transport: [KindRow] = [
        KindRow(kind: "latency", settings: "latency: 2s", when: "", late: 0, play: .ahead),
        KindRow(kind: "bandwidth", settings: "rate: 200B/s", when: "", late: 3, play: .ahead),
        KindRow(kind: "slow_close", settings: "delay: 2s", when: "", late: 4),
        KindRow(kind: "timeout", settings: "timeout: 3s", when: "", sees: nothing, play: .aheadOpen),
        KindRow(
            kind: "reset_peer", settings: "timeout: 3s", when: "", sees: nothing, ends: Ends(far: .reset, near: .reset), play: .aheadOpen),
        KindRow(
            kind: "slicer", settings: "average_size: 8B, size_variation: 2B, delay: 10ms", when: "", pieces: 8...1_000,
            note: "in small pieces"),
        KindRow(
            kind: "limit_data", settings: "bytes: 25B", to: [.client], when: "", sees: { [.exact(Array($0.head.prefix(25)))] },
            play: .aheadOpen),
        // Over before the server can answer.
        KindRow(
            kind: "limit_data", settings: "bytes: 25B", to: [.server], when: "", sees: { [.exact(Array($0.head.prefix(25)))] },
            nearSees: { _ in [] }, play: .aheadOpen),
        KindRow(
            kind: "half-close", settings: "delay: 3s", when: "", note: "FIN that nobody sent; the way back stays open", play: .own { try await halfClosed($0) }),
        // From the request on: that is read already when the rule knows whose it is.
        KindRow(kind: "stall-reads", settings: "time: 2s", to: [.client], when: "", late: 0, play: .ahead),
        KindRow(kind: "stall-reads", settings: "time: 2s", to: [.server], when: "", late: 1, play: .own { try await stalled($0) }),
        KindRow(
            kind: "blackhole", when: "", sees: nothing, ends: Ends(far: .none, near: .none), play: .aheadOpen),
        KindRow(kind: "chop", settings: "delay: 4ms", when: "", pieces: 60...1_000, note: "a byte at a time"),
        KindRow(
            kind: "coalesce", settings: "time: 2s, size: 1MiB", when: "", late: 0, pieces: 1...1, note: "in one piece",
            play: .aheadOfEnd),
        KindRow(
            kind: "down", to: [.client], when: "", sees: nothing, ends: Ends(far: .reset, near: .nobody), nearSees: { _ in [] },
            play: .own { try await refused($0) }),
    ]

    private static func stalled(_ stage: KindStage) async throws -> KindPlay {
        let client = try await stage.client(saying: stage.request)
        let server = try await stage.server()
        for word in stage.words { try await client.send(word) }
        try await client.finish()
        let outside = try await stage.liveOutside()
        try await server.send(stage.accepted + stage.back().joined())
        return try await KindPlay.ended(server, client, outside)
    }

    /// The far side is told of an end that the near side never wrote, and goes on speaking.
    private static func halfClosed(_ stage: KindStage) async throws -> KindPlay {
        let client = try await stage.client(saying: stage.request)
        let server = try await stage.server()
        try await server.send(stage.accepted)
        let (far, near) = stage.side == .server ? (server, client) : (client, server)
        for word in stage.words { try await near.send(word) }
        _ = try await far.everything()
        try await far.send(Array(stage.back().joined()))
        try await far.finish()
        _ = try await near.everything()
        let outside = try await stage.liveOutside()
        try? await near.finish()
        await KindPlay.close([far, near])
        return KindPlay(far: far.seen, near: near.seen, others: KindPlay.turn(outside))
    }

    /// The server never hears a word of the client's, though it may have been dialled.
    static func refused(_ stage: KindStage) async throws -> KindPlay {
        let client = try await stage.client(saying: stage.request)
        _ = try await client.everything()
        let outside = try await stage.liveOutside()
        var near = RawPeer.Seen()
        var wrong: [String] = []
        if stage.row.ends.near == .nobody {
            if await !stage.strangers().isEmpty { wrong.append("the server was dialled") }
        } else {
            let server = try await stage.stranger()
            _ = try await server.everything()
            near = server.seen
            await server.close()
        }
        await client.close()
        return KindPlay(far: client.seen, near: near, others: KindPlay.turn(outside), wrong: wrong)
    }
}
