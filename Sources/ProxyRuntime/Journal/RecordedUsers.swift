import Contracts
import Faults
import Journaling

/// Which sessions a recording holds when the profile's scope names users (trust.md T37): theirs. Of any other session only
/// that there was one is known afterwards. Until a session has told its user its entries wait in memory; one that never
/// does, or says too much before, is not recorded.
///
/// A session belongs to the users whom its first credential at Cin names, all of whom must be in the scope: what a fault made
/// of it is still what they sent. What is kept is numbered anew, so that a line that gets lost later shows. What waited comes
/// to the recording at the instant at which it is let go, as a reader may be past its own; its passages keep theirs.
struct RecordedUsers {
    private enum Standing {
        case waits([Entry], bytes: Int)
        case kept, left
    }
    private let scope: Profile.Scope
    /// A message may still bring a credential that the head lacks.
    private let mayNameLater: Bool
    /// Of one session: both heads (trust.md L1), and a first message of that size.
    private let most: Int
    private let mostOfAll: Int
    private var sessions: [SessionID: Standing] = [:]
    private var waiting = 0
    /// Sessions that are not recorded, of those that are decided.
    private(set) var leftOut = 0

    private var number: UInt64 = 0
    private var sequences: [UInt16: UInt64] = [:]
    private var last = Instant(nanoseconds: .min)
    private var lastLoop: UInt16 = 0

    init(_ scope: Profile.Scope, _ contract: Contract?, _ limits: Limits) {
        self.scope = scope
        let identity = contract?.identity ?? IdentityRules()
        mayNameLater = !identity.user.isEmpty && identity.credential.contains { if case .request = $0.kind { true } else { false } }
        most = 4 * limits.headBytes
        mostOfAll = limits.recorderBytes
    }

    /// Appends what the recording holds of these, and what they let go.
    mutating func pass(_ entries: [Entry], into kept: inout [Entry]) {
        for entry in entries { pass(entry, into: &kept) }
    }

    private mutating func pass(_ entry: Entry, into kept: inout [Entry]) {
        guard let id = entry.session else { return place(entry, into: &kept) }
        var isOver = false
        if case .closed = entry.body { isOver = true }
        switch sessions[id] {
        case .kept:
            place(withoutOthers(entry), into: &kept)
            if isOver { sessions[id] = nil }
        case .left:
            if isOver { sessions[id] = nil }
        case .waits, nil:
            let isKnown = wait(entry, id) ? decision(entry) : false
            if let isKnown { isKnown ? release(id, into: &kept) : leave(id) }
            if isOver { sessions[id] = nil }
        }
    }

    /// Nil: it is not known yet.
    private func decision(_ entry: Entry) -> Bool? {
        switch entry.body {
        case .facts(let facts):
            let users = (facts.user.map { [$0] } ?? []) + facts.rivals
            if users.isEmpty { return mayNameLater ? nil : false }
            return users.allSatisfy { scope.covers(user: $0) }
        case .became(.opaque), .became(.refused), .closed: return false
        case .became(.accepted): return mayNameLater ? nil : false
        default: return nil
        }
    }

    /// False: it waits no longer, for that is more than is kept.
    private mutating func wait(_ entry: Entry, _ id: SessionID) -> Bool {
        var held: [Entry] = []
        var bytes = 0
        if case .waits(let known, let size)? = sessions.removeValue(forKey: id) { (held, bytes) = (known, size) }
        held.append(entry)
        let cost = Self.cost(of: entry)
        bytes += cost
        waiting += cost
        sessions[id] = .waits(held, bytes: bytes)
        return bytes <= most && waiting <= mostOfAll
    }

    private mutating func release(_ id: SessionID, into kept: inout [Entry]) {
        guard case .waits(let held, let bytes)? = sessions.updateValue(.kept, forKey: id) else { return }
        waiting -= bytes
        for entry in held { place(withoutOthers(entry), into: &kept) }
    }

    private mutating func leave(_ id: SessionID) {
        if case .waits(_, let bytes)? = sessions.updateValue(.left, forKey: id) { waiting -= bytes }
        leftOut += 1
    }

    /// What an entry keeps in memory, about.
    private static func cost(of entry: Entry) -> Int {
        let overhead = 512
        switch entry.body {
        case .head(let head): return overhead + head.bytes.readableBytes
        case .bytes(let bytes): return overhead + bytes.bytes.readableBytes
        case .frame(let frame):
            return overhead + frame.frame.payload.readableBytes + (frame.message?.payload?.readableBytes ?? 0)
        default: return overhead
        }
    }

    /// A crossing names the user whom it went to, or came from.
    private func withoutOthers(_ entry: Entry) -> Entry {
        guard case .fault(var fault) = entry.body, let partner = fault.partner, !scope.covers(user: partner) else { return entry }
        fault.partner = nil
        if !partner.isEmpty { fault.detail = fault.detail.replacing(partner, with: "another user") }
        var entry = entry
        entry.body = .fault(fault)
        return entry
    }

    /// In the recording's own order: (instant, loop, sequence), numbered from 1.
    private mutating func place(_ entry: Entry, into kept: inout [Entry]) {
        var entry = entry
        if (entry.instant, entry.loop) < (last, lastLoop) {
            entry.instant = entry.loop < lastLoop ? last.advanced(by: .nanoseconds(1)) : last
        }
        number += 1
        entry.number = number
        entry.sequence = sequences[entry.loop, default: 0]
        sequences[entry.loop] = entry.sequence + 1
        (last, lastLoop) = (entry.instant, entry.loop)
        kept.append(entry)
    }

    /// The recording ends: how many sessions it lacks, for whoever reads it.
    mutating func conclude(at end: Instant, into kept: inout [Entry]) {
        for id in sessions.keys.sorted() { if case .waits? = sessions[id] { leave(id) } }
        guard leftOut > 0 else { return }
        let which = leftOut == 1 ? "1 session outside the users of the scope was" : "\(leftOut) sessions outside the users of the scope were"
        place(Entry(instant: end, loop: lastLoop, sequence: 0, ref: nil, body: .note(which + " not recorded")), into: &kept)
    }
}
