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
    private(set) var mentions: Mentions

    private let name: String
    private let words: Mentions
    private let limits: Limits
    /// Of sessions that no user is known of: their request heads name one.
    private var named: Set<SessionID> = []
    private var owned: Set<SessionID> = []
    private var bearers: [SessionID: Set<String>] = [:]
    private var credentials: [SessionID: [String]] = [:]
    private var open: [Stream: Open] = [:]
    private var tails: [Stream: (bytes: [UInt8], number: UInt64)] = [:]

    private struct Stream: Hashable {
        var session: SessionID
        var direction: Direction
    }
    /// A message begun.
    private struct Open {
        var joined: [UInt8] = []
        var numbers: [UInt64] = []
        var isWhole = true
        var isCompressed = false
        var isTheirs = false
    }

    /// - Parameter others: what else names the user: an address, an id.
    init(_ name: String, others: [String], limits: Limits) {
        self.name = name
        self.limits = limits
        words = Mentions(words: [name] + others)
        mentions = words
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
            if isTheirs, let tag = facts.tag { tags.insert(tag) }
        case .head(let head) where head.passage.direction == .toServer:
            if words.isIn(Array(head.bytes.readableBytesView)) { named.insert(session) }
            let view = HeadView(head.bytes)
            let found = StandardSecrets().secrets(inRequest: view).map(\.value)
            credentials[session, default: []] += found.filter { $0.utf8.count >= Redactor.leastRepeated && !$0.contains("‹") }
        default: break
        }
    }

    private func isSame(_ other: String) -> Bool { other.lowercased() == name.lowercased() }

    /// Between the readings: whose credentials are whose.
    /// - Parameter isRaw: credentials stand in the recording as they were.
    mutating func conclude(isRaw: Bool) {
        sessions.formUnion(named.subtracting(owned))
        for tag in tags.sorted() { mentions.add(tag: tag) }
        if isRaw {
            for session in sessions.sorted() {
                for value in credentials[session] ?? [] { mentions.add(word: value) }
            }
        }
        for (session, borne) in bearers where !borne.isDisjoint(with: tags) { sessions.insert(session) }
        (bearers, credentials, named, owned) = ([:], [:], [], [])
    }

    // MARK: Second reading

    mutating func mark(_ entry: Entry) {
        guard let session = entry.session, !sessions.contains(session) else { return }
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
        if record.frame.opcode.isControl {
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

    /// What cannot be searched is not kept.
    private mutating func settle(_ message: Open) {
        let isHidden = !message.isWhole || message.isCompressed && !message.joined.isEmpty
        if message.isTheirs || isHidden || mentions.isIn(message.joined) { emptied.formUnion(message.numbers) }
    }

    /// Bytes that are no frames: a mention may lie across the border of two records.
    private mutating func mark(_ record: BytesRecord, _ number: UInt64, _ stream: Stream) {
        let bytes = Array(record.bytes.readableBytesView)
        let before = tails[stream]
        if isTheirs(record.provenance) || mentions.isIn(bytes) {
            emptied.insert(number)
        } else if let before, !bytes.isEmpty, mentions.isIn(before.bytes + bytes.prefix(4_096)) {
            emptied.formUnion([before.number, number])
        }
        tails[stream] = (Array(bytes.suffix(4_096)), number)
    }
}
