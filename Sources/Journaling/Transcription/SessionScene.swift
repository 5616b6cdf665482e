import NIOCore
import Wire

/// What holds for both directions of a session.
struct SessionScene {
    let id: SessionID
    /// What each side was told in the server's answer: the one who sends goes by that.
    private var server = ExtensionOutcome.none
    private var client = ExtensionOutcome.none
    private var isTold = false
    /// What the request's credentials were when it came.
    private var claims: [Claim]?
    /// What the server got of them.
    private var sent: [Claim]?
    /// Credentials seen in this session, in case a message repeats them.
    private(set) var secrets: [[UInt8]] = []
    /// The server's last answer was an error, so that the bytes behind it say which.
    var isRefused = false
    /// Credentials in the message, or head, in hand that stand where none belongs.
    var disclosures: [Disclosure] = []
    private static let rememberedSecrets = 16
    /// As much as a field of a head may hold; a longer one is hidden where it stands.
    private static let longestSecret = 16 << 10

    init(_ id: SessionID) { self.id = id }

    /// How the sender of that direction compresses.
    func deflate(_ direction: Direction) -> DeflateParameters? { (direction == .toServer ? client : server).deflate }

    /// An extension that gives reserved bits a meaning unknown to us; one phrase.
    func unknownExtension(_ direction: Direction) -> String? {
        if case .unknown(let reason) = direction == .toServer ? client : server { reason } else { nil }
    }

    mutating func remember(_ values: [[UInt8]]) {
        for value in values where value.count <= Self.longestSecret && !secrets.contains(value) {
            // The first is what the session was opened with; of the others the latest are the likeliest to come again.
            if secrets.count >= Self.rememberedSecrets { secrets.remove(at: 1) }
            secrets.append(value)
        }
    }

    /// A head, its secrets replaced, and behind it the facts of each tap that it passed.
    mutating func head(
        _ bytes: ByteBuffer, _ passing: DirectionTranscript.Passing, _ shared: inout TranscriptContext,
        into entries: inout [Entry]
    ) {
        let direction = passing.passage.direction
        if direction == .toClient, negotiate(bytes, passing.passage), let sent { shared.accepted(sent) }
        let redacted = shared.redactor.redact(
            head: bytes, direction, finder: shared.finder, known: secrets, others: shared.credentials, hidden: shared.hidden)
        remember(redacted.secrets)
        if direction == .toServer {
            if passing.provenance.faults.isEmpty { say(pathOf: bytes, besides: redacted.claims, &shared) }
            shared.remember(redacted.claims, at: passing.instant, faults: passing.provenance.faults)
        }
        let record = HeadRecord(
            passage: passing.passage, bytes: ByteBuffer(bytes: (shared.isRaw ? bytes : redacted.bytes).readableBytesView),
            provenance: passing.provenance, wireSize: UInt64(clamping: bytes.readableBytes))
        entries.append(Entry(instant: passing.instant, loop: 0, sequence: 0, ref: passing.ref, body: .head(record)))
        guard direction == .toServer else {
            disclosures = Disclosure.all(inResponse: bytes, shared.credentials)
            return tellDisclosures(passing, &shared, into: &entries)
        }
        var passing = passing
        if passing.passage.out != nil { sent = redacted.claims }
        if passing.passage.in != nil { claims = redacted.claims }
        if let claims, redacted.claims.elementsEqual(claims, by: { $0.isSame(as: $1) }) {
            // Faults had the head in hand and left its credentials alone.
            passing.provenance.faults = []
        }
        tell(redacted.claims, passing, &shared, into: &entries)
    }

    /// Whoever is asked for by a path is no secret, unless that is where the credential belongs.
    private func say(pathOf head: ByteBuffer, besides claims: [Claim], _ shared: inout TranscriptContext) {
        let view = HeadView(head)
        guard let path = view.path else { return }
        let others = claims.compactMap(\.credential?.range).map { range in
            (range.lowerBound - path.lowerBound)..<(range.upperBound - path.lowerBound)
        }
        shared.said.add(view.bytes[path], besides: others)
    }

    /// Of a client that gets another 101 than the server sent, only what it was told counts.
    /// - Returns: whether the server said 101.
    private mutating func negotiate(_ bytes: ByteBuffer, _ passage: Passage) -> Bool {
        let view = HeadView(bytes)
        isRefused = (try? ResponseHead(bytes)).map { $0.status >= 400 } ?? false
        guard bytes.readableBytesView.starts(with: "HTTP/1.".utf8), bytes.readableBytesView.dropFirst(8).starts(with: " 101".utf8)
        else { return false }
        let outcome = ExtensionOutcome(
            accepted: view.values(of: "sec-websocket-extensions").map(view.text))
        if passage.in != nil { server = outcome }
        if passage.out != nil || !isTold { client = outcome }
        isTold = isTold || passage.out != nil
        return passage.in != nil
    }

