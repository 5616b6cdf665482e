package import Journaling
package import NIOCore
package import Wire

/// Between an importer and what reads connections: decrypts those that are TLS 1.2 or 1.3 with the secrets of a key log
/// and passes all others on untouched (captures.md).
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
    }

    private let shared: TLSShared
    /// Those that are not here are no TLS.
    private var states: [Connection.ID: State] = [:]
    private var waiting: [ClientRandom: Set<Connection.ID>] = [:]
    package private(set) var counts = Counts()

    package init(next: any ConnectionSink, keyLog: KeyLog = KeyLog(), bounds: Bounds = Bounds()) {
        var keys = keyLog
        _ = keys.takeLearnt()
        shared = TLSShared(next: next, keys: keys, bounds: bounds)
    }

    /// Secrets that stand in the capture itself: the content of a Decryption Secrets Block, at that place of the file.
    /// Connections that waited for them go on.
    package func add(secrets: ByteBuffer, place: String) throws(ImportError) {
        let (kept, known) = (shared.keys.problems.count, shared.keys.problemCount)
        shared.keys.add(secrets)
        for problem in shared.keys.problems.dropFirst(kept) {
            try shared.next.note(nil, "\(place) line \(problem.line): \(problem.reason)")
        }
        let more = (shared.keys.problemCount - known) - (shared.keys.problems.count - kept)
        if more > 0 { try shared.next.note(nil, "\(place): \(more) more wrong lines") }
        for random in shared.keys.takeLearnt() {
            for id in (waiting[random] ?? []).sorted() {
                guard case .tls(let flow) = states[id] else { continue }
                try flow.settle()
                list(flow, random)
            }
        }
    }

    package func opened(_ connection: Connection, at time: WallTime) throws(ImportError) {
        states[connection.id] = .sniffing(TLSSniffer(connection, bound: shared.bounds.held))
        try shared.next.opened(connection, at: time)
    }

    package func bytes(
        _ id: Connection.ID, from side: Side, _ bytes: ByteBuffer, at time: WallTime
    ) throws(ImportError) {
        guard let state = states[id] else { return try shared.next.bytes(id, from: side, bytes, at: time) }
        guard bytes.readableBytes > 0 else { return }
        try receive(.bytes(bytes), state, from: side, at: time)
    }

    package func gap(
        _ id: Connection.ID, from side: Side, count: UInt64, at time: WallTime
    ) throws(ImportError) {
        guard let state = states[id] else { return try shared.next.gap(id, from: side, count: count, at: time) }
        try receive(.gap(count), state, from: side, at: time)
    }

    package func ended(
        _ id: Connection.ID, from side: Side, _ style: EndStyle, at time: WallTime
    ) throws(ImportError) {
        guard let state = states[id] else { return try shared.next.ended(id, from: side, style, at: time) }
        try receive(.ended(style), state, from: side, at: time)
        // When both sides have ended nobody says `gone`.
        let isOver =
            switch states[id] {
            case .sniffing(let sniffer): sniffer.hasEnded
            case .tls(let flow): flow.hasEnded
            case nil: false
            }
        if isOver { try conclude(id) }
    }

    package func gone(_ id: Connection.ID, at time: WallTime) throws(ImportError) {
        try conclude(id)
        try shared.next.gone(id, at: time)
    }

    /// Says what is missing of a connection that is over, and forgets it.
    private func conclude(_ id: Connection.ID) throws(ImportError) {
        if case .sniffing(let sniffer) = states[id] { try act(sniffer.end(), sniffer) }
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
        _ item: TLSDirection.Item, _ state: State, from side: Side, at time: WallTime
    ) throws(ImportError) {
        switch state {
        case .tls(let flow):
            let random = flow.wanted
            try flow.receive(item, from: side, at: time)
            if random != nil || flow.wanted != nil { list(flow, random) }
        case .sniffing(let sniffer): try act(sniffer.receive(item, from: side, at: time), sniffer)
        }
    }

    private func act(_ verdict: TLSSniffer.Verdict, _ sniffer: TLSSniffer) throws(ImportError) {
        let connection = sniffer.connection
        switch verdict {
        case .more: break
        case .plain:
            states[connection.id] = nil
            for (item, side, time) in sniffer.items { try pass(item, connection.id, side, time) }
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
