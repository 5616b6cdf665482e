import Wire

/// One TCP connection that never was, around bytes that were: numbers that fit each other, right checksums, so that
/// every reader of captures puts it together.
struct MadeUpTCP {
    /// Four bytes or sixteen, both ends alike.
    struct End: Equatable {
        var address: [UInt8]
        var port: UInt16
    }
    let client: End
    let server: End
    private var clientNext: UInt32
    private var serverNext: UInt32

    enum Flags {
        static let finish: UInt8 = 1
        static let synchronize: UInt8 = 2
        static let reset: UInt8 = 4
        static let push: UInt8 = 8
        static let acknowledge: UInt8 = 16
    }
    /// What fits into one IP packet of either version.
    static let mostPayload = 65_400
    static let link: UInt32 = 1

    /// - Parameter number: gives each connection its own first sequence numbers.
    init(client: End, server: End, number: UInt32) {
        self.client = client
        self.server = server
        clientNext = number &* 2_654_435_761
        serverNext = number &* 2_246_822_519 &+ 97
    }

    /// SYN, its answer, and the ACK.
    mutating func handshake() -> [[UInt8]] {
        let call = packet(from: .client, [], Flags.synchronize)
        clientNext &+= 1
        let answer = packet(from: .server, [], Flags.synchronize | Flags.acknowledge)
        serverNext &+= 1
        return [call, answer, packet(from: .client, [], Flags.acknowledge)]
    }

    /// One segment with data; `missing` bytes behind it were sent but are not known.
    mutating func data(from side: Side, _ payload: ArraySlice<UInt8>, missing: Int = 0) -> [UInt8] {
        let made = packet(from: side, payload, Flags.push | Flags.acknowledge, missing: missing)
        advance(side, payload.count &+ missing)
        return made
    }

    mutating func finish(from side: Side) -> [UInt8] {
        let made = packet(from: side, [], Flags.finish | Flags.acknowledge)
        advance(side, 1)
        return made
    }

    func reset(from side: Side) -> [UInt8] { packet(from: side, [], Flags.reset | Flags.acknowledge) }
    func acknowledgement(from side: Side) -> [UInt8] { packet(from: side, [], Flags.acknowledge) }

    /// Bytes that were sent and for which no packet stands.
    mutating func advance(_ side: Side, _ count: Int) {
        if side == .client {
            clientNext &+= UInt32(truncatingIfNeeded: count)
        } else {
            serverNext &+= UInt32(truncatingIfNeeded: count)
        }
    }

    private func packet(from side: Side, _ payload: ArraySlice<UInt8>, _ flags: UInt8, missing: Int = 0) -> [UInt8] {
        let (source, target) = side == .client ? (client, server) : (server, client)
        let (next, due) = side == .client ? (clientNext, serverNext) : (serverNext, clientNext)
        let size = 20 + payload.count + missing
        var tcp = Bytes()
        tcp.add16(source.port)
        tcp.add16(target.port)
        tcp.add32(next)
        tcp.add32(flags & Flags.acknowledge != 0 ? due : 0)
        tcp.add16(0x5000 | UInt16(flags))
        tcp.add16(0xffff)
        tcp.add32(0)
        tcp.all += payload
        // Over bytes that are not there nothing can be summed up; 0 is what cards leave too.
        if missing == 0 { tcp.set16(16, Self.sum(pseudoHeader(source, target, size) + tcp.all)) }
        return ethernet(source, target, size) + tcp.all
    }

    private func ethernet(_ source: End, _ target: End, _ size: Int) -> [UInt8] {
        var head = Bytes()
        // Locally administered addresses, of no maker.
        head.all = target == client ? [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2] : [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]
        guard source.address.count == 4 else {
            head.add16(0x86dd)
            head.add32(0x6000_0000)
            head.add16(UInt16(clamping: size))
            head.add16(0x0640)
            head.all += source.address + target.address
            return head.all
        }
        head.add16(0x0800)
        var ip = Bytes()
        ip.add16(0x4500)
        ip.add16(UInt16(clamping: 20 + size))
        ip.add32(0x0000_4000)
        ip.add16(0x4006)
        ip.add16(0)
        ip.all += source.address + target.address
        ip.set16(10, Self.sum(ip.all))
        return head.all + ip.all
    }

    private func pseudoHeader(_ source: End, _ target: End, _ size: Int) -> [UInt8] {
        var head = Bytes()
        head.all = source.address + target.address
        head.add32(UInt32(clamping: size))
        head.add32(6)
        return head.all
    }

    /// The sum of the internet's protocols (RFC 1071).
    private static func sum(_ bytes: [UInt8]) -> UInt16 {
        var total: UInt32 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            let low = index + 1 < bytes.count ? bytes[index + 1] : 0
            total &+= UInt32(bytes[index]) << 8 | UInt32(low)
            total = (total & 0xffff) &+ total >> 16
        }
        return ~UInt16(truncatingIfNeeded: total)
    }
}

/// Bytes in the order of networks.
private struct Bytes {
    var all: [UInt8] = []
    mutating func add16(_ value: UInt16) {
        all.append(UInt8(truncatingIfNeeded: value >> 8))
        all.append(UInt8(truncatingIfNeeded: value))
    }
    mutating func add32(_ value: UInt32) {
        add16(UInt16(truncatingIfNeeded: value >> 16))
        add16(UInt16(truncatingIfNeeded: value))
    }
    mutating func set16(_ at: Int, _ value: UInt16) {
        all[at] = UInt8(truncatingIfNeeded: value >> 8)
        all[at + 1] = UInt8(truncatingIfNeeded: value)
    }
}
