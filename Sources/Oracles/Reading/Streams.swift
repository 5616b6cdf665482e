import Journaling

/// Numbers of one stream that came, as ranges in order. The lowest are forgotten when there are too many holes.
struct Numbers: Sendable {
    private static let most = 64
    private(set) var ranges: [ClosedRange<Int>] = []

    var isEmpty: Bool { ranges.isEmpty }
    var last: Int? { ranges.last?.upperBound }

    func contains(_ number: Int) -> Bool {
        for range in ranges.reversed() where range.lowerBound <= number { return range.upperBound >= number }
        return false
    }

    mutating func insert(_ number: Int) {
        if let last = ranges.last, last.upperBound == number - 1 {
            ranges[ranges.count - 1] = last.lowerBound...number
        } else if !contains(number) {
            insert(number...number)
        }
    }

    mutating func insert(_ range: ClosedRange<Int>) {
        var joined = range
        ranges.removeAll { other in
            guard other.lowerBound <= range.upperBound + 1, other.upperBound + 1 >= range.lowerBound else { return false }
            joined = min(joined.lowerBound, other.lowerBound)...max(joined.upperBound, other.upperBound)
            return true
        }
        ranges.insert(joined, at: ranges.firstIndex { $0.lowerBound > joined.upperBound } ?? ranges.count)
        if ranges.count > Self.most { ranges.removeFirst() }
    }

    mutating func remove(_ number: Int) {
        guard let index = ranges.firstIndex(where: { $0.contains(number) }) else { return }
        let range = ranges.remove(at: index)
        if range.upperBound > number { ranges.insert(number + 1...range.upperBound, at: index) }
        if range.lowerBound < number { ranges.insert(range.lowerBound...number - 1, at: index) }
    }

    /// Those of a range that did not come.
    func missing(in wanted: ClosedRange<Int>) -> Numbers {
        var missing = Numbers()
        var next = wanted.lowerBound
        for range in ranges where range.upperBound >= next && range.lowerBound <= wanted.upperBound {
            if range.lowerBound > next { missing.ranges.append(next...range.lowerBound - 1) }
            next = range.upperBound + 1
        }
        if next <= wanted.upperBound { missing.ranges.append(next...wanted.upperBound) }
        return missing
    }

    mutating func formUnion(_ other: Numbers) {
        for range in other.ranges { insert(range) }
    }
}

/// What counts for itself: a thread of a user, or all that the user gets.
struct StreamKey: Sendable, Hashable {
    var user: Principal
    var name: String
}

/// One stream as it came, on whichever connections of its user.
struct StreamState: Sendable {
    /// What came of it on one connection.
    struct Carrier: Sendable {
        let session: SessionID
        var seen = Numbers()
        /// Told to be missing: when one comes after all, it is said already.
        var missed = Numbers()
        /// When the latest came.
        var at: Instant
    }

    let key: StreamKey
    var seen = Numbers()
    /// The last few connections.
    var carriers: [Carrier] = []
    /// Missing on one connection while the user had another, which may bring them yet.
    var doubtful = Numbers()
    var latest: Entry?
    static let mostCarriers = 4
}

/// All streams, the oldest forgotten first.
struct Streams: Sendable {
    /// How a number stands to what came before.
    struct Step: Sendable {
        /// The highest number of the stream before; nil for a new one.
        var last: Int?
        var wasSeen = false
        /// The highest number on this connection before; nil for the first there.
        var lastHere: Int?
        var wasSeenHere = false
        var wasMissed = false
        var lastHereAt: Instant?
        /// What is missing between the two, on every connection.
        var missing = Numbers()
        /// The event before, and the connections that the stream came on.
        var before: Entry?
        var sessions: [SessionID] = []
    }

    /// Beyond it a number is none that counts events.
    static let highest = 1 << 53
    private static let mostOfUser = 16
    private static let mostBytesKept = 16_384

    private var slots: [StreamState] = []
    private var places: [StreamKey: Int] = [:]
    private var next = 0
    private let capacity: Int
    /// The latest streams of each user, the latest last.
    private var recent: Fading<Principal, [StreamKey]>
    /// Numbers that reached somebody else.
    private var strayed: Fading<String, Bool>

    init(capacity: Int) {
        self.capacity = max(1, capacity)
        recent = Fading(capacity: capacity)
        strayed = Fading(capacity: 4_096)
    }

    subscript(_ key: StreamKey) -> StreamState? { places[key].map { slots[$0] } }

