import NIOCore
import Wire

/// One session's open questions: what came in and has not gone out, and the reverse.
struct SessionLedger: Sendable {
    /// Something that passed one tap only.
    private struct Half: Sendable {
        var direction: Direction
        var arrived: Bool
        var instant: Instant
        var size: UInt64
        var what: String
        /// Frames of one message stand and fall together: the ordinal of its first.
        var group: UInt32
        var content: Content?
        /// It leaves re-encoded: it needs no partner, but what leaves for it must say the same.
        var isRecoded = false
    }

    /// What a frame that ends a message says.
    private struct Content: Sendable {
        var frame: UInt64
        var message: UInt64

        init?(_ record: FrameRecord) {
            // What was cut out depends on what was known as a secret by then.
            guard !record.redacted, let message = record.message?.payload else { return nil }
            frame = SessionLedger.hash(record.frame.payload)
            self.message = SessionLedger.hash(message)
        }

        /// Compressed anew the frame differs; of a client that begins a message inside another the message does, when not
        /// all of its frames went the same way.
        func isSame(as other: Content) -> Bool { frame == other.frame || message == other.message }
    }

    /// A frame that passed both taps of its direction.
    struct Whole {
        var direction: Direction
        var size: UInt64
    }

    /// Bytes at each tap.
    private struct Sums: Sendable {
        private(set) var clientIn: UInt64 = 0
        private(set) var serverOut: UInt64 = 0
        private(set) var serverIn: UInt64 = 0
        private(set) var clientOut: UInt64 = 0

        mutating func add(_ size: UInt64, _ direction: Direction, arrived: Bool, left: Bool) {
            switch direction {
            case .toServer:
                if arrived { clientIn &+= size }
                if left { serverOut &+= size }
            case .toClient:
                if arrived { serverIn &+= size }
                if left { clientOut &+= size }
            }
        }

        subscript(tap: Tap) -> UInt64 {
            switch tap {
            case .clientIn: clientIn
            case .serverOut: serverOut
            case .serverIn: serverIn
            case .clientOut: clientOut
            }
        }
    }

    private let id: SessionID
    private var halves: [UInt32: Half] = [:]
    /// Frames of a message that came in behind its first one.
    private var members: [UInt32: [UInt32]] = [:]
    private var overflow: (direction: Direction, count: Int)?
    /// Explained by what came before them, or members of a message that was explained; the latest of them.
    private var explained: [UInt32] = []
    private var group: [Direction: UInt32] = [:]
    private var sums = Sums()
    private var undelivered: [Side: UInt64] = [:]
    private var ends: [Side: Instant] = [:]
    private var endedByTool = false
    private var limited: Set<Direction> = []
    /// A fault ended or changed the connection as a whole from here on.
    private var broken: Instant?
    private var changed: [LedgerDifference] = []

    private static let mostHalves = 65_536
    private static let mostExplained = 4_096

    init(_ id: SessionID) { self.id = id }

    mutating func observe(_ entry: Entry, _ ref: EntryRef) {
        switch entry.body {
        case .head(let head):
            count(head.passage, head.wireSize)
            note(ref, head.passage, head.wireSize, "a head", head.provenance, content: nil)
        case .bytes(let bytes) where bytes.kind == .missing:
            // Nobody counted them.
            limited.insert(bytes.passage.direction)
        case .bytes(let bytes):
            count(bytes.passage, bytes.wireSize)
            note(ref, bytes.passage, bytes.wireSize, "a piece", bytes.provenance, content: nil)
        case .frame(let frame): observe(frame, ref)
        case .ended(let end):
            if ends[end.side] == nil { ends[end.side] = entry.instant }
            undelivered[end.side, default: 0] &+= end.undelivered
            if end.by == .tool { endedByTool = true }
            if end.by == .fault, broken == nil { broken = entry.instant }
        case .recoded(let recoded):
            if recoded.on.session == id { recode(recoded.on.ordinal) }
        case .limit(let limit):
            // What is too large to lift passes all the same.
            if limit.id == "L4" || limit.id == "L5" { return }
            for direction in limit.direction.map({ [$0] }) ?? Direction.allCases { limited.insert(direction) }
        case .fault(let fault):
            if fault.applied, fault.influence.reach == .openOperations, broken == nil { broken = entry.instant }
        default: break
        }
    }

    private mutating func observe(_ frame: FrameRecord, _ ref: EntryRef) {
        count(frame.passage, frame.wireSize)
        let direction = frame.passage.direction
        let isHalf = frame.passage.in == nil || frame.passage.out == nil
        guard isHalf else { return }
        let content = Content(frame)
        note(
            ref, frame.passage, frame.wireSize, "a frame", frame.provenance, content: content,
            continues: frame.frame.opcode == .continuation, ends: frame.frame.fin, isAside: !frame.frame.opcode.isOfMessage)
        if let source = frame.provenance.source, frame.provenance.faults.isEmpty, source.session == id {
            compare(ref, source, direction, content)
        }
    }

    private mutating func count(_ passage: Passage, _ size: UInt64) {
        sums.add(size, passage.direction, arrived: passage.in != nil, left: passage.out != nil)
    }

    mutating func count(_ frame: Whole) { sums.add(frame.size, frame.direction, arrived: true, left: true) }