    /// Facts belong to the entry before them; they have no ordinal of their own.
    func tell(
        _ claims: [Claim], _ passing: DirectionTranscript.Passing, _ shared: inout TranscriptContext,
        into entries: inout [Entry]
    ) {
        tellDisclosures(passing, &shared, into: &entries)
        guard !claims.isEmpty, passing.passage.direction == .toServer else { return }
        for tap in [Tap.clientIn, .serverOut] {
            guard let instant = passing.passage.instant(at: tap) else { continue }
            let facts = shared.facts(
                tap, claims, at: instant, faults: tap == .serverOut ? passing.provenance.faults : [])
            entries.append(
                Entry(
                    instant: passing.instant, loop: 0, sequence: 0, ref: EntryRef(session: id, ordinal: 0),
                    body: .facts(facts)))
        }
    }

    /// Cuts the secrets out of a message and of its frames, which are all there; the last one bears the message.
    mutating func redact(
        _ frames: inout [Entry], _ direction: Direction, isCompressed: Bool = false, _ shared: inout TranscriptContext
    ) -> [Claim] {
        disclosures = []
        guard let last = frames.last, case .frame(let record) = last.body, let message = record.message else { return [] }
        guard let payload = message.payload else {
            if !shared.isRaw { SessionScene.withhold(&frames) }
            return []
        }
        let found = shared.finder.secrets(inMessage: payload, opcode: message.opcode, direction)
        remember(found.filter { isKeptAsSecret($0, mayBeFirst: secrets.isEmpty, shared.said) }.map { Array($0.value.utf8) })
        let claims = direction == .toServer ? claims(of: found, in: payload, shared) : []
        // What is withheld was said all the same; where a server may have handed out a credential, nobody knows.
        let placed = direction == .toServer ? found.filter { !$0.withholds } : found
        shared.remember(claims, at: last.instant, faults: record.provenance.faults)
        if record.provenance.faults.isEmpty, message.opcode != .ping, message.opcode != .pong {
            shared.said.add(payload.readableBytesView, besides: placed.map(\.range))
        }
        let bytes = shared.isRaw && shared.credentials.isEmpty ? [] : Array(payload.readableBytesView)
        let hits = shared.credentials.hits(in: bytes)
        note(hits, in: message.opcode, besides: placed, direction, &shared)
        if !shared.isRaw, let reason = found.first(where: \.withholds)?.place {
            SessionScene.withhold(&frames, "more secrets than are cut out one by one (\(reason))")
        } else if !shared.isRaw {
            let spans = found.map(\.span)
                + Redactor.occurrences(of: secrets, in: bytes)
                + hits.map { Redactor.Span(range: $0.range, secret: $0.secret) } + HiddenTexts.spans(of: shared.hidden, in: bytes)
            if let replaced = shared.redactor.redact(bytes, spans) {
                SessionScene.put(replaced, into: &frames, isCompressed: isCompressed)
            }
        }
        return claims
    }

    private func claims(of found: [FoundSecret], in payload: ByteBuffer, _ shared: TranscriptContext) -> [Claim] {
        var told: Set<String> = []
        return found.filter { $0.isCredential && told.insert($0.value).inserted }.map { credential in
            Claim(
                credential: credential,
                users: shared.finder.user(inMessage: payload, credential: credential).map { [$0] } ?? [])
        }
    }

    /// Whether it is cut out of later messages wherever it stands: what has the shape of a credential, and the one that the
    /// session begins with. Any other text in that place may be a word of the application, or somebody's thread or run,
    /// and is hidden there alone.
    private func isKeptAsSecret(_ found: FoundSecret, mayBeFirst: Bool, _ said: SaidWords) -> Bool {
        let bytes = Array(found.value.utf8)
        guard found.isCredential, bytes.count >= Redactor.leastRepeated else { return false }
        return JWTShape.ranges(in: bytes).first == bytes.indices || mayBeFirst && !found.isWord && !said.holds(bytes)
    }

    /// The message without its secrets, cut where its frames were. Of a compressed one nobody can say where: all of it
    /// stands in the last frame.
    private static func put(_ replaced: Redactor.Replaced, into frames: inout [Entry], isCompressed: Bool) {
        var old = 0
        var new = 0
        for index in frames.indices {
            guard case .frame(var record) = frames[index].body else { continue }
            let isLast = index == frames.count - 1
            old += record.frame.payload.readableBytes
            let end = isLast ? replaced.bytes.count : isCompressed ? 0 : max(new, replaced.offset(of: old))
            record.frame.payload = ByteBuffer(bytes: replaced.bytes[new..<min(end, replaced.bytes.count)])
            new = min(end, replaced.bytes.count)
            record.redacted = true
            if isLast { record.message?.payload = ByteBuffer(bytes: replaced.bytes) }
            frames[index].body = .frame(record)
        }
    }

    /// What could not be searched for secrets is not kept.
    static func withhold(_ frames: inout [Entry], _ reason: String = "a fault changed a message with a secret") {
        for index in frames.indices {
            guard case .frame(var record) = frames[index].body,
                record.frame.payload.readableBytes > 0 || record.message?.payload != nil
            else { continue }
            record.frame.payload = ByteBuffer()
            record.redacted = true
            if record.message?.payload != nil {
                record.message?.payload = nil
                record.message?.unlifted = "withheld: \(reason)"
            }
            frames[index].body = .frame(record)
        }
    }
}
