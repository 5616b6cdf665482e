import Wire

extension KindRow {
    static let session: [KindRow] = [
        KindRow(
            kind: "cross-streams", settings: "mode: divert, among: [alice, bob]", sees: { $0.with([], at: 1) }, note: "`two` reached bob's side",
            play: .own { try await crossed($0) }),
        KindRow(
            kind: "cut", settings: "style: reset, at: mid-message",
            sees: { [.exact($0.head), .exact($0.words[0]), .exact(Array($0.words[1].prefix($0.words[1].count / 2)))] },
            ends: Ends(far: .reset, near: .reset)),
        KindRow(
            kind: "cut", settings: "style: half, at: after", sees: { [.exact($0.head), .exact($0.words[0]), .exact($0.words[1])] }),
    ]

    /// Bob has a session of the same scope; he is not spoken to by anybody but alice's second word.
    private static func crossed(_ stage: KindStage) async throws -> KindPlay {
        let path = KindStage.inside + "/bob"
        let request = KindStage.request(path, user: "bob")
        let bob = (client: try await stage.client(saying: request), server: try await stage.server(path))
        try await bob.server.send(stage.accepted)
        _ = try await bob.client.prefix(stage.accepted.count)
        var play = try await KindPlay.talked(stage)
        let (far, near) = stage.side == .server ? (bob.server, bob.client) : (bob.client, bob.server)
        let (head, other) = stage.side == .server ? (request, stage.accepted) : (stage.accepted, request)
        try await far.until { $0.bytes.count > head.count }
        try await near.finish()
        // Masked with another key there.
        let want: [Part] = [.exact(head), .frame(1, Array("two".utf8))]
        if let wrong = Part.places(want, in: try await far.everything(), at: stage.side).wrong { play.wrong.append("bob: " + wrong) }
        try await far.finish()
        if try await near.everything() != other { play.wrong.append("bob's near side: \(KindTranscript.raw(near.seen.bytes[...]))") }
        await KindPlay.close([far, near])
        return play
    }
}
