package import Faults
import Journaling

/// The faults of one listener as they are now.
package struct ListenerFaults: Sendable {
    /// Empty where there is one listener.
    package var listener: String
    /// What acts, or would if faults were not stopped.
    package var profile: Profile?
    /// How long the profile has been on, by the monotonic clock that `expires` goes by.
    package var age: Duration
    /// Times that faults of the profile acted.
    package var acted: Int
}

/// Faults of a running proxy: each change takes effect at once on live sessions, and none waits for a session.
extension ProxyServer {
    /// What acts now, or would if faults were not stopped; the first listener's, where there are several.
    package var profile: Profile? { shared.profile }
    /// Of each listener, in their order.
    package var faults: [ListenerFaults] { shared.faults }
    /// Times that faults of the profile acted.
    package var faultsActed: Int { shared.acted }

    /// A sentence for the journal that concerns the whole proxy.
    package func note(_ text: String) {
        shared.loops.execute(on: 0) { $0.note(text) }
    }
    package var faultsAreStopped: Bool { shared.faultsAreOff }

    /// Another profile in place of the one there is; nil = no faults. Faults that are in both under one id and mean the
    /// same keep what they know; of a profile of the same name, clock and budget go on.
    /// - Parameter listener: its place among `faults`; nil = all.
    package func apply(_ profile: Profile?, to listener: Int? = nil) {
        shared.change(at: listener) { _ in profile }
        let place = listener.flatMap { shared.gateways.indices.contains($0) ? shared.gateways[$0].route.name : nil } ?? ""
        note((place.isEmpty ? "" : "\(place): ") + (profile.map { "profile \($0.name) \($0.hash) is on" } ?? "no profile is on"))
    }

    /// - Throws: the id is taken, there are too many, or nothing can be made of it.
    package func add(_ rule: FaultRule) throws(FaultChangeError) { try change { rules throws(FaultChangeError) in
        if rules.contains(where: { $0.id == rule.id }) { throw .idTaken(rule.id) }
        rules.append(rule)
    } }

    /// The fault of that id is this one from now on.
    package func update(_ rule: FaultRule) throws(FaultChangeError) { try change { rules throws(FaultChangeError) in
        guard let place = rules.firstIndex(where: { $0.id == rule.id }) else { throw .unknown(rule.id) }
        rules[place] = rule
    } }

    package func remove(_ id: String) throws(FaultChangeError) { try change { rules throws(FaultChangeError) in
        guard let place = rules.firstIndex(where: { $0.id == id }) else { throw .unknown(id) }
        rules.remove(at: place)
    } }

    /// Kill switch: every fault stops, on live sessions too, until `restoreFaults`.
    package func stopFaults() { shared.stopFaults() }

    /// Takes the kill switch back.
    package func restoreFaults() { shared.restoreFaults() }

    private func change(
        _ body: (inout [FaultRule]) throws(FaultChangeError) -> Void
    ) throws(FaultChangeError) {
        let most = shared.options.limits.faults
        do {
            try shared.change { old in
                var profile = old ?? Profile(name: "live")
                try body(&profile.faults)
                if profile.faults.count > most { throw FaultChangeError.tooMany(most) }
                for rule in profile.faults { try Self.check(rule) }
                profile.hash = Digest.sha256Hex("\(profile.hash) \(profile.faults)", digits: 6)
                return profile
            }
        } catch let error as FaultChangeError { throw error } catch { throw .unknown("\(error)") }
    }

    private static func check(_ rule: FaultRule) throws(FaultChangeError) {
        let fault: (any Fault)?
        do { fault = try FaultRegistry.make(rule.kind, rule.settings) } catch { throw .settings(rule.id, error) }
        if fault == nil { throw .unknownKind(rule.kind) }
    }
}

/// A fault cannot be changed so.
package enum FaultChangeError: Error, Sendable, Equatable {
    case idTaken(String), unknown(String), unknownKind(String)
    case tooMany(Int)
    case settings(String, SettingsError)
}
