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
        KindRow(
            kind: "takeover", settings: "at: message", note: "and the server the same request once more, with another key",
            play: .own { try await takenOver($0) }),
        KindRow(
            kind: "reconnect-storm", settings: "times: 1", sees: { [.exact($0.head), .exact($0.words[0]), .exact($0.words[1])] },
            ends: Ends(far: .reset, near: .reset)),
        KindRow(
            kind: "zombie", settings: "side: server, hold: 2s", to: [.server],
            sees: { [.exact($0.head), .exact($0.words[0]), .exact($0.words[1])] }, late: 3, ends: Ends(far: .reset, near: .finished)),
        KindRow(
            kind: "zombie", settings: "side: client, hold: 2s", to: [.client],
            sees: { [.exact($0.head), .exact($0.words[0]), .exact($0.words[1])] }, late: 3),
        KindRow(kind: "barrier", settings: "users: 2, within: 2s", late: 2),
        KindRow(
            kind: "late-user", settings: "stage: upgrade-request, awaits: users, users: 9, most: 2s", to: [.server], when: "", late: 0,
            play: .ahead),
        KindRow(
            kind: "late-user", settings: "stage: upgrade-response, awaits: users, users: 9, most: 2s", to: [.client], when: "", late: 0,
            play: .ahead),
        KindRow(
            kind: "resume-stale", settings: "how: none, at: header last-event-id", to: [.server], when: "",
            requestLines: "Last-Event-ID: 9\r\n",
            sees: { [$0.head("Last-Event-ID: 9\r\n", "")] + $0.words.map { .exact($0) } }),
    ]

    /// What asks for the same path behind the session itself is the connection of the fault, which leaves with that.
    private static func takenOver(_ stage: KindStage) async throws -> KindPlay {
        var play = try await KindPlay.talked(stage)
        let ours = try await stage.server(KindStage.inside, 1)
        let asked = String(decoding: try await ours.everything(), as: UTF8.self)
        try await ours.finish()
        await ours.close()
        let own = String(decoding: stage.request, as: UTF8.self)
        func keyless(_ head: String) -> [Substring] { head.split(separator: "\r\n").filter { !$0.hasPrefix("Sec-WebSocket-Key:") } }
        if asked == own || keyless(asked) != keyless(own) { play.wrong.append("the request of ours: \(asked)") }
        return play
    }

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
