import Journaling
import NIOCore
import ProxyRuntime
import Wire

/// Bytes that tests send.
enum Sample {
    static let key = "dGhlIHNhbXBsZSBub25jZQ=="

    static func request(_ path: String = "/ws", extra: String = "") -> String {
        "GET \(path) HTTP/1.1\r\nHost: chat.example:7\r\nupgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
            + "Sec-WebSocket-Key: \(key)\r\nSec-WebSocket-Version: 13\r\n\(extra)X-Odd:   two  blanks\r\n\r\n"
    }

    static let accepted =
        "HTTP/1.1 101 Switching  Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

    /// One frame's bytes; masked when it goes to a server.
    static func frame(
        _ opcode: UInt8, _ payload: [UInt8], fin: Bool = true, rsv: UInt8 = 0, mask: [UInt8]? = nil,
        longForm: Bool = false
    ) -> [UInt8] {
        var bytes: [UInt8] = [(fin ? 0x80 : 0) | rsv << 4 | opcode]
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        let count = payload.count
        if count < 126 && !longForm {
            bytes.append(maskBit | UInt8(count))
        } else if count < 65_536 && !longForm {
            bytes += [maskBit | 126, UInt8(count >> 8), UInt8(count & 0xff)]
        } else {
            bytes.append(maskBit | 127)
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(count >> shift & 0xff)) }
        }
        guard let mask else { return bytes + payload }
        if mask == [0, 0, 0, 0] { return bytes + mask + payload }
        return bytes + mask + payload.enumerated().map { $0.element ^ mask[$0.offset % 4] }
    }

    static func text(_ text: String, masked: Bool) -> [UInt8] {
        frame(1, Array(text.utf8), mask: masked ? [0x37, 0xfa, 0x21, 0x3d] : nil)
    }

    /// Bytes in which every place of a 16 KiB block differs from its neighbours, for comparing order. Blocks repeat, for
    /// tests run unoptimised and large ones are to be cheap.
    static func pattern(_ count: Int, seed: UInt32 = 1) -> [UInt8] {
        var state = seed
        var bytes: [UInt8] = (0..<min(count, 16_411)).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(state >> 24)
        }
        while bytes.count < count { bytes.append(contentsOf: bytes.prefix(count - bytes.count)) }
        return bytes
    }
}

struct Watcher {
    var onEntry: EntryObserver?
    var onEvent: EventObserver = { _ in }
}

/// A proxy in front of a port of this machine.
func proxy(
    to port: Int, _ watcher: Watcher = Watcher(), _ change: (inout ProxyOptions) -> Void = { _ in }
) async throws -> ProxyServer {
    var options = ProxyOptions(
        listen: HostPort(host: "127.0.0.1", port: 0),
        upstream: Upstream(url: "ws://127.0.0.1:\(port)", address: HostPort(host: "127.0.0.1", port: port)))
    options.loops = 2
    change(&options)
    return try await ProxyServer.start(options, onEvent: watcher.onEvent, onEntry: watcher.onEntry)
}
