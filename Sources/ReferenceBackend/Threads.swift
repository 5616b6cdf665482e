import NIOCore

/// A conversation; it belongs to who opened it.
struct ConversationThread: Sendable {
    struct Event: Sendable {
        let sequence: Int
        /// The message as it was sent.
        let bytes: ByteBuffer
    }

    let owner: String
    /// What the ids of the thread and of all its runs have in common, such as `chat_1757371363786`.
    let stem: String
    var lastSequence = 0
    /// The latest events, oldest first, whether or not anybody heard them.
    fileprivate(set) var events: [Event] = []
    /// The first event that came while nobody listened.
    var unheard: Int?
    /// A connection went in the midst of a run here: some of its events may never have arrived.
    var isTorn = false
    /// Order of the latest events among all threads.
    fileprivate(set) var activity: UInt64 = 0

    /// What a resume can still replay; older events stand in the history alone.
    var window: ArraySlice<Event> { events.suffix(Self.windowSize) }

    static let windowSize = 12
    static let historySize = 256
}

/// The threads known, each for as long as 100,000 newer ones have not come, with what was said in them.
struct ThreadTable: Sendable {
    static let limit = 100_000
    /// Bytes of all events kept together; beyond them the oldest go.
    static let byteLimit = 64 << 20
    private var threads: [String: ConversationThread] = [:]
    private var owned: [String: [String]] = [:]
    private var order = Queue<String>()
    /// The thread of each event kept, oldest first.
    private var log = Queue<String>()
    private var bytes = 0
    private var activity: UInt64 = 0

    subscript(_ id: String) -> ConversationThread? { threads[id] }

    mutating func insert(_ thread: ConversationThread, id: String) {
        threads[id] = thread
        owned[thread.owner, default: []].append(id)
        order.append(id)
        guard order.count > Self.limit, let oldest = order.popFirst() else { return }
        guard let gone = threads.removeValue(forKey: oldest) else { return }
        bytes -= gone.events.reduce(0) { $0 + $1.bytes.readableBytes }
        owned[gone.owner]?.removeAll { $0 == oldest }
        if owned[gone.owner]?.isEmpty == true { owned[gone.owner] = nil }
    }

    /// A user's threads, the one with the latest event last.
    func threads(of user: String) -> [String] {
        let mine = (owned[user] ?? []).filter { threads[$0].map { identical($0.owner, user) } ?? false }
        return mine.sorted { (threads[$0]?.activity ?? 0) < (threads[$1]?.activity ?? 0) }
    }

    /// Somebody hears it again from the beginning of a resume on.
    mutating func heal(_ id: String) {
        threads[id]?.unheard = nil
        threads[id]?.isTorn = false
    }

    mutating func tear(_ id: String) { threads[id]?.isTorn = true }

    /// Nobody listens to that event.
    mutating func miss(_ sequence: Int, in id: String) {
        threads[id]?.isTorn = true
        if threads[id]?.unheard == nil { threads[id]?.unheard = sequence }
    }

    /// Counts by one for each event of a thread.
    mutating func nextSequence(in id: String) -> Int? {
        guard let last = threads[id]?.lastSequence else { return nil }
        threads[id]?.lastSequence = last + 1
        return last + 1
    }

    mutating func keep(_ event: ByteBuffer, sequence: Int, in id: String) {
        guard threads[id] != nil else { return }
        activity += 1
        threads[id]?.activity = activity
        threads[id]?.events.append(.init(sequence: sequence, bytes: event))
        bytes += event.readableBytes
        log.append(id)
        if threads[id]?.events.count ?? 0 > ConversationThread.historySize { dropFirst(of: id) }
        while bytes > Self.byteLimit || log.count > Self.limit * 4, let oldest = log.popFirst() { dropFirst(of: oldest) }
    }

    private mutating func dropFirst(of id: String) {
        guard threads[id]?.events.isEmpty == false, let first = threads[id]?.events.removeFirst() else { return }
        bytes -= first.bytes.readableBytes
    }
}

/// First in, first out; what went is let go of in large pieces.
private struct Queue<Element: Sendable>: Sendable {
    private var elements: [Element?] = []
    private var head = 0

    var count: Int { elements.count - head }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let first = elements[head]
        elements[head] = nil
        head += 1
        if head > 4_096, head > elements.count / 2 {
            elements.removeFirst(head)
            head = 0
        }
        return first
    }
}
