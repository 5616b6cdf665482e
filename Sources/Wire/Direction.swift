/// One of the two peers of a session, seen from the proxy.
package enum Side: String, Sendable, Hashable, CaseIterable {
    case client, server

    package var other: Side { self == .client ? .server : .client }
    /// The direction of what this side sends.
    package var outgoing: Direction { self == .client ? .toServer : .toClient }
}

/// Which way bytes travel through the proxy.
package enum Direction: String, Sendable, Hashable, CaseIterable {
    case toServer, toClient

    package var other: Direction { self == .toServer ? .toClient : .toServer }
    /// The side whose bytes travel this way.
    package var source: Side { self == .toServer ? .client : .server }
    package var destination: Side { self == .toServer ? .server : .client }
}
