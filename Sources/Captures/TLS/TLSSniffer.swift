import NIOCore
import Wire

/// Decides by its first bytes whether a connection, or what a tunnel holds, is TLS. Until then it holds what came.
final class TLSSniffer {
    enum Verdict: Equatable {
        case more
        case plain
        case tls
        /// The client asks a proxy for a tunnel.
        case connect
        /// TLS, of which nothing can be read.
        case closed(TLSTrouble)
    }

    let connection: Connection
    private(set) var items: [(item: TLSDirection.Item, side: Side, time: WallTime)] = []
    private var cost = 0
    private var ended: Set<Side> = []
    private var clientStart: [UInt8] = []
    private var serverStart: [UInt8] = []
    private var clientLacksStart: Bool
    private let isWhole: Bool
    /// Tunnels around it.
    let depth: Int
    private let bound: Int
    private static let connect = Array("CONNECT ".utf8)
    private static let version = Array("HTTP/1".utf8)

    init(_ connection: Connection, bound: Int, depth: Int = 0) {
        self.connection = connection
        self.depth = depth
        self.bound = bound
        isWhole = connection.isWhole || depth > 0
        clientLacksStart = !isWhole
    }

    /// Both sides have, so that nothing more comes.
    var hasEnded: Bool { ended.count == 2 }

    func receive(_ item: TLSDirection.Item, from side: Side, at time: WallTime) -> Verdict {
        items.append((item.own, side, time))
        cost += item.cost
        switch item {
        case .bytes(let bytes):
            let start = bytes.readableBytesView
            if side == .client, clientStart.count < 8 { clientStart += start.prefix(8 - clientStart.count) }
            if side == .server, serverStart.count < 6 { serverStart += start.prefix(6 - serverStart.count) }
        case .gap: if side == .client, clientStart.isEmpty { clientLacksStart = true }
        case .ended: ended.insert(side)
        }
        let verdict = decide()
        return verdict == .more && cost > bound ? end() : verdict
    }

    /// Nothing more comes.
    func end() -> Verdict {
        guard clientStart.isEmpty, serverStart.count == 6, TLSSniffer.serverBegins(serverStart) == true else {
            return .plain
        }
        return .closed(.helloMissing(.client))
    }

    private func decide() -> Verdict {
        if !clientStart.isEmpty {
            switch TLSSniffer.clientBegins(clientStart) {
            case true?: return .tls
            case nil: return .more
            case false?: break
            }
            if clientStart == Self.connect { return .connect }
            if Self.connect.starts(with: clientStart) { return .more }
            guard clientLacksStart else { return .plain }
            return TLSSniffer.isRecord(clientStart).map { $0 ? .closed(.noHandshake) : .plain } ?? .more
        }
        guard !serverStart.isEmpty else { return .more }
        switch TLSSniffer.serverBegins(serverStart) {
        // The client's hello may stand behind the answer to it, in another order of packets.
        case true?, nil: return .more
        case false?: break
        }
        // So may the CONNECT that this answers.
        if isWhole, Self.version.starts(with: serverStart) { return .more }
        guard clientLacksStart else { return .plain }
        return TLSSniffer.isRecord(serverStart).map { $0 ? .closed(.noHandshake) : .plain } ?? .more
    }

    /// A record with a ClientHello. Nil: too few bytes to know.
    private static func clientBegins(_ bytes: [UInt8]) -> Bool? { begins(bytes, kind: 22, message: 1) }

    private static func serverBegins(_ bytes: [UInt8]) -> Bool? {
        bytes.first == 21 ? isRecord(bytes) : begins(bytes, kind: 22, message: 2)
    }

    private static func begins(_ bytes: [UInt8], kind: UInt8, message: UInt8) -> Bool? {
        guard bytes.first == kind else { return false }
        guard let isRecord = isRecord(bytes) else { return nil }
        guard isRecord else { return false }
        return bytes.count > 5 ? bytes[5] == message : nil
    }

    private static func isRecord(_ bytes: [UInt8]) -> Bool? {
        switch TLSRecordHeader.peek(ByteBuffer(bytes: bytes)) {
        case .header(let header): header.length > 0
        case .partial: nil
        case .wrong: false
        }
    }
}
