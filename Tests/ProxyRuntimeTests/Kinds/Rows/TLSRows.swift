import NIOSSL
import Wire

/// Both hops are wss. What a fault makes of the client's handshake is decided before the client has said anything, so that
/// connection is chosen because it is the first, and not by its path.
extension KindRow {
    static let tls: [KindRow] = [
        KindRow(
            kind: "tls-certificate", settings: "how: expired", to: [.client], isSecure: true, isFirst: true,
            complaint: "CERTIFICATE_VERIFY_FAILED", sees: { _ in [] }, ends: Ends(far: .broken, near: .nobody), nearSees: { _ in [] },
            play: .own { try await distrusted($0) }),
        KindRow(
            kind: "tls-stall", settings: "side: client, time: 2s", to: [.client], isSecure: true, isFirst: true, late: 0,
            play: .own { try await heldUp($0) }),
        KindRow(
            kind: "tls-stall", settings: "side: server, stage: after-hello, time: 2s", to: [.server], isSecure: true, late: 0,
            play: .own { try await heldUp($0) }),
        KindRow(kind: "tls-version", settings: "side: client, max: '1.2'", to: [.client], isSecure: true, isFirst: true, version: .tlsv12),
        KindRow(kind: "tls-version", settings: "side: server, max: '1.2'", to: [.server], isSecure: true, version: .tlsv12),
        corrupt("side: client, record: 3", .client), corrupt("side: server, record: 3", .server),
        truncate("side: client", .client), truncate("side: server", .server),
    ]

    /// The head is the first record to either side. Whoever gets the third goes away without close_notify, which is handed on.
    private static func corrupt(_ settings: String, _ side: Side) -> KindRow {
        KindRow(
            kind: "tls-corrupt", settings: settings, to: [side], isSecure: true, isFirst: side == .client, complaint: "BAD_RECORD_MAC",
            sees: { [.exact($0.head), .exact($0.words[0])] }, ends: Ends(far: .broken, near: .truncated),
            play: .own { try await damaged($0) })
    }

    private static func truncate(_ settings: String, _ side: Side) -> KindRow {
        KindRow(
            kind: "tls-truncate", settings: settings, to: [side], isSecure: true,
            sees: { [.exact($0.head), .exact($0.words[0]), .exact($0.words[1])] }, ends: Ends(far: .truncated))
    }

    /// The client goes away; whether the proxy had dialled the server by then nobody promises, but that gets no word.
    private static func distrusted(_ stage: KindStage) async throws -> KindPlay {
        let client = try await stage.connect()
        try await client.gone()
        let outside = try await stage.liveOutside()
        let wrong = await stage.strangers().filter { !$0.seen.bytes.isEmpty }.map { "the server got \($0.seen.bytes.count) bytes" }
        return KindPlay(far: client.seen, near: RawPeer.Seen(), others: KindPlay.turn(outside), wrong: wrong)
    }

    /// Everybody goes on as soon as they can; another session's whole life lies before that.
    private static func heldUp(_ stage: KindStage) async throws -> KindPlay {
        let client = try await stage.connect()
        async let asked: Void = client.send(stage.request)
        try await stage.acted()
        async let talk = heldUp(stage, client)
        let outside = try await stage.liveOutside()
        try await asked
        let (far, near) = try await talk
        return try await KindPlay.ended(far, near, outside)
    }

    private static func heldUp(_ stage: KindStage, _ client: RawPeer) async throws -> (far: RawPeer, near: RawPeer) {
        let server = try await stage.server()
        try await server.send(stage.accepted)
        _ = try await client.prefix(stage.accepted.count)
        let (far, near) = stage.side == .server ? (server, client) : (client, server)
        try await far.send(Array(stage.back().joined()))
        for word in stage.words { try await near.send(word) }
        try await near.finish()
        return (far, near)
    }

    /// A word is a record of its own only where the next one waits for it.
    private static func damaged(_ stage: KindStage) async throws -> KindPlay {
        let (far, near) = try await KindPlay.opened(stage)
        let back = Array(stage.back().joined())
        let before = near.seen.bytes.count
        try await far.send(back)
        try await near.until { $0.bytes.count >= before + back.count || $0.closed }
        try await near.send(stage.words[0])
        let due = stage.said.head.count + stage.words[0].count
        try await far.until { $0.bytes.count >= due || $0.closed }
        try await near.send(stage.words[1])
        try await far.gone()
        return try await KindPlay.ended(far, near, try await stage.liveOutside())
    }
}
