import Faults
import Journaling
import ProxyRuntime
import Reporting

/// Faults stay where they were meant (trust.md A4): a listener that others can reach, or a server that is not on this
/// machine or in a private network, gets none unless `--i-am-staging` says that it may, or the profile limits itself.
///
/// A profile limits itself by a `scope` that says whom (`users`, `paths`, or a `share` under 100 %) and how much (`expires`,
/// other than never, or `budget.total`). What is left to a default does not count.
enum StagingGuard {
    enum Danger: Equatable {
        /// Where it listens.
        case listener(String)
        /// The server's name and an address of it.
        case target(String, String)
    }

    static func danger(listen: HostPort, upstream: HostPort) throws(RuntimeError) -> Danger? {
        let own = try Resolver.addresses(of: listen).compactMap(\.ipAddress)
        if let open = own.first(where: { $0 == "0.0.0.0" || $0 == "::" || TargetGuard.reach(of: $0) != .loopback }) {
            return .listener(open.contains(":") ? "[\(open)]:\(listen.port)" : "\(open):\(listen.port)")
        }
        let far = try Resolver.addresses(of: upstream).compactMap(\.ipAddress)
        if let open = far.first(where: { TargetGuard.reach(of: $0) == .open }) { return .target(upstream.host, open) }
        return nil
    }

    /// The faults that no scope of their own keeps small, by the name of their profile.
    static func unlimited(_ profile: Profile) -> String? {
        guard !profile.faults.isEmpty else { return nil }
        let scopes = profile.faults.map { $0.scope ?? profile.scope }
        return scopes.first { !$0.limitsItself }.map { $0.name.isEmpty ? profile.name : $0.name }
    }

    /// A forward proxy reaches whom its list names, wherever that is.
    static func danger(of route: Route) throws(RuntimeError) -> Danger? {
        switch route.way {
        case .reverse(let upstream): return try danger(listen: route.listen, upstream: upstream.address)
        case .forward(let allowed):
            if let danger = try danger(listen: route.listen, upstream: HostPort(host: "127.0.0.1", port: 1)) { return danger }
            return allowed.rules.first.map { .target("\($0)", "any address") }
        }
    }

    static func check(_ route: Route, isStaging: Bool) throws {
        guard !isStaging, let profile = route.profile, unlimited(profile) != nil else { return }
        let danger: Danger?
        do { danger = try self.danger(of: route) } catch { throw ProxyComplaint.of(error) }
        try check(route.profile, danger, isStaging: isStaging)
    }

    static func check(_ profile: Profile?, listen: HostPort, upstream: Upstream, isStaging: Bool) throws {
        guard !isStaging, let profile, unlimited(profile) != nil else { return }
        let danger: Danger?
        do { danger = try self.danger(listen: listen, upstream: upstream.address) } catch { throw ProxyComplaint.of(error) }
        try check(profile, danger, isStaging: isStaging)
    }

    private static func check(_ profile: Profile?, _ danger: Danger?, isStaging: Bool) throws {
        guard !isStaging, let profile, let name = unlimited(profile), let danger else { return }
        let (message, found, near) = words(danger)
        throw Complaint(
            message,
            details: [
                (
                    "found",
                    "\(found), and \(SafeText.show(name)) with \(Figures.plural(profile.faults.count, "fault")) and no scope that limits them"
                ),
                ("expected", "a scope that says whom (users, paths or a share under 100 %) and how much (expires or budget.total)"),
                ("remedy", "\(near), write that scope, or add --i-am-staging if nobody else is meant to be served here"),
            ], exit: .usage)
    }

    /// The same in one phrase, for a profile that is read while the proxy runs.
    static func objection(_ profile: Profile, on route: Route, isStaging: Bool) -> String? {
        guard !isStaging, unlimited(profile) != nil else { return nil }
        do { return objection(profile, try danger(of: route), isStaging: isStaging) } catch {
            return "its scope limits nothing, and whom it would reach cannot be told: \(ProxyComplaint.of(error).sentence)"
        }
    }

    static func objection(_ profile: Profile, _ danger: Danger?, isStaging: Bool) -> String? {
        guard !isStaging, let danger, unlimited(profile) != nil else { return nil }
        return "its scope limits nothing, and \(words(danger).1)"
    }

    private static func words(_ danger: Danger) -> (String, String, String) {
        switch danger {
        case .listener(let address):
            (
                "faults would act on whoever reaches \(SafeText.show(address))", "the listener \(SafeText.show(address))",
                "listen on 127.0.0.1"
            )
        case .target(let host, let address):
            (
                "faults would act on \(SafeText.show(host)), which is neither this machine nor in a private network",
                "the server \(SafeText.show(host)) at \(address)", "name another server"
            )
        }
    }
}
