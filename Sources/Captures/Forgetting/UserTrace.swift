import Journaling
import NIOCore
import Wire

/// What one user left in a recording. It is read twice: first for whose sessions there are and what names the user, then
/// for where in others' sessions that stands.
struct UserTrace {
    /// Sessions of the user, and sessions that bore a credential of theirs: what a server said there is theirs too.
    private(set) var sessions: Set<SessionID> = []
    private(set) var tags: Set<String> = []
    /// Numbers of entries of others that have to be emptied.
    private(set) var emptied: Set<UInt64> = []
    /// Numbers of entries of others that nobody can search: broken deflate, masks of frames that are none.
    private(set) var hidden: Set<UInt64> = []
    private(set) var mentions: Mentions

    private let names: Set<String>
    private let words: Mentions
    private let limits: Limits
    /// Of sessions that no user is known of: their request heads name one.
    private var named: Set<SessionID> = []
    private var owned: Set<SessionID> = []
    /// Of sessions that somebody else is in as well: not all credentials in their heads are the user's.
    private var shared: Set<SessionID> = []
    private var bearers: [SessionID: Set<String>] = [:]
    private var credentials: [SessionID: Set<String>] = [:]
    private var open: [Stream: Open] = [:]
    private var tails: [Stream: Tail] = [:]

    private struct Stream: Hashable {
        var session: SessionID?
        var direction: Direction
    }
    /// The last bytes that are no frames, and the records that they came in.
    private struct Tail {
        var bytes: [UInt8] = []
        var pieces: [(number: UInt64, count: Int)] = []
    }
    /// A message begun.
    private struct Open {
        var joined: [UInt8] = []
        var numbers: [UInt64] = []
        var isWhole = true
        var isCompressed = false
        var isTheirs = false
    }

    /// - Parameters:
    ///   - others: what else names the user: an address, an id.
    ///   - known: what an earlier reading found to name them, to be searched for once more.
    init(_ name: String, others: [String], limits: Limits, known: Mentions? = nil) {
        names = Set(([name] + others).map { $0.lowercased() })
        self.limits = limits
        words = Mentions(words: [name] + others)
        mentions = known ?? words
    }

    // MARK: First reading

    mutating func learn(_ entry: Entry) {
        guard let session = entry.session else { return }
        switch entry.body {
        case .facts(let facts):
            if facts.user != nil { owned.insert(session) }
            if let tag = facts.tag { bearers[session, default: []].insert(tag) }
            let isTheirs = facts.user.map { isSame($0) } ?? false
            if isTheirs || facts.rivals.contains(where: isSame) { sessions.insert(session) }
            if !(facts.rivals + (facts.user.map { [$0] } ?? [])).allSatisfy(isSame) { shared.insert(session) }
            if isTheirs, let tag = facts.tag { tags.insert(tag) }
        case .head(let head) where head.passage.direction == .toServer:
            if words.isIn(Array(head.bytes.readableBytesView)) { named.insert(session) }
            let view = HeadView(head.bytes)
            // Other secrets, a cookie that chooses a colour, are many users'.
            let found = StandardSecrets().secrets(inRequest: view).filter(\.isCredential).map(\.value)
            credentials[session, default: []].formUnion(
                found.filter { $0.utf8.count >= Redactor.leastRepeated && !$0.contains("‹") })
        default: break
        }
    }

    private func isSame(_ other: String) -> Bool { names.contains(other.lowercased()) }

    /// Between the readings: whose credentials are whose.
    /// - Parameter isRaw: credentials stand in the recording as they were.
    mutating func conclude(isRaw: Bool) {
        sessions.formUnion(named.subtracting(owned))
        for tag in tags.sorted() { mentions.add(tag: tag) }
        if isRaw {
            let theirs = sessions.subtracting(shared).reduce(into: Set<String>()) { $0.formUnion(credentials[$1] ?? []) }
            for value in theirs.sorted() { mentions.add(word: value) }
            for (session, borne) in credentials where !borne.isDisjoint(with: theirs) { sessions.insert(session) }
        }
        for (session, borne) in bearers where !borne.isDisjoint(with: tags) { sessions.insert(session) }
        (bearers, credentials, named, owned, shared) = ([:], [:], [], [], [])
    }

    // MARK: Second reading

