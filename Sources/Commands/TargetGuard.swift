import Foundation
import NIOCore
import NIOPosix
import Peers
import ProxyRuntime
import Reporting

/// Keeps what attacks off servers of others (trust.md T25): a target on this machine or in a private network is fine, any
/// other only when the user says its very name again.
enum TargetGuard {
    struct Admitted: Sendable, Equatable {
        /// With the address that was checked, so that no second look-up can lead elsewhere (T14).
        var endpoint: Endpoint
        /// Neither loopback nor private: at most `publicRate` messages a second.
        var isPublic: Bool
    }

    static let publicRate = 1_000.0

    enum Reach: Equatable { case loopback, privateNetwork, linkLocal, open }

    static func admit(
        _ endpoint: Endpoint, authorised: String?,
        resolve: (String) throws -> [String] = { host throws in try addresses(of: host) }
    ) async throws -> Admitted {
        let found = try resolve(endpoint.host)
        let shown = SafeText.show(endpoint.host)
        if let near = found.first(where: { reach(of: $0) == .linkLocal }) {
            throw Complaint(
                "\(shown) cannot be a target",
                details: [("found", "\(near); link-local and metadata addresses are not dialled")], exit: .usage)
        }
        // A name that has one private address and one of somebody else is somebody else's.
        let open = found.first { reach(of: $0) == .open }
        if let open, authorised != endpoint.host {
            let also = authorised.map { [("given", "--authorised-target \(SafeText.show($0))")] } ?? []
            throw Complaint(
                "\(shown) is neither this machine nor in a private network",
                details: [("found", open)] + also
                    + [("remedy", "if you may test that server, add --authorised-target \(shown)")],
                exit: .usage)
        }
        var place = endpoint
        place.host = await answering(found, port: endpoint.port) ?? endpoint.host
        return Admitted(endpoint: place, isPublic: open != nil)
    }

    private static func addresses(of host: String) throws -> [String] {
        do { return try Resolver.addresses(of: HostPort(host: host, port: 0)).compactMap(\.ipAddress) } catch { throw ProxyComplaint.of(error) }
    }

    static func reach(of address: String) -> Reach {
        let text = address.lowercased()
        let plain = text.hasPrefix("::ffff:") && text.contains(".") ? String(text.dropFirst(7)) : text
        let parts = plain.split(separator: ".").compactMap { UInt8($0) }
        if parts.count == 4 {
            switch (parts[0], parts[1]) {
            case (127, _): return .loopback
            case (0, 0) where parts[2] == 0 && parts[3] == 0: return .loopback
            case (10, _), (192, 168), (172, 16...31): return .privateNetwork
            case (169, 254): return .linkLocal
            default: return .open
            }
        }
        if plain == "::1" || plain == "::" { return .loopback }
        if plain == "fd00:ec2::254" { return .linkLocal }
        // The first 16 bits tell; an address that is shortened there begins with `::` and is no local one.
        guard let head = plain.split(separator: ":", omittingEmptySubsequences: false).first, let bits = UInt16(head, radix: 16)
        else { return .open }
        if bits & 0xfe00 == 0xfc00 { return .privateNetwork }
        return bits & 0xffc0 == 0xfe80 ? .linkLocal : .open
    }

    /// Of several addresses the first that takes a connection; `localhost` is often two and the server listens on one.
    private static func answering(_ found: [String], port: Int) async -> String? {
        guard found.count > 1 else { return found.first }
        for address in found.prefix(8) {
            let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connectTimeout(.seconds(1))
            if let channel = try? await bootstrap.connect(host: address, port: port).get() {
                try? await channel.close()
                return address
            }
        }
        return found.first
    }
}
