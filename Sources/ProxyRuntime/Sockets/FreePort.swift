import Glibc
import Synchronization

/// Ports of 127.0.0.1 for a server that is about to be started.
package enum FreePort {
    private static let turns = Atomic<UInt32>(.random(in: 0...65_535))

    /// One where nobody listens, another one at each call; nil where none is left.
    ///
    /// It lies below `ip_local_port_range`, out of which the system serves whoever binds port 0 and whatever connects without a
    /// port of its own: such a one could be gone before the server has it, and who asks there again and again until the server
    /// answers would some day be connected to itself.
    package static func find() -> Int? {
        let range = ProcFile.text("/proc/sys/net/ipv4/ip_local_port_range").flatMap { Int($0.prefix { $0.isNumber }) } ?? 32_768
        let lowest = 10_240
        let count = min(range, 32_768) - lowest
        if count > 0 {
            for _ in 0..<1_024 {
                let turn = Int(turns.wrappingAdd(1, ordering: .relaxed).oldValue)
                if let port = bound(lowest + turn % count) { return port }
            }
        }
        return bound(0)
    }

    /// Binds and lets go again.
    private static func bound(_ port: Int) -> Int? {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return nil }
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        return isBound ? Int(UInt16(bigEndian: address.sin_port)) : nil
    }
}
