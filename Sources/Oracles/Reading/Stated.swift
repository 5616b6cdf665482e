import Journaling
import Wire

/// What a profile says that the far side does about a fault, once for each time that the fault acted.
struct Stated: Sendable {
    let number: UInt64
    let fault: FaultRecord
    let expect: Expectation
    /// The fault's entry.
    let entry: Entry
    let session: SessionID
    let user: Principal
    /// Nil: what its bound begins with has not happened yet.
    var pending: Pending?
    /// The session on which what is awaited would come.
    var watched: SessionID
    /// The server sent an error event, which may stand before a close.
    var hasError = false
    /// Whose doing is awaited: who gets what the fault made.
    var farSide: Side { fault.tap == .clientOut ? .client : .server }

    /// ``f2 drop-auth``
    var name: String { "\(fault.id) \(fault.kind)" }
}

/// Everything that is stated and not settled, found by its session.
struct StatedBook: Sendable {
    /// Beyond it the oldest is given up as undecided.
    static let most = 4_096

    private(set) var all: [UInt64: Stated] = [:]
    private var bySession: [SessionID: [UInt64]] = [:]
    private var recoveries: [Principal: [UInt64]] = [:]
    private var deliveries: [EntryRef: [UInt64]] = [:]
    private(set) var last: UInt64 = 0

    var isEmpty: Bool { all.isEmpty }
    var oldest: UInt64? { all.count > Self.most ? all.keys.min() : nil }
    var numbers: [UInt64] { all.keys.sorted() }

    subscript(number: UInt64) -> Stated? { all[number] }

    mutating func add(_ fault: FaultRecord, _ expect: Expectation, _ entry: Entry, _ session: SessionID, _ user: Principal) -> UInt64 {
        last += 1
        all[last] = Stated(
            number: last, fault: fault, expect: expect, entry: entry, session: session, user: user, watched: session)
        bySession[session, default: []].append(last)
        if expect.what == .recovers { recoveries[user, default: []].append(last) }
        if expect.what == .delivered, let on = fault.on { deliveries[on, default: []].append(last) }
        return last
    }

    mutating func change(_ number: UInt64, _ body: (inout Stated) -> Void) {
        guard var stated = all[number] else { return }
        body(&stated)
        all[number] = stated
    }

    mutating func remove(_ number: UInt64) -> Stated? {
        guard let stated = all.removeValue(forKey: number) else { return nil }
        Self.drop(number, from: &bySession, stated.session)
        Self.drop(number, from: &recoveries, stated.user)
        if let on = stated.fault.on { Self.drop(number, from: &deliveries, on) }
        return stated
    }

    private static func drop<Key: Hashable>(_ number: UInt64, from table: inout [Key: [UInt64]], _ key: Key) {
        table[key]?.removeAll { $0 == number }
        if table[key]?.isEmpty == true { table[key] = nil }
    }

    func of(_ session: SessionID) -> [UInt64] { bySession[session] ?? [] }
    func recoveries(of user: Principal) -> [UInt64] { recoveries[user] ?? [] }
    func deliveries(of entry: EntryRef) -> [UInt64] { deliveries[entry] ?? [] }
}

/// What passed lately: a fault that lets something through is told of behind it.
struct LatelyPassed: Sendable {
    private static let most = 64
    private var refs: [EntryRef] = []
    private var next = 0

    mutating func note(_ ref: EntryRef) {
        if refs.count < Self.most { refs.append(ref) } else { refs[next] = ref }
        next = (next + 1) % Self.most
    }

    func contains(_ ref: EntryRef) -> Bool { refs.contains(ref) }
}
