import Journaling
import NIOCore
import Wire

/// One TLS connection: reads along the handshake and both directions, and passes on what it could decrypt.
///
/// A direction that needs something which is not there yet (the other side's hello, a secret) holds its items until it
/// is, within bounds; so the order of the two directions in a capture does not matter.
final class TLSFlow {
    let connection: Connection
    let shared: TLSShared
    let client = TLSDirection(.client)
    let server = TLSDirection(.server)
    var clientHello: TLSClientHello?
    var serverHello: TLSServerHello?
    /// Of `serverHello`; nil while it is nil.
    var suite: CipherSuite?
    /// HelloRetryRequest: the client says hello again.
    var retries = (asked: false, answered: false)
    var acceptsEarlyData: Bool?
    var alerts = 0
    /// It is over, and is kept for the secret that it lacks.
    var departure: Departure?
    /// Whether any record of application data was decrypted, and what was the first reason against one.
    var didOpen = false
    var trouble: TLSTrouble?

    enum Departure {
        case over
        case gone(WallTime)
    }

    init(_ connection: Connection, shared: TLSShared) {
        self.connection = connection
        self.shared = shared
    }

    subscript(_ side: Side) -> TLSDirection { side == .client ? client : server }

    /// What a key log would name this connection by, while a direction waits for its secret.
    var wanted: ClientRandom? {
        if case .secret = client.need { return clientHello?.random }
        if case .secret = server.need { return clientHello?.random }
        return nil
    }

    /// Both sides have, so that nothing more comes.
    var hasEnded: Bool { client.hasEnded && server.hasEnded }

    func receive(_ item: TLSDirection.Item, from side: Side, at time: WallTime) throws(ImportError) {
        let direction = self[side]
        if case .ended = item { direction.hasEnded = true }
        if direction.need != nil {
            try hold(item, direction, time)
        } else {
            try take(item, direction, time)
        }
        try settle()
    }

    /// Secrets came, or the other side's hello did: whoever waited for that goes on, both directions in the order of time.
    func settle() throws(ImportError) {
        while client.isHeldUp || server.isHeldUp, let direction = ready { try resume(direction) }
    }

    private var ready: TLSDirection? {
        let ready = [client, server].filter { $0.need.map(isMet) ?? $0.isHeldUp }
        return ready.min { $0.nextTime < $1.nextTime }
    }

    /// Bytes of memory that wait for a secret.
    var cost: Int { [client, server].reduce(0) { $0 + $1.heldCost + $1.inputCost } }

    /// Nothing more comes: says what is missing.
    func end() throws(ImportError) {
        // One note for a connection: both directions mostly lack the same.
        if let trouble = unmet() { try giveUp(trouble) }
        for direction in [client, server] { try conclude(direction) }
    }

    // MARK: Waiting

    private func isMet(_ need: TLSDirection.Need) -> Bool {
        switch need {
        case .hello(.client): return clientHello != nil
        case .hello(.server): return serverHello != nil || retries.asked && !retries.answered
        case .secret(let labels):
            guard let random = clientHello?.random else { return false }
            return labels.contains { shared.keys.secret($0, of: random) != nil }
        }
    }

    private func unmet() -> TLSTrouble? {
        var labels: [KeyLog.Label] = []
        for direction in [client, server] where !direction.isDone {
            switch direction.need {
            case .secret(let needed): labels += needed.filter { !labels.contains($0) }
            case .hello(let side): return .helloMissing(side)
            case nil: break
            }
        }
        guard !labels.isEmpty, let random = clientHello?.random else { return nil }
        let hasLog = shared.following != .never || shared.keys.count > 0
        return .secretMissing(labels, random, knownConnections: hasLog ? shared.keys.count : nil)
    }

    private func hold(_ item: TLSDirection.Item, _ direction: TLSDirection, _ time: WallTime) throws(ImportError) {
        if !mayHold(item.cost, direction) {
            try shared.look()
            try settle()
            guard direction.need != nil else { return try take(item, direction, time) }
        }
        guard mayHold(item.cost, direction) else {
            direction.time = time
            // What ends the direction is not lost with it.
            try giveUp(unmet() ?? .waitedTooLong)
            return try take(item, direction, time)
        }
        direction.heldCost += item.cost
        shared.held += item.cost
        guard case .bytes(let bytes) = item else { return direction.held.append((item, time)) }
        // Memory of its own: a slice would keep its packet's buffer alive.
        direction.held.append((.bytes(ByteBuffer(bytes: bytes.readableBytesView)), time))
    }

