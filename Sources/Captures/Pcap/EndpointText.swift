import Glibc
import Journaling

/// Addresses out of text, for captures that are made up.
enum EndpointText {
    /// Ports that Wireshark takes for HTTP without being told.
    private static let webPorts: Set<UInt16> = [80, 3_128, 3_132, 5_985, 8_080, 8_088, 11_371, 1_900, 2_869, 2_710]

    /// `127.0.0.1:50412`, `[::1]:50412`
    static func parse(_ text: String) -> MadeUpTCP.End? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        return address(String(text[..<colon])).map { MadeUpTCP.End(address: $0, port: port) }
    }

    static func address(_ text: String) -> [UInt8]? {
        let bare = text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
        var four = in_addr()
        if unsafe inet_pton(AF_INET, bare, &four) == 1 { return unsafe withUnsafeBytes(of: four) { unsafe Array($0) } }
        var six = in6_addr()
        if unsafe inet_pton(AF_INET6, bare, &six) == 1 { return unsafe withUnsafeBytes(of: six) { unsafe Array($0) } }
        return nil
    }

    /// The server of a recording, `ws://chat.staging:443/ws`: its address where the text holds one, and its port where
    /// Wireshark knows it for HTTP, else 80, so that the capture opens without settings.
    static func server(_ upstream: String) -> MadeUpTCP.End {
        let behind =
            upstream.split(separator: "/", omittingEmptySubsequences: true).dropFirst().first.map(String.init)
            ?? upstream
        let end = parse(behind)
        let port = behind.lastIndex(of: ":").flatMap { UInt16(behind[behind.index(after: $0)...]) } ?? 80
        return MadeUpTCP.End(
            address: end?.address ?? address(behind) ?? placeholder(4), port: webPorts.contains(port) ? port : 80)
    }

    /// - Parameter session: makes up an address when the text holds none.
    static func client(_ text: String, session: SessionID, like server: MadeUpTCP.End) -> MadeUpTCP.End {
        if let end = parse(text) { return end }
        let number = session.value
        let port = UInt16(clamping: 49_152 + number % 16_000)
        let tail = [
            UInt8(truncatingIfNeeded: number >> 16), UInt8(truncatingIfNeeded: number >> 8),
            UInt8(truncatingIfNeeded: number),
        ]
        return MadeUpTCP.End(address: placeholder(server.address.count).dropLast(3) + tail, port: port)
    }

    /// Addresses of documentation (RFC 5737, RFC 3849).
    static func placeholder(_ size: Int) -> [UInt8] {
        size == 4 ? [192, 0, 2, 1] : [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1]
    }
}
