package import Faults
package import Journaling
import Synchronization

/// Which user's sessions live on which loop: the only thing that all loops share about sessions.
package final class SessionDirectory: Sendable {
    package struct Place: Sendable, Hashable {
        package var session: SessionID
        package var loop: Int
        /// Nil until the upgrade names the user.
        package var label: String?
        /// Messages are exchanged within one: among sessions that go to the same servers.
        package var realm: String
        package init(session: SessionID, loop: Int, label: String?, realm: String = "") {
            self.session = session
            self.loop = loop
            self.label = label
            self.realm = realm
        }
    }

    private struct State {
        var sessions: [SessionID: Place] = [:]
        var labels: [String: [Place]] = [:]
    }
    private let state = Mutex(State())

    package init() {}

    package func list(_ place: Place) {
        state.withLock { state in
            SessionDirectory.take(place.session, in: &state)
            state.sessions[place.session] = place
            if let label = place.label { state.labels[label, default: []].append(place) }
        }
    }

    package func remove(_ session: SessionID) {
        state.withLock { SessionDirectory.take(session, in: &$0) }
    }

    private static func take(_ session: SessionID, in state: inout State) {
        guard let place = state.sessions.removeValue(forKey: session), let label = place.label else { return }
        state.labels[label]?.removeAll { $0.session == session }
        if state.labels[label]?.isEmpty == true { state.labels[label] = nil }
    }

    /// The session a crossing goes to. A named user's first live session; for `other` the label with the highest draw
    /// (rendezvous hashing), so that the choice depends on who is there and never on the order of their arrival.
    package func partner(for crossing: Crossing) -> Place? {
        state.withLock { state in
            let realm = state.sessions[crossing.from]?.realm ?? ""
            func first(_ label: String) -> Place? {
                SessionDirectory.first((state.labels[label] ?? []).filter { $0.realm == realm }, but: crossing.from)
            }
            switch crossing.selector.partner {
            case .user(let label): return first(label)
            case .session(let id): return id == crossing.from || state.sessions[id]?.realm != realm ? nil : state.sessions[id]
            case .other(let draw):
                let candidates = state.labels.lazy.filter { label, places in
                    label != crossing.fromUser && places.contains { $0.realm == realm }
                }
                let best = candidates.map(\.key).max { (weight($0, draw), $0) < (weight($1, draw), $1) }
                return best.flatMap(first)
            }
        }
    }

    package func place(of session: SessionID) -> Place? { state.withLock { $0.sessions[session] } }

    private static func first(_ places: [Place], but session: SessionID) -> Place? {
        places.filter { $0.session != session }.min { $0.session < $1.session }
    }
}

/// FNV-1a over the label, mixed with the draw (SplitMix64's finaliser).
private func weight(_ label: String, _ draw: UInt64) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in label.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    var z = hash ^ draw
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
}
