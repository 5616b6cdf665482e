import Glibc
package import NIOCore
import NIOPosix

/// Names to addresses, once (trust.md T14): what was resolved is what is checked and what is dialled.
package enum Resolver {
    package static func addresses(of place: HostPort, passive: Bool = false) throws(RuntimeError) -> [SocketAddress] {
        if let literal = try? SocketAddress(ipAddress: place.host, port: place.port) { return [literal] }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_family = AF_UNSPEC
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(place.host, String(place.port), &hints, &list)
        guard code == 0 else {
            let words = unsafe gai_strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
            throw .hostNotFound(place.host, words.prefix(1).lowercased() + words.dropFirst())
        }
        defer { unsafe freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = unsafe list
        // The list ends itself; 64 addresses of one name are more than anybody will try.
        while let node = unsafe next, found.count < 64 {
            if let address = unsafe numeric(node, port: place.port), !found.contains(address) { found.append(address) }
            unsafe next = node.pointee.ai_next
        }
        // IPv4 first: most development servers listen there alone.
        let ordered = found.filter { $0.protocol == .inet } + found.filter { $0.protocol != .inet }
        guard !ordered.isEmpty else { throw .hostNotFound(place.host, "it has no address") }
        return ordered
    }

    private static func numeric(_ node: UnsafeMutablePointer<addrinfo>, port: Int) -> SocketAddress? {
        var text = [CChar](repeating: 0, count: 128)
        let code = unsafe text.withUnsafeMutableBufferPointer { buffer in
            unsafe getnameinfo(
                node.pointee.ai_addr, node.pointee.ai_addrlen, buffer.baseAddress, 127, nil, 0, NI_NUMERICHOST)
        }
        guard code == 0 else { return nil }
        let host = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return try? SocketAddress(ipAddress: host, port: port)
    }

    /// The addresses of a place, when all of them may be dialled.
    static func permitted(_ place: HostPort, allowLinkLocal: Bool) throws(RuntimeError) -> [SocketAddress] {
        let found = try addresses(of: place)
        for address in found {
            if let why = objection(to: address, listener: nil, allowLinkLocal: allowLinkLocal) {
                throw .forbiddenTarget(place, why)
            }
        }
        return found
    }

    /// Why this address must not be dialled by a proxy that listens on `listener`; nil when it may be.
    static func objection(to target: SocketAddress, listener: SocketAddress?, allowLinkLocal: Bool) -> String? {
        guard let host = target.ipAddress?.lowercased() else { return "it is no internet address" }
        let plain = host.hasPrefix("::ffff:") ? String(host.dropFirst(7)) : host
        if !allowLinkLocal, plain.hasPrefix("169.254.") || isLinkLocal(plain) || plain == "fd00:ec2::254" {
            return "link-local and metadata addresses are not dialled"
        }
        guard let listener, listener.port == target.port, let own = listener.ipAddress?.lowercased() else { return nil }
        let bound = own.hasPrefix("::ffff:") ? String(own.dropFirst(7)) : own
        let listensEverywhere = bound == "0.0.0.0" || bound == "::"
        if plain == bound || (isUnspecified(plain) && isLoopback(bound)) || (listensEverywhere && isLocal(plain)) {
            return "the proxy itself listens there"
        }
        return nil
    }

    private static func isLinkLocal(_ host: String) -> Bool {
        ["fe8", "fe9", "fea", "feb"].contains { host.hasPrefix($0) }
    }

    private static func isUnspecified(_ host: String) -> Bool { host == "0.0.0.0" || host == "::" }
    private static func isLoopback(_ host: String) -> Bool { host.hasPrefix("127.") || host == "::1" }

    package static func isLocal(_ host: String) -> Bool {
        if isUnspecified(host) || isLoopback(host) { return true }
        guard let devices = try? System.enumerateDevices() else { return true }
        return devices.contains { $0.address?.ipAddress?.lowercased() == host }
    }
}
