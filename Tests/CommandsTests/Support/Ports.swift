import Foundation
import ProxyRuntime
import Testing

/// TCP ports of 127.0.0.1.
enum Ports {
    private static func withSocket<T>(_ body: (Int32) throws -> T) rethrows -> T {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        return try body(descriptor)
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    private static func call(
        _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = address(port)
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// Where nobody listens, and nobody gets by chance.
    static func free() throws -> UInt16 { UInt16(clamping: try #require(FreePort.find())) }

    /// One datagram, wherever it ends up.
    static func send(_ text: String, to port: UInt16) {
        let socket = Foundation.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(socket) }
        _ = unsafe call(port) { unsafe sendto(socket, text, text.utf8.count, 0, $0, $1) > 0 ? 0 : -1 }
    }

    static func answers(_ port: UInt16) -> Bool {
        withSocket { descriptor in unsafe call(port) { unsafe connect(descriptor, $0, $1) } == 0 }
    }
}
