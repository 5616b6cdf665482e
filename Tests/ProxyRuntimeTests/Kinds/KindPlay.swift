import Testing
import Wire

/// A row as it is played: the bytes and ends that both sides of the session saw.
struct KindPlay: Sendable {
    var far: RawPeer.Seen
    var near: RawPeer.Seen
    /// The turn in which the other session was over.
    var others: UInt64
    /// What a row of its own order has to say besides.
    var wrong: [String] = []

    static func run(_ stage: KindStage) async throws -> KindPlay {
        switch stage.row.play {
        case .talk: try await talked(stage)
        case .ahead: try await ahead(stage, ends: true)
        case .aheadOfEnd: try await ahead(stage, ends: true, behind: true)
        case .aheadOpen: try await ahead(stage, ends: false)
        case .own(let play): try await play(stage)
        }
    }

    /// The session's two ends, once it is open.
    static func opened(_ stage: KindStage) async throws -> (far: RawPeer, near: RawPeer) {
        let client = try await stage.client(saying: stage.request)
        let server = try await stage.server()
        try await server.send(stage.accepted)
        try await client.until { $0.bytes.suffix(4) == [13, 10, 13, 10] || $0.ended || $0.closed }
        return stage.side == .server ? (server, client) : (client, server)
    }

    static func talked(_ stage: KindStage) async throws -> KindPlay {
        let (far, near) = try await opened(stage)
        let before = near.seen.bytes.count
        let back = Array(stage.back().joined())
        try await far.send(back)
        // All of it: what ends the session is not to overtake it.
        try await near.until { $0.bytes.count >= before + back.count || $0.closed }
        for word in stage.words { try? await near.send(word) }
        try? await near.finish()
        let outside = try await stage.liveOutside()
        return try await ended(far, near, outside)
    }

    static func ended(
        _ far: RawPeer, _ near: RawPeer, _ outside: (client: RawPeer, server: RawPeer)
    ) async throws -> KindPlay {
        _ = try await far.everything()
        try? await far.finish()
        _ = try await near.everything()
        await close([far, near])
        return KindPlay(far: far.seen, near: near.seen, others: turn(outside))
    }

    /// When both ends of the other session had seen their end.
    static func turn(_ outside: (client: RawPeer, server: RawPeer)) -> UInt64 {
        max(outside.client.seen.endTurn ?? .max, outside.server.seen.endTurn ?? .max)
    }

    private static func ahead(_ stage: KindStage, ends: Bool, behind: Bool = false) async throws -> KindPlay {
        let back = Array(stage.back().joined())
        let client = try await stage.client(saying: stage.request + (stage.side == .client ? back : []))
        if stage.side == .server {
            for word in stage.words { try await client.send(word) }
            if ends, !behind { try await client.finish() }
            if !ends { return try await answered(stage, client) }
            let outside = try await stage.liveOutside()
            if behind { try await client.finish() }
            let server = try await stage.server()
            try await server.send(stage.accepted + back)
            return try await ended(server, client, outside)
        }
        let server = try await stage.server()
        _ = try await server.prefix(stage.request.count + back.count)
        try await server.send(stage.accepted)
        for word in stage.words { try? await server.send(word) }
        if ends, !behind { try? await server.finish() }
        let outside = try await stage.liveOutside()
        if behind { try? await server.finish() }
        return try await over(stage, client, server, outside)
    }

    /// The server says what it has to say though it never gets a whole request, before a fault may end it all.
    private static func answered(_ stage: KindStage, _ client: RawPeer) async throws -> KindPlay {
        let isSilent = stage.row.sees(stage.said).isEmpty
        let server = isSilent ? try await stage.stranger() : try await stage.server()
        let bytes = stage.accepted + stage.back().joined()
        try? await server.send(bytes)
        if stage.row.nearSees == nil { try await client.until { $0.bytes.count >= bytes.count || $0.closed } }
        return try await over(stage, server, client, try await stage.liveOutside())
    }

    private static func over(
        _ stage: KindStage, _ far: RawPeer, _ near: RawPeer, _ outside: (client: RawPeer, server: RawPeer)
    ) async throws -> KindPlay {
        if stage.row.ends.far != .none { return try await ended(far, near, outside) }
        let seen = KindPlay(far: far.seen, near: near.seen, others: turn(outside))
        await close([far, near])
        return seen
    }

    static func close(_ peers: [RawPeer]) async {
        for peer in peers { await peer.close() }
    }
}

extension KindStage {
    var said: KindRow.Said {
        KindRow.Said(side: side, head: side == .server ? request : accepted, words: words)
    }

    /// The server's end that never got a request; at most 30 s.
    func stranger() async throws -> RawPeer {
        for _ in 0..<3_000 {
            if let peer = await strangers().first { return peer }
            try await Task.sleep(for: .milliseconds(10))
        }
        return try #require(await strangers().first, "nobody connected to the server")
    }
}

extension RawPeer.Seen {
    /// How the transport ended while nobody on this side had closed it.
    var end: KindRow.End {
        if failed { return isBroken ? .broken : .reset }
        if isTruncated { return .truncated }
        return ended || closed && finished ? .finished : closed ? .reset : .none
    }
}
