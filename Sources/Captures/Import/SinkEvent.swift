import Journaling
import NIOCore
import Wire

/// One call of a `ConnectionSink`, as a value that can be written down and read again.
enum SinkEvent: Equatable {
    case opened(Connection)
    case bytes(Connection.ID, Side, ByteBuffer)
    case gap(Connection.ID, Side, UInt64)
    case ended(Connection.ID, Side, EndStyle)
    case gone(Connection.ID)
    case note(Connection.ID?, String)

    func tell(_ sink: any ConnectionSink, at time: WallTime) throws(ImportError) {
        switch self {
        case .opened(let connection): try sink.opened(connection, at: time)
        case .bytes(let id, let side, let bytes): try sink.bytes(id, from: side, bytes, at: time)
        case .gap(let id, let side, let count): try sink.gap(id, from: side, count: count, at: time)
        case .ended(let id, let side, let style): try sink.ended(id, from: side, style, at: time)
        case .gone(let id): try sink.gone(id, at: time)
        case .note(let id, let sentence): try sink.note(id, sentence)
        }
    }

    func write(into buffer: inout ByteBuffer) {
        switch self {
        case .opened(let connection):
            buffer.writeInteger(UInt8((connection.isWhole ? 1 : 0) + (connection.isMadeUp ? 13 : 0)))
            buffer.writeInteger(connection.id)
            buffer.writeInteger(UInt32(clamping: connection.client.utf8.count))
            buffer.writeString(connection.client)
            buffer.writeString(connection.server)
        case .bytes(let id, let side, let bytes):
            buffer.writeInteger(UInt8(side == .client ? 2 : 3))
            buffer.writeInteger(id)
            buffer.writeImmutableBuffer(bytes)
        case .gap(let id, let side, let count):
            buffer.writeInteger(UInt8(side == .client ? 4 : 5))
            buffer.writeInteger(id)
            buffer.writeInteger(count)
        case .ended(let id, let side, let style):
            buffer.writeInteger(UInt8(6 + (side == .client ? 0 : 1) + (style == .finish ? 0 : 2)))
            buffer.writeInteger(id)
        case .gone(let id):
            buffer.writeInteger(UInt8(10))
            buffer.writeInteger(id)
        case .note(let id, let sentence):
            buffer.writeInteger(UInt8(id == nil ? 11 : 12))
            buffer.writeInteger(id ?? 0)
            buffer.writeString(sentence)
        }
    }

    /// Nil for what `write` did not make.
    init?(_ buffer: ByteBuffer) {
        var rest = buffer
        guard let kind = rest.readInteger(as: UInt8.self), let id = rest.readInteger(as: UInt64.self) else { return nil }
        switch kind {
        case 0, 1, 13, 14:
            guard let length = rest.readInteger(as: UInt32.self), let client = rest.readString(length: Int(length)) else { return nil }
            var connection = Connection(id: id, client: client, server: String(buffer: rest), isWhole: kind == 1 || kind == 14)
            connection.isMadeUp = kind >= 13
            self = .opened(connection)
        case 2, 3: self = .bytes(id, kind == 2 ? .client : .server, rest)
        case 4, 5:
            guard let count = rest.readInteger(as: UInt64.self) else { return nil }
            self = .gap(id, kind == 4 ? .client : .server, count)
        case 6...9: self = .ended(id, kind % 2 == 0 ? .client : .server, kind < 8 ? .finish : .reset)
        case 10: self = .gone(id)
        case 11, 12: self = .note(kind == 12 ? id : nil, String(buffer: rest))
        default: return nil
        }
    }
}