    private mutating func note(
        _ ref: EntryRef, _ passage: Passage, _ size: UInt64, _ what: String, _ provenance: Provenance, content: Content?,
        continues: Bool = false, ends: Bool = true, isAside: Bool = false
    ) {
        let arrived = passage.in != nil
        guard arrived != (passage.out != nil), size > 0, ref.ordinal > 0 else { return }
        // What left with a source or a fault behind it is explained by that.
        if !arrived, provenance.source != nil || !provenance.faults.isEmpty { return }
        let direction = passage.direction
        var first = ref.ordinal
        // What stands between the fragments of a message is none of them (RFC 6455 section 5.4).
        if arrived, !isAside {
            if continues, let begun = group[direction] {
                first = begun
                members[first, default: []].append(ref.ordinal)
            }
            group[direction] = ends ? nil : first
        }
        if explained.contains(ref.ordinal) || explained.contains(first) {
            explain(first)
            return
        }
        guard halves.count < SessionLedger.mostHalves else {
            overflow = (direction, (overflow?.count ?? 0) + 1)
            return
        }
        halves[ref.ordinal] = Half(
            direction: direction, arrived: arrived, instant: passage.in ?? passage.out ?? .zero, size: size, what: what,
            group: first, content: content)
    }

    private mutating func recode(_ ordinal: UInt32) {
        guard let half = halves[ordinal] else { return explain(ordinal) }
        for member in [ordinal, half.group] + (members[half.group] ?? []) { halves[member]?.isRecoded = true }
    }

    /// The frame of this ordinal, and its message, need no partner.
    mutating func explain(_ ordinal: UInt32) {
        let group = halves[ordinal]?.group ?? ordinal
        halves[ordinal] = nil
        halves[group] = nil
        for member in members.removeValue(forKey: group) ?? [] { halves[member] = nil }
        if explained.count >= SessionLedger.mostExplained { explained.removeFirst(SessionLedger.mostExplained / 2) }
        explained.append(ordinal)
        if group != ordinal { explained.append(group) }
    }

    /// It left in another form and no fault had a hand in it: its content must be the same.
    private mutating func compare(_ ref: EntryRef, _ source: EntryRef, _ direction: Direction, _ content: Content?) {
        guard let content, let origin = halves[source.ordinal]?.content, !origin.isSame(as: content) else { return }
        changed.append(
            LedgerDifference(
                session: id, direction: direction, ref: ref,
                sentence: "what came in as \(source) left changed as \(ref), and no fault explains it"))
    }

    /// The session is over: what is still unexplained.
    func settled(_ totals: Totals) -> [LedgerDifference] {
        var found = changed
        for ordinal in halves.keys.sorted() {
            guard let half = halves[ordinal], !isExplained(half) else { continue }
            let (first, second) = SessionLedger.taps(half.direction)
            let size = "\(half.what) of \(half.size) byte\(half.size == 1 ? "" : "s")"
            found.append(
                LedgerDifference(
                    session: id, direction: half.direction, ref: EntryRef(session: id, ordinal: ordinal),
                    sentence: half.arrived
                        ? "\(size) came in at \(first.rawValue) and never left at \(second.rawValue); nothing explains it"
                        : "\(size) left at \(second.rawValue) and never came in at \(first.rawValue); nothing explains it"))
        }
        if let overflow {
            found.append(
                LedgerDifference(
                    session: id, direction: overflow.direction, ref: nil,
                    sentence: "\(overflow.count) more frames without a partner could not be followed"))
        }
        return found + countDifferences(totals)
    }

    private func isExplained(_ half: Half) -> Bool {
        if half.isRecoded || limited.contains(half.direction) { return true }
        if let broken, half.instant >= broken { return true }
        if half.arrived {
            // The peer was gone when it came, or was never reached.
            if let end = ends[half.direction.destination], half.instant >= end { return true }
            // It came before, and waited for the rest of its message or for a fault when the peer went.
            let lost = undelivered[half.direction.destination, default: 0]
            if lost >= half.size { return true }
            // A part of it left: then what came in is what went out and what was told to be lost, to the byte.
            let (first, second) = SessionLedger.taps(half.direction)
            if lost > 0, sums[first] == sums[second] &+ lost { return true }
            return sums[half.direction == .toServer ? .serverOut : .clientOut] == 0 && !ends.isEmpty
        }
        // Our own answer for a server that is not there, or our own Close when we end.
        if endedByTool { return true }
        return half.what == "a head" && ends[half.direction.source] != nil
    }

    private func countDifferences(_ totals: Totals) -> [LedgerDifference] {
        var found: [LedgerDifference] = []
        let rows: [(Tap, UInt64, Direction, UInt64)] = [
            (.clientIn, totals.clientIn, .toServer, 0),
            (.serverOut, totals.serverOut, .toServer, undelivered[.server, default: 0]),
            (.serverIn, totals.serverIn, .toClient, 0),
            (.clientOut, totals.clientOut, .toClient, undelivered[.client, default: 0]),
        ]
        for (tap, socket, direction, lost) in rows {
            let journal = sums[tap]
            if socket <= journal, journal - socket <= lost { continue }
            let word = tap == .clientIn || tap == .serverIn ? "took" : "gave"
            found.append(
                LedgerDifference(
                    session: id, direction: direction, ref: nil,
                    sentence: "the socket \(word) \(socket) bytes at \(tap.rawValue), the journal accounts for \(journal)"))
        }
        return found
    }

    private static func taps(_ direction: Direction) -> (Tap, Tap) {
        direction == .toServer ? (.clientIn, .serverOut) : (.serverIn, .clientOut)
    }

    /// FNV-1a: equal content is all that is asked.
    private static func hash(_ payload: ByteBuffer) -> UInt64 {
        // Not through the view: unoptimised, sixteen MiB of a bomb took it the better part of a minute.
        let bytes = payload.readableBytesUInt8Span
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in bytes.indices { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01b3 }
        return hash
    }
}
