package import Journaling
package import NIOCore
package import Wire

/// Between an importer and what reads connections: decrypts those that are TLS 1.2 or 1.3 with the secrets of a key log
/// and passes all others on untouched (captures.md). So it does with what a tunnel holds that CONNECT opened.
///
/// For each TLS connection the next sink gets the application data as bytes, close_notify as an orderly end, and one
/// sentence with a gap of count 0 wherever the rest of a direction cannot be decrypted. Never a byte that did not
/// authenticate. Secrets may come later than the records that they open, within `Bounds`.
package final class TLSLayer: ConnectionSink {
    package struct Bounds: Sendable, Hashable {
        /// Bytes of one direction that wait for a secret.
        package var held = 64 << 10
        /// The same of all connections.
        package var heldInAll = 32 << 20
        /// Connections that are over and still wait for a secret which may be written.
        package var departed = 256
        /// Alerts of one connection that are told.
        package var alerts = 4
        package init() {}
    }

    /// Connections that began with a TLS handshake or looked like the middle of one.
    package struct Counts: Sendable, Hashable {
        package var tls = 0
        /// Those of which some application data was decrypted.
        package var opened = 0
        /// Those of which something stayed closed, for whatever reason.
        package var closed = 0
    }

    private enum State {
        case sniffing(TLSSniffer)
        case tls(TLSFlow)
        case tunnel(TunnelEntrance)
    }

    /// A proxy behind a proxy is real; a chain of them is somebody's trap.
    private static let mostTunnels = 4

    let shared: TLSShared
    /// Those that are not here are no TLS.
    private var states: [Connection.ID: State] = [:]
    private var waiting: [ClientRandom: Set<Connection.ID>] = [:]
    /// Connections that are over and lack a secret, oldest first.
    private var departed: [TLSFlow] = []
    package private(set) var counts = Counts()

    package init(next: any ConnectionSink, keyLog: KeyLog = KeyLog(), bounds: Bounds = Bounds()) {
        var keys = keyLog
        _ = keys.takeLearnt()
        shared = TLSShared(next: next, keys: keys, bounds: bounds)
    }

    /// Secrets that stand in the capture itself: the content of a Decryption Secrets Block, at that place of the file.
    /// Connections that waited for them go on.
    package func add(secrets: ByteBuffer, place: String) throws(ImportError) {
        let known = shared.keys.problemCount
        let told = try learn(place) { $0.add(secrets) }
        try tellMore(shared.keys.problemCount - known - told, place)
    }

    /// Takes what the key log says next, tells which lines of it are wrong as far as they are kept, and lets those go on who
    /// waited.
    /// - Returns: how many were told.
    @discardableResult
    func learn(_ place: String, _ change: (inout KeyLog) -> Void) throws(ImportError) -> Int {
        let kept = shared.keys.problems.count
        change(&shared.keys)
        for problem in shared.keys.problems.dropFirst(kept) {
            try shared.next.note(nil, "\(place) line \(problem.line): \(problem.reason)")
        }
        for random in shared.keys.takeLearnt() {
            for id in (waiting[random] ?? []).sorted() {
                guard case .tls(let flow) = states[id] else { continue }
                try flow.settle()
                list(flow, random)
                if flow.departure != nil, flow.wanted == nil { try letGo(flow) }
            }
        }
        return shared.keys.problems.count - kept
    }

    /// Wrong lines that are only counted.
    func tellMore(_ count: Int, _ place: String) throws(ImportError) {
        if count > 0 { try shared.next.note(nil, "\(place): \(count) more wrong line\(count == 1 ? "" : "s")") }
    }

    package func opened(_ connection: Connection, at time: WallTime) throws(ImportError) {
        states[connection.id] = .sniffing(TLSSniffer(connection, bound: shared.bounds.held))
        try shared.next.opened(connection, at: time)
    }

    package func bytes(
        _ id: Connection.ID, from side: Side, _ bytes: ByteBuffer, at time: WallTime
    ) throws(ImportError) {
        if states[id] == nil { return try shared.next.bytes(id, from: side, bytes, at: time) }
        if bytes.readableBytes > 0 { try receive(.bytes(bytes), id, from: side, at: time) }
    }

    package func gap(
        _ id: Connection.ID, from side: Side, count: UInt64, at time: WallTime
    ) throws(ImportError) {
        try receive(.gap(count), id, from: side, at: time)
    }

    package func ended(
        _ id: Connection.ID, from side: Side, _ style: EndStyle, at time: WallTime
    ) throws(ImportError) {
        try receive(.ended(style), id, from: side, at: time)
        // When both sides have ended nobody says `gone`.
        let isOver =
            switch states[id] {
            case .sniffing(let sniffer): sniffer.hasEnded
            case .tls(let flow): flow.hasEnded
            case .tunnel(let entrance): entrance.hasEnded
            case nil: false
            }
        if isOver { try leave(id, .over) }
    }

    package func gone(_ id: Connection.ID, at time: WallTime) throws(ImportError) { try leave(id, .gone(time)) }

    private func leave(_ id: Connection.ID, _ departure: TLSFlow.Departure) throws(ImportError) {
        if case .tls(let flow) = states[id], flow.wanted != nil {
            try shared.look()
            if shared.following == .now, flow.wanted != nil { return try keep(flow, departure) }
        }
        try finish(id, departure)
    }

    private func finish(_ id: Connection.ID, _ departure: TLSFlow.Departure) throws(ImportError) {
        try conclude(id)
        if case .gone(let time) = departure { try shared.next.gone(id, at: time) }
    }

    /// A client may write its secrets when its connection is over already. Few are kept for that, and the oldest go first.
    private func keep(_ flow: TLSFlow, _ departure: TLSFlow.Departure) throws(ImportError) {
        if flow.departure == nil { departed.append(flow) }
        flow.departure = departure
        var cost = departed.reduce(0) { $0 + $1.cost }
        while departed.count > shared.bounds.departed || cost > shared.bounds.heldInAll / 4, let oldest = departed.first {
            cost -= oldest.cost
            try letGo(oldest)
        }
    }

    private func letGo(_ flow: TLSFlow) throws(ImportError) {
        departed.removeAll { $0 === flow }
        if let departure = flow.departure { try finish(flow.connection.id, departure) }
    }

    /// No more secrets come.
    func letAllGo() throws(ImportError) { while let flow = departed.first { try letGo(flow) } }

    /// Says what is missing of a connection that is over, and forgets it.
    private func conclude(_ id: Connection.ID) throws(ImportError) {
        switch states[id] {
        case .sniffing(let sniffer): try act(sniffer.end(), sniffer)
        case .tunnel(let entrance): try go(entrance, .plain)
        case .tls, nil: break
        }
        guard case .tls(let flow) = states.removeValue(forKey: id) else { return }
        let random = flow.wanted
        try flow.end()
        list(flow, random)
        if flow.didOpen { counts.opened += 1 }
        if flow.trouble != nil { counts.closed += 1 }
    }

    package func note(_ id: Connection.ID?, _ sentence: String) throws(ImportError) {
        try shared.next.note(id, sentence)
    }

    private func receive(
        _ item: TLSDirection.Item, _ id: Connection.ID, from side: Side, at time: WallTime
    ) throws(ImportError) {
        switch states[id] {
        case nil: try pass(item, id, side, time)
        case .tls(let flow):
            let random = flow.wanted
            try flow.receive(item, from: side, at: time)
            if random != nil || flow.wanted != nil { list(flow, random) }
        case .sniffing(let sniffer): try act(sniffer.receive(item, from: side, at: time), sniffer)
        case .tunnel(let entrance):
            let cost = entrance.cost
            let verdict = entrance.receive(item, from: side, at: time)
            shared.held += entrance.cost - cost
            try go(entrance, verdict)
        }
    }

    /// Passes on what is plain, and goes on with what the tunnel holds when there is one.
    private func go(_ entrance: TunnelEntrance, _ verdict: TunnelEntrance.Verdict) throws(ImportError) {
        let id = entrance.connection.id
        for (side, piece) in entrance.takePassed() { try pass(piece.item, id, side, piece.time) }
        var verdict = verdict
        if verdict == .more, entrance.waitingCost > shared.bounds.held || shared.held > shared.bounds.heldInAll {
            verdict = .plain
            try shared.next.note(
                id,
                "tunnel of \(entrance.connection.client) through \(entrance.connection.server): more bytes waited for the "
                    + "answer to CONNECT than are held; what comes of it is not decrypted")
        }
        guard verdict != .more else { return }
        shared.held -= entrance.cost
        let isOpen = verdict == .open && entrance.depth < Self.mostTunnels
        states[id] = isOpen ? .sniffing(TLSSniffer(entrance.connection, bound: shared.bounds.held, depth: entrance.depth + 1)) : nil
        // A tunnel within it goes on in here, as deep as there may be tunnels.
        for (side, piece) in entrance.takeRest() { try receive(piece.item, id, from: side, at: piece.time) }
    }

    private func act(_ verdict: TLSSniffer.Verdict, _ sniffer: TLSSniffer) throws(ImportError) {
        let connection = sniffer.connection
        switch verdict {
        case .more: break
        case .plain:
            states[connection.id] = nil
            for (item, side, time) in sniffer.items { try pass(item, connection.id, side, time) }
        case .connect:
            states[connection.id] = .tunnel(TunnelEntrance(connection, depth: sniffer.depth))
            for (item, side, time) in sniffer.items { try receive(item, connection.id, from: side, at: time) }
        case .tls, .closed:
            let flow = TLSFlow(connection, shared: shared)
            states[connection.id] = .tls(flow)
            counts.tls += 1
            if case .closed(let trouble) = verdict {
                flow.client.time = sniffer.items.first?.time ?? 0
                flow.server.time = flow.client.time
                try flow.giveUp(trouble)
            }
            for (item, side, time) in sniffer.items { try flow.receive(item, from: side, at: time) }
            list(flow, nil)
        }
    }

    private func pass(
        _ item: TLSDirection.Item, _ id: Connection.ID, _ side: Side, _ time: WallTime
    ) throws(ImportError) {
        switch item {
        case .bytes(let bytes): try shared.next.bytes(id, from: side, bytes, at: time)
        case .gap(let count): try shared.next.gap(id, from: side, count: count, at: time)
        case .ended(let style): try shared.next.ended(id, from: side, style, at: time)
        }
    }

    /// Keeps `waiting` true: who waits stands there under its random, `old` is the one it stood under.
    private func list(_ flow: TLSFlow, _ old: ClientRandom?) {
        let id = flow.connection.id
        let new = states[id] == nil ? nil : flow.wanted
        guard new != old else { return }
        if let old {
            waiting[old]?.remove(id)
            if waiting[old]?.isEmpty == true { waiting[old] = nil }
        }
        if let new { waiting[new, default: []].insert(id) }
    }
}
