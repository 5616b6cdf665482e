import NIOCore

@testable import Captures

/// Packets and capture files of bytes, built by hand so that every field can lie.
struct TestPacket {
    var time: Int64 = 1_000_000_000
    var link: UInt32 = 1
    var bytes: [UInt8]
    /// Nil: as many as there are.
    var wire: Int?

    func cut(to count: Int) -> TestPacket {
        var cut = self
        cut.wire = bytes.count
        cut.bytes = Array(bytes.prefix(count))
        return cut
    }
    func at(_ time: Int64) -> TestPacket {
        var later = self
        later.time = time
        return later
    }
}

/// One after the other.
func joined(_ parts: [UInt8]...) -> [UInt8] { Array(parts.joined()) }
func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

extension Array where Element == UInt8 {
    static func big16(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }
    static func big32(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * $0)) }
    }
    static func file(_ value: UInt64, _ size: Int, swapped: Bool) -> [UInt8] {
        let little = (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
        return swapped ? little.reversed() : little
    }
}

/// A connection between two endpoints whose packets are written by hand.
struct TestPeer {
    var clientPort = 50_000
    var serverPort = 8_080
    var version6 = false
    var clientStart: UInt32 = 1_000
    var serverStart: UInt32 = 9_000
    var link: UInt32 = 1
    var vlan: [Int] = []
    var time: Int64 = 1_000_000_000

    enum Flags {
        static let finish = 1
        static let synchronize = 2
        static let reset = 4
        static let acknowledge = 16
    }

    /// `at` counts from the side's first byte of data, so that SYN is at -1.
    func packet(
        client: Bool, at: Int, _ payload: [UInt8] = [], flags: Int = Flags.acknowledge, ack: Int = 0,
        options: [UInt8] = []
    ) -> TestPacket {
        let (own, other) = client ? (clientStart, serverStart) : (serverStart, clientStart)
        let sequence = own &+ 1 &+ UInt32(truncatingIfNeeded: at)
        let due = other &+ 1 &+ UInt32(truncatingIfNeeded: ack)
        let size = UInt8(((20 + options.count) / 4) << 4)
        let tcp = joined(
            .big16(client ? clientPort : serverPort), .big16(client ? serverPort : clientPort), .big32(sequence),
            .big32(due),
            [size, UInt8(flags), 0xff, 0xff, 0, 0, 0, 0], options, payload)
        return TestPacket(time: time, link: link, bytes: framed(network(client: client, tcp)))
    }

    func network(client: Bool, _ tcp: [UInt8], fragment: Int = 0, id: Int = 7) -> [UInt8] {
        if version6 {
            let low = joined(zeros(15), [1])
            let high = joined([0x20, 1, 0x0d, 0xb8], zeros(11), [2])
            return joined([0x60, 0, 0, 0], .big16(tcp.count), [6, 64], client ? high : low, client ? low : high, tcp)
        }
        let a: [UInt8] = [10, 0, 0, 7]
        let b: [UInt8] = [10, 0, 0, 1]
        return joined(
            [0x45, 0], .big16(20 + tcp.count), .big16(id), .big16(fragment), [64, 6, 0, 0], client ? a : b,
            client ? b : a, tcp)
    }

    func framed(_ ip: [UInt8]) -> [UInt8] {
        let type: [UInt8] = version6 ? [0x86, 0xdd] : [0x08, 0x00]
        let tags = vlan.flatMap { joined([0x81, 0x00], .big16($0)) }
        let eight = [UInt8](repeating: 1, count: 8)
        switch link {
        case 0: return joined([version6 ? 10 : 2, 0, 0, 0], ip)
        case 108: return joined([0, 0, 0, version6 ? 28 : 2], ip)
        case 113: return joined([0, 0, 0, 1, 0, 6], eight, type, ip)
        case 276: return joined(type, [0, 0, 0, 0, 0, 1, 0, 1, 0, 6], eight, ip)
        case 1: return joined([UInt8](repeating: 2, count: 12), tags, type, ip)
        default: return ip
        }
    }

    var handshake: [TestPacket] {
        [
            packet(client: true, at: -1, flags: Flags.synchronize, ack: -1),
            packet(client: false, at: -1, flags: Flags.synchronize | Flags.acknowledge),
            packet(client: true, at: 0),
        ]
    }
}

/// A whole classic capture file.
func pcapFile(_ packets: [TestPacket], swapped: Bool = false, nanoseconds: Bool = false, link: UInt32? = nil) -> [UInt8]
{
    let magic: UInt64 = nanoseconds ? 0xa1b2_3c4d : 0xa1b2_c3d4
    func field(_ value: UInt64, _ size: Int) -> [UInt8] { .file(value, size, swapped: swapped) }
    let type = UInt64(link ?? packets.first?.link ?? 1)
    var file = joined(field(magic, 4), field(2, 2), field(4, 2), field(0, 8), field(262_144, 4), field(type, 4))
    for packet in packets {
        let rest = UInt64(packet.time % 1_000_000_000)
        file += field(UInt64(packet.time / 1_000_000_000), 4)
        file += field(nanoseconds ? rest : rest / 1_000, 4)
        file += field(UInt64(packet.bytes.count), 4)
        file += field(UInt64(packet.wire ?? packet.bytes.count), 4)
        file += packet.bytes
    }
    return file
}

/// Blocks of a pcapng file.
struct TestBlocks {
    var swapped = false
    var bytes: [UInt8] = []

    mutating func block(_ type: UInt32, _ body: [UInt8]) {
        let padding = (4 - body.count % 4) % 4
        let length = field(UInt64(body.count + padding + 12), 4)
        bytes += joined(field(UInt64(type), 4), length, body, zeros(padding), length)
    }
    func field(_ value: UInt64, _ size: Int) -> [UInt8] { .file(value, size, swapped: swapped) }
    mutating func section() {
        block(0x0a0d_0d0a, joined(field(0x1a2b_3c4d, 4), field(1, 2), field(0, 2), field(.max, 8)))
    }
    func option(_ code: Int, _ value: [UInt8]) -> [UInt8] {
        joined(field(UInt64(code), 2), field(UInt64(value.count), 2), value, zeros((4 - value.count % 4) % 4))
    }
    mutating func interface(_ link: UInt32, snap: Int = 262_144, options: [UInt8] = []) {
        block(1, joined(field(UInt64(link), 2), [0, 0], field(UInt64(snap), 4), options))
    }
    mutating func enhanced(_ interface: Int, ticks: UInt64, _ packet: TestPacket, options: [UInt8] = []) {
        let count = packet.bytes.count
        block(
            6,
            joined(
                field(UInt64(interface), 4), field(ticks >> 32, 4), field(ticks & 0xffff_ffff, 4),
                field(UInt64(count), 4),
                field(UInt64(packet.wire ?? count), 4), packet.bytes, zeros((4 - count % 4) % 4), options))
    }
}
