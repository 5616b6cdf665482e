import NIOCore
import Wire

/// Decides by its first bytes whether a connection is TLS. Until then it holds what came.
final class TLSSniffer {
    enum Verdict: Equatable {
        case more
        case plain
        case tls
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
    private let bound: Int

    init(_ connection: Connection, bound: Int) {
        self.connection = connection
        self.bound = bound
        clientLacksStart = !connection.isWhole
    }

    /// Both sides have, so that nothing more comes.
    var hasEnded: Bool { ended.count == 2 }

    func receive(_ item: TLSDirection.Item, from side: Side, at time: WallTime) -> Verdict {
        items.append((item, side, time))
        cost += item.cost
        switch item {
        case .bytes(let bytes):
            let start = bytes.readableBytesView
            if side == .client, clientStart.count < 6 { clientStart += start.prefix(6 - clientStart.count) }
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
            guard clientLacksStart else { return .plain }
            return TLSSniffer.isRecord(clientStart).map { $0 ? .closed(.noHandshake) : .plain } ?? .more
        }
        guard !serverStart.isEmpty else { return .more }
        switch TLSSniffer.serverBegins(serverStart) {
        // The client's hello may stand behind the answer to it, in another order of packets.
        case true?, nil: return .more
        case false?: break
        }
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
