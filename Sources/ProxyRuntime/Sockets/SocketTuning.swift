import Glibc
package import Journaling
package import NIOCore
import NIOPosix

/// Options of every socket, and what the system's errors are called.
package enum SocketTuning {
    /// - Parameter inherited: keep-alive was set on the listener and came along with `accept`.
    package static func apply(to channel: any Channel, limits: Limits, inherited: Bool) throws {
        guard let options = channel.syncOptions else { return }
        try options.setOption(.allowRemoteHalfClosure, value: true)
        // One recv and one send a readable event (performance.md).
        try options.setOption(.maxMessagesPerRead, value: 1)
        try options.setOption(
            .recvAllocator,
            value: AdaptiveRecvByteBufferAllocator(minimum: 1_024, initial: 2_048, maximum: limits.readBytes))
        try options.setOption(
            .writeBufferWaterMark, value: .init(low: limits.pendingLow, high: limits.pendingHigh))
        if inherited { return }
        for (level, name, value) in keepAlive(limits) {
            try options.setOption(ChannelOptions.Types.SocketOption(level: level, name: name), value: value)
        }
    }

    /// L8: a peer that vanished is noticed.
    static func keepAlive(
        _ limits: Limits
    ) -> [(NIOBSDSocket.OptionLevel, NIOBSDSocket.Option, ChannelOptions.Types.SocketOption.Value)] {
        [
            (.socket, .so_keepalive, 1),
            (.tcp, NIOBSDSocket.Option(rawValue: TCP_KEEPIDLE), seconds(limits.keepAliveIdle)),
            (.tcp, NIOBSDSocket.Option(rawValue: TCP_KEEPINTVL), seconds(limits.keepAliveInterval)),
            (.tcp, NIOBSDSocket.Option(rawValue: TCP_KEEPCNT), limits.keepAliveProbes),
        ]
    }

    private static func seconds(_ duration: Duration) -> Int {
        Int(clamping: max(1, duration.components.seconds))
    }

    /// `127.0.0.1:9 refused the connection`
    package static func sentence(for error: any Error, dialling address: SocketAddress, within limit: Duration) -> String {
        let place = text(of: address)
        if case .connectTimeout = error as? ChannelError {
            return "\(place) did not answer within \(limit.components.seconds) s"
        }
        guard let error = error as? IOError else { return "\(place) could not be reached" }
        return switch error.errnoCode {
        case ECONNREFUSED: "\(place) refused the connection"
        case ETIMEDOUT: "\(place) did not answer"
        case ENETUNREACH, EHOSTUNREACH: "there is no route to \(place)"
        case ECONNRESET: "\(place) reset the connection"
        case EMFILE, ENFILE: "no descriptor is left to reach \(place)"
        default: "\(place) could not be reached: \(words(for: error.errnoCode))"
        }
    }

    /// The system's words for an error number: `connection refused`.
    static func words(for code: CInt) -> String {
        // glibc's strerror keeps its text per thread.
        let words = unsafe strerror(code).map { unsafe String(cString: $0) } ?? ""
        return words.isEmpty ? "error \(code)" : words.prefix(1).lowercased() + words.dropFirst()
    }

    /// `127.0.0.1:50412`, `[::1]:50412`
    static func text(of address: SocketAddress?) -> String {
        guard let address, let host = address.ipAddress, let port = address.port else { return "–" }
        return HostPort(host: host, port: port).description
    }
}
