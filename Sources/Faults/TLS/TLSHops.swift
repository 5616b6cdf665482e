package import Wire

/// Which hops of a session speak TLS, as far as faults need to know. A shell sets it before the session begins; where
/// nobody does, none.
package struct TLSHops: Sendable, Hashable {
    package enum Hop: Sendable, Hashable {
        case plain
        /// - Parameter hasAuthority: certificates can be signed as the other side expects them to be.
        case tls(hasAuthority: Bool)
    }
    package var client: Hop
    package var server: Hop
    /// The client's handshake has not begun.
    package var clientIsOpen = true

    package init(client: Hop = .plain, server: Hop = .plain) {
        self.client = client
        self.server = server
    }

    package func isTLS(_ side: Side) -> Bool { (side == .client ? client : server) != .plain }

    /// Why a fault cannot shape this side's handshake; nil = it can.
    func objection(toShaping side: Side) -> String? {
        guard isTLS(side) else { return "the \(side.rawValue)'s hop is not wss" }
        guard side == .server || clientIsOpen else { return "the client's handshake is over before its user or path is known" }
        return nil
    }
}

extension Parcel {
    /// What a fault that shapes a handshake answers: its orders go ahead of everything else of the connection.
    func shaped(_ side: Side, _ orders: TLSOrders, in scene: Scene, detail: String) -> Action {
        if let objection = scene.hops.objection(toShaping: side) { return .notApplied(objection) }
        return .effects([.tls(side, orders), .forward(self, at: nil)], detail: detail)
    }
}