    private func mayHold(_ cost: Int, _ direction: TLSDirection) -> Bool {
        direction.heldCost + direction.inputCost + cost <= shared.bounds.held
            && shared.held + cost <= shared.bounds.heldInAll
    }

    /// One step: what is left of the input, or the next item.
    private func resume(_ direction: TLSDirection) throws(ImportError) {
        if direction.need != nil {
            direction.need = nil
            shared.held -= direction.inputCost
            direction.inputCost = 0
            try read(direction)
            try settleInput(direction)
        } else if let (item, time) = direction.held.popFirst() {
            direction.heldCost -= item.cost
            shared.held -= item.cost
            try take(item, direction, time)
        }
    }

    private func take(_ item: TLSDirection.Item, _ direction: TLSDirection, _ time: WallTime) throws(ImportError) {
        direction.time = time
        switch item {
        case .bytes(let bytes):
            guard !direction.isDone else { return }
            direction.append(bytes)
            try read(direction)
            try settleInput(direction)
        case .gap:
            guard !direction.isDone else { return }
            let missesHello = direction.side == .client ? clientHello == nil : serverHello == nil
            if missesHello { return try giveUp(.helloMissing(direction.side)) }
            try lose(direction, .missingBytes(direction.side))
        case .ended(let style):
            try conclude(direction)
            try passEnd(direction, style)
        }
    }

    /// What is left of the input waits in memory of its own, and counts while it waits for more than bytes.
    private func settleInput(_ direction: TLSDirection) throws(ImportError) {
        direction.keep()
        guard direction.need != nil, direction.inputCost == 0 else { return }
        let cost = direction.input.readableBytes
        if !mayHold(cost, direction) {
            try shared.look()
            // Who settles goes on with it.
            guard let need = direction.need, !isMet(need) else { return }
            return try giveUp(unmet() ?? .waitedTooLong)
        }
        direction.inputCost = cost
        shared.held += cost
    }

    // MARK: Ends

    /// Bytes that never made a record, records that never opened: said before the direction ends.
    private func conclude(_ direction: TLSDirection) throws(ImportError) {
        guard !direction.isDone, direction.need == nil else { return }
        if direction.input.readableBytes > 0 {
            try lose(direction, .cut(direction.side, bytes: direction.input.readableBytes))
        } else if case .searching = direction.phase {
            try lose(direction, .unauthentic(direction.side, record: direction.records))
        } else if direction.maySkip, direction.skipped.records > 0 {
            try lose(direction, .unauthentic(direction.side, record: direction.records))
        }
    }

    func passEnd(_ direction: TLSDirection, _ style: EndStyle) throws(ImportError) {
        guard !direction.passedEnd else { return }
        let other = self[direction.side.other]
        if style == .reset, !other.passedEnd {
            // A reset ends both sides: what the other one waits for comes too late.
            if !other.isDone, other.isHeldUp {
                try say(unmet() ?? .waitedTooLong)
                try close(other)
            }
            other.passedEnd = true
            guard !direction.passedEnd else { return }
        }
        direction.passedEnd = true
        try shared.next.ended(connection.id, from: direction.side, style, at: direction.time)
    }

    /// One direction cannot be read any further.
    func lose(_ direction: TLSDirection, _ trouble: TLSTrouble) throws(ImportError) {
        try say(trouble)
        try close(direction)
        // Without its hello the other direction has no keys either.
        let misses = direction.side == .client ? clientHello == nil : serverHello == nil
        if misses { try close(self[direction.side.other]) }
    }

    /// Neither direction can be read any further.
    func giveUp(_ trouble: TLSTrouble) throws(ImportError) {
        try say(trouble)
        for direction in [client, server] { try close(direction) }
    }

    private func close(_ direction: TLSDirection) throws(ImportError) {
        guard !direction.isDone else { return }
        let held = direction.held
        shared.held -= direction.heldCost + direction.inputCost
        direction.held = []
        (direction.heldCost, direction.inputCost) = (0, 0)
        direction.lose()
        try passGap(direction)
        for (item, time) in held {
            guard case .ended(let style) = item else { continue }
            direction.time = time
            try passEnd(direction, style)
        }
    }

    func passGap(_ direction: TLSDirection) throws(ImportError) {
        guard !direction.passedEnd else { return }
        try shared.next.gap(connection.id, from: direction.side, count: 0, at: direction.time)
    }

    func say(_ trouble: TLSTrouble) throws(ImportError) {
        if self.trouble == nil, trouble.closes { self.trouble = trouble }
        let name = clientHello?.serverName.map { " (\($0))" } ?? ""
        try shared.next.note(
            connection.id, "TLS of \(connection.client) with \(connection.server)\(name): \(trouble.sentence)")
    }
}