    mutating func mark(_ entry: Entry) {
        let session = entry.session
        if let session, sessions.contains(session) { return }
        switch entry.body {
        case .frame(let record): mark(record, entry.number, Stream(session: session, direction: record.passage.direction))
        case .bytes(let record): mark(record, entry.number, Stream(session: session, direction: record.passage.direction))
        case .head(let head): if isTheirs(head.provenance) { emptied.insert(entry.number) }
        case .closed:
            for direction in [Direction.toServer, .toClient] { close(Stream(session: session, direction: direction)) }
        default: break
        }
    }

    /// Nothing follows: messages that never ended are searched as far as they came.
    mutating func finish() {
        for stream in open.keys { close(stream) }
        tails = [:]
    }

    private func isTheirs(_ provenance: Provenance) -> Bool { provenance.source.map { sessions.contains($0.session) } ?? false }

    private mutating func mark(_ record: FrameRecord, _ number: UInt64, _ stream: Stream) {
        let payload = Array(record.frame.payload.readableBytesView)
        if !record.frame.opcode.isOfMessage {
            let whole = record.message?.payload.map { Array($0.readableBytesView) } ?? []
            if isTheirs(record.provenance) || mentions.isIn(payload) || mentions.isIn(whole) { emptied.insert(number) }
            return
        }
        if record.frame.opcode != .continuation { close(stream) }
        var message = open.removeValue(forKey: stream) ?? Open()
        message.numbers.append(number)
        message.isTheirs = message.isTheirs || isTheirs(record.provenance)
        message.isCompressed = message.isCompressed || record.frame.firstByte & 0x40 != 0
        if message.joined.count + payload.count <= limits.messageBytes { message.joined += payload } else { message.isWhole = false }
        guard let whole = record.message else {
            open[stream] = message
            return
        }
        if let plain = whole.payload {
            if mentions.isIn(Array(plain.readableBytesView)) { message.isTheirs = true }
            // What could be inflated was searched as plain text; its frames are the same once more.
            if message.isCompressed { message.joined = [] }
            message.isCompressed = false
        }
        settle(message)
    }

    private mutating func close(_ stream: Stream) {
        if let message = open.removeValue(forKey: stream) { settle(message) }
    }

    /// What cannot be searched is not kept, once the user is found anywhere.
    private mutating func settle(_ message: Open) {
        let isHidden = !message.isWhole || message.isCompressed && !message.joined.isEmpty
        if message.isTheirs || mentions.isIn(message.joined) {
            emptied.formUnion(message.numbers)
        } else if isHidden {
            hidden.formUnion(message.numbers)
        }
    }

    /// Bytes that are no frames: a mention may lie across the borders of records, however small they are.
    private mutating func mark(_ record: BytesRecord, _ number: UInt64, _ stream: Stream) {
        let bytes = Array(record.bytes.readableBytesView)
        guard !bytes.isEmpty else { return }
        var tail = tails.removeValue(forKey: stream) ?? Tail()
        if isTheirs(record.provenance) || mentions.isIn(bytes) {
            emptied.insert(number)
            return
        }
        if Self.isHidden(record, stream.direction) { hidden.insert(number) }
        tail.pieces.append((number, bytes.count))
        if tail.pieces.count > 1, mentions.isIn(tail.bytes + bytes.prefix(mentions.reach)) {
            emptied.formUnion(tail.pieces.map(\.number))
            return
        }
        tail.bytes = Array((tail.bytes + bytes.suffix(mentions.reach)).suffix(mentions.reach))
        var count = tail.pieces.reduce(0) { $0 + $1.count }
        while let first = tail.pieces.first, count - first.count >= mentions.reach {
            tail.pieces.removeFirst()
            count -= first.count
        }
        tails[stream] = tail
    }

    /// A client masks what it sends, and in a frame that is none nobody can say with what; what is opaque and no text may be
    /// packed, masked or encrypted.
    private static func isHidden(_ record: BytesRecord, _ direction: Direction) -> Bool {
        switch record.kind {
        case .illegal, .oversize, .partial: direction == .toServer
        case .opaque: record.bytes.readableBytesView.contains { $0 < 0x20 && $0 != 0x09 && $0 != 0x0a && $0 != 0x0d }
        case .preamble, .missing: false
        }
    }
}
