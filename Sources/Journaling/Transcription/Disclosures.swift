import NIOCore
import Wire

/// A credential where none belongs: in what the server says.
struct Disclosure: Sendable {
    /// `a message`, `a close reason`, `the head of an answer`, `an error page`
    var place: String
    var secret: [UInt8]

    /// Fields by which a server hands credentials out, chooses the protocol that bore one, or repeats where somebody asked.
    private static let meant: Set<String> = [
        "set-cookie", "sec-websocket-protocol", "location", "content-location", "link", "refresh",
    ]

    static func all(inResponse head: ByteBuffer, _ credentials: SecretIndex) -> [Disclosure] {
        guard !credentials.isEmpty else { return [] }
        let view = HeadView(head)
        return credentials.hits(in: view.bytes).filter { hit in
            let field = view.fields.first { $0.value.overlaps(hit.range) }
            let isMeant = field.map { meant.contains($0.name) || CredentialWords.header($0.name) } ?? false
            return !isMeant && !credentials.isSaid(hit.secret)
        }.map { Disclosure(place: "the head of an answer", secret: $0.secret) }
    }
}

extension SessionScene {
    /// What a client says where no credential belongs may come back; what a server says there, nobody asked for.
    mutating func note(
        _ hits: [SecretIndex.Hit], in opcode: Opcode, besides found: [FoundSecret], _ direction: Direction,
        _ shared: inout TranscriptContext
    ) {
        var covered = CoveredRanges(found.map(\.range))
        for hit in hits where !covered.overlaps(hit.range) {
            if direction == .toServer {
                shared.credentials.say(hit.secret)
            } else if !shared.credentials.isSaid(hit.secret) {
                disclosures.append(Disclosure(place: opcode == .close ? "a close reason" : "a message", secret: hit.secret))
            }
        }
    }

    /// Behind the entry that holds them, each once.
    func tellDisclosures(
        _ passing: DirectionTranscript.Passing, _ shared: inout TranscriptContext, into entries: inout [Entry]
    ) {
        guard passing.passage.direction == .toClient, passing.passage.in != nil else { return }
        tell(disclosures, passing, &shared, into: &entries)
    }

    /// Of bytes that are no frames only those behind a refusal say something: an error page.
    func tellDisclosures(
        in bytes: ByteBuffer, _ kind: BytesRecord.Kind, _ passing: DirectionTranscript.Passing,
        _ shared: inout TranscriptContext, into entries: inout [Entry]
    ) {
        guard isRefused, kind == .opaque, passing.passage.direction == .toClient, passing.passage.in != nil,
            !shared.credentials.isEmpty, bytes.readableBytes <= shared.limits.headBytes
        else { return }
        let hits = shared.credentials.hits(in: Array(bytes.readableBytesView)).filter { !shared.credentials.isSaid($0.secret) }
        tell(hits.map { Disclosure(place: "an error page", secret: $0.secret) }, passing, &shared, into: &entries)
    }

    private func tell(
        _ disclosures: [Disclosure], _ passing: DirectionTranscript.Passing, _ shared: inout TranscriptContext,
        into entries: inout [Entry]
    ) {
        var told: Set<[UInt8]> = []
        for disclosure in disclosures where told.insert(disclosure.secret).inserted {
            let facts = Facts(
                tap: .serverIn, user: nil, place: disclosure.place, state: .unknown, tag: shared.redactor.tag(for: disclosure.secret),
                isSecret: true)
            entries.append(
                Entry(
                    instant: passing.instant, loop: 0, sequence: 0, ref: EntryRef(session: id, ordinal: 0), body: .facts(facts)))
        }
    }
}
