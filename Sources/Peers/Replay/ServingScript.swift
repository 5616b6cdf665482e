import Journaling
import NIOCore
import Plans
import Wire

/// What the server said and heard in one recorded session, in order, and how far a client under test has got in it.
struct ServingScript: Sendable {
    enum Item: Sendable {
        /// Places in the talk.
        case request(Int)
        case answer(Int)
        case close(Talk.Closing)
    }
    let talk: Talk
    let items: [(item: Item, at: Instant)]
    var next = 0
    /// Recorded requests that came, and those that are given up.
    var met: Set<Int> = []
    var skipped: Set<Int> = []
    var connection: Int?
    var isOver = false
    var result: SessionComparison
    /// When the last item was done.
    var lastAt = Instant.zero
    /// Since when a request is waited for although a later one came.
    var overdueSince: Instant?
    var received = 0
    /// The last of the recorded requests that came.
    var latest = -1

    init(_ talk: Talk) {
        self.talk = talk
        result = SessionComparison(session: talk.session, user: talk.user)
        result.messages = talk.requests.count
        result.isTorn = talk.isTorn
        // What cannot be said as it was may change what the client says next.
        result.undecided = talk.answers.count { $0.payload == nil }
        result.recordedLength = talk.opened.duration(to: talk.ended)
        var items: [(item: Item, at: Instant, order: Int)] = []
        items += talk.requests.enumerated().map { (.request($0), $1.at, $1.order) }
        items += talk.answers.enumerated().filter { $0.element.payload != nil }.map { (.answer($0), $1.at, $1.order) }
        items.sort { ($0.at, $0.order) < ($1.at, $1.order) }
        if let close = talk.serverClose, close.isFirst { items.append((.close(close), close.at, .max)) }
        self.items = items.map { ($0.item, $0.at) }
    }

    private var firstOpen = 0

    /// Recorded requests that still wait, in order.
    var open: [Int] { talk.requests.indices.dropFirst(firstOpen).filter { !met.contains($0) && !skipped.contains($0) } }
    /// The next of them, as far as a client may be ahead.
    var near: [Int] {
        Array(talk.requests.indices.dropFirst(firstOpen).lazy.filter { !met.contains($0) && !skipped.contains($0) }.prefix(256))
    }

    /// Recorded without its bytes, or said to a server whose words before it are missing: nobody can be blamed for it.
    func isUnknown(_ request: Int) -> Bool {
        let said = talk.requests[request]
        return said.payload == nil || talk.tornToClient.map { said.at >= $0 } ?? false
    }

    /// The client does not say it.
    mutating func lack(_ request: Int, _ sentence: String = "the client does not send it") {
        guard !isUnknown(request) else {
            result.undecided += 1
            return
        }
        let said = talk.requests[request]
        result.missing += 1
        result.differences.append(Difference(kind: .missing, number: said.number, title: said.title, sentence: sentence))
    }

    mutating func meet(_ request: Int) {
        met.insert(request)
        latest = max(latest, request)
        while firstOpen < talk.requests.count, met.contains(firstOpen) || skipped.contains(firstOpen) { firstOpen += 1 }
    }

    /// Recorded pause before the item that is next.
    var gap: Duration {
        let before = next > 0 ? items[next - 1].at : talk.answeredAt ?? talk.opened
        return items.indices.contains(next) ? max(.zero, before.duration(to: items[next].at)) : .zero
    }

    /// What did not come is missing.
    mutating func conclude(at now: Instant, opened: Instant?) {
        guard !isOver else { return }
        isOver = true
        if let opened { result.nowLength = opened.duration(to: now) }
        for index in open {
            if connection == nil { lack(index, "no client connects for this session") } else { lack(index) }
        }
        if open.isEmpty, connection == nil, talk.requests.isEmpty {
            var difference = Difference(kind: .missing, number: 0, title: "upgrade", sentence: "no client connects for this session")
            difference.subject = .upgrade
            result.missing += 1
            result.differences.append(difference)
        }
    }
}