    func streams(of user: Principal) -> [StreamKey] { recent[user] ?? [] }
    /// More than are remembered: an older one may be meant.
    func mayHaveMore(_ user: Principal) -> Bool { (recent[user]?.count ?? 0) >= Self.mostOfUser }

    mutating func stray(_ number: Int, of name: String) { strayed.set("\(number) \(name)", true) }

    func haveStrayed(_ numbers: Numbers, of name: String) -> Bool {
        !numbers.isEmpty && numbers.ranges.allSatisfy { range in
            range.count <= 64 && range.allSatisfy { strayed["\($0) \(name)"] != nil }
        }
    }

    /// How the number stands, without taking it.
    func standing(_ number: Int, of key: StreamKey, on session: SessionID) -> Step {
        guard let place = places[key] else { return Step() }
        let state = slots[place]
        var step = Step(last: state.seen.last, wasSeen: state.seen.contains(number))
        if let carrier = state.carriers.last(where: { $0.session == session }), let last = carrier.seen.last {
            step.lastHere = last
            step.lastHereAt = carrier.at
            if number > last + 1 { step.missing = state.seen.missing(in: last + 1...number - 1) }
            if number <= last {
                step.wasSeenHere = carrier.seen.contains(number)
                step.wasMissed = carrier.missed.contains(number)
            }
            if number == last + 1 { return step }
        }
        step.before = state.latest
        step.sessions = state.carriers.map(\.session)
        return step
    }

    mutating func take(_ number: Int, of key: StreamKey, on session: SessionID, _ entry: Entry, at: Instant) {
        let place = places[key] ?? begin(key)
        slots[place].seen.insert(number)
        if !slots[place].doubtful.isEmpty { slots[place].doubtful.remove(number) }
        let index = slots[place].carriers.lastIndex { $0.session == session } ?? carry(place, session, at)
        slots[place].carriers[index].seen.insert(number)
        slots[place].carriers[index].at = at
        slots[place].latest = Self.isSmall(entry) ? entry : nil
        if recent[key.user]?.last != key { touch(key) }
    }

    mutating func miss(_ missing: Numbers, of key: StreamKey, on session: SessionID, isDoubtful: Bool) {
        guard let place = places[key] else { return }
        if let index = slots[place].carriers.lastIndex(where: { $0.session == session }) {
            slots[place].carriers[index].missed.formUnion(missing)
        }
        if isDoubtful { slots[place].doubtful.formUnion(missing) }
    }

    /// Its numbers begin anew.
    mutating func forget(_ key: StreamKey) {
        guard let place = places[key] else { return }
        slots[place] = StreamState(key: key)
    }

    /// The client asked to hear again, on that connection, what was said there.
    mutating func restart(_ session: SessionID, of user: Principal) {
        for key in streams(of: user) {
            guard let place = places[key] else { continue }
            slots[place].carriers.removeAll { $0.session == session }
        }
    }

    /// A connection of the user is gone: what was missing may have gone with it.
    mutating func lose(_ user: Principal) {
        for key in streams(of: user) { if let place = places[key] { slots[place].doubtful = Numbers() } }
    }

    /// Users of whom something is missing that another connection may have brought, in order.
    var doubtful: [StreamKey] { slots.filter { !$0.doubtful.isEmpty }.map(\.key) }

    private mutating func begin(_ key: StreamKey) -> Int {
        let state = StreamState(key: key)
        guard slots.count >= capacity else {
            slots.append(state)
            places[key] = slots.count - 1
            return slots.count - 1
        }
        let place = next
        next = (next + 1) % capacity
        places[slots[place].key] = nil
        slots[place] = state
        places[key] = place
        return place
    }

    private mutating func carry(_ place: Int, _ session: SessionID, _ at: Instant) -> Int {
        if slots[place].carriers.count >= StreamState.mostCarriers { slots[place].carriers.removeFirst() }
        slots[place].carriers.append(StreamState.Carrier(session: session, at: at))
        return slots[place].carriers.count - 1
    }

    private mutating func touch(_ key: StreamKey) {
        var keys = streams(of: key.user)
        keys.removeAll { $0 == key }
        if keys.count >= Self.mostOfUser { keys.removeFirst() }
        keys.append(key)
        recent.set(key.user, keys)
    }

    /// What a stream remembers must not keep large messages alive.
    private static func isSmall(_ entry: Entry) -> Bool {
        guard case .frame(let frame) = entry.body else { return false }
        return frame.frame.payload.readableBytes <= mostBytesKept && (frame.message?.payload?.readableBytes ?? 0) <= mostBytesKept
    }
}
