package import struct NIOCore.ByteBuffer

/// Everything of a frame but its payload (RFC 6455 section 5.2), as it was written.
package struct FrameHeader: Sendable, Hashable {
    /// FIN, RSV1-3 and opcode in one byte.
    package var firstByte: UInt8
    package var lengthForm: LengthForm
    package var declaredLength: UInt64
    /// The masking key in wire order (first byte = most significant), nil when the mask bit is clear.
    package var maskKey: UInt32?

    package init(firstByte: UInt8, lengthForm: LengthForm, declaredLength: UInt64, maskKey: UInt32?) {
        self.firstByte = firstByte
        self.lengthForm = lengthForm
        self.declaredLength = declaredLength
        self.maskKey = maskKey
    }

    package init(_ frame: Frame) {
        self.init(
            firstByte: frame.firstByte, lengthForm: frame.lengthForm, declaredLength: frame.declaredLength,
            maskKey: frame.maskKey)
    }

    package var fin: Bool { firstByte & 0x80 != 0 }
    /// RSV1-3 as a number from 0 to 7; RSV1 is 4.
    package var rsv: UInt8 { firstByte >> 4 & 0x7 }
    package var opcode: Opcode { Opcode(rawValue: firstByte) }

    /// Bytes of a header whose second byte is this one: 2 to 14.
    package static func size(secondByte: UInt8) -> Int {
        let length = secondByte & 0x7f
        return 2 + (length == 126 ? 2 : length == 127 ? 8 : 0) + (secondByte & 0x80 == 0 ? 0 : 4)
    }

    package var size: Int {
        2 + (lengthForm == .sixteen ? 2 : lengthForm == .sixtyFour ? 8 : 0) + (maskKey == nil ? 0 : 4)
    }

    /// The header at the reader index, nil while bytes of it are missing. Reads nothing off the buffer.
    package init?(_ buffer: ByteBuffer) {
        let start = buffer.readerIndex
        guard let first = buffer.getInteger(at: start, as: UInt8.self),
            let second = buffer.getInteger(at: start + 1, as: UInt8.self),
            buffer.readableBytes >= Self.size(secondByte: second)
        else { return nil }
        firstByte = first
        var next = start + 2
        switch second & 0x7f {
        case 126:
            lengthForm = .sixteen
            declaredLength = UInt64(buffer.getInteger(at: next, as: UInt16.self) ?? 0)
            next += 2
        case 127:
            lengthForm = .sixtyFour
            declaredLength = buffer.getInteger(at: next, as: UInt64.self) ?? 0
            next += 8
        case let short:
            lengthForm = .seven
            declaredLength = UInt64(short)
        }
        maskKey = second & 0x80 == 0 ? nil : buffer.getInteger(at: next, as: UInt32.self)
    }

    /// The length has its top bit set: RFC 6455 section 5.2 forbids it, and nobody knows where this frame ends.
    package var isUnbounded: Bool { declaredLength > UInt64(Int64.max) }

    package func write(into buffer: inout ByteBuffer) {
        let mask: UInt8 = maskKey == nil ? 0 : 0x80
        buffer.writeInteger(firstByte)
        switch lengthForm {
        case .seven: buffer.writeInteger(mask | UInt8(truncatingIfNeeded: declaredLength) & 0x7f)
        case .sixteen:
            buffer.writeInteger(mask | 126)
            buffer.writeInteger(UInt16(truncatingIfNeeded: declaredLength))
        case .sixtyFour:
            buffer.writeInteger(mask | 127)
            buffer.writeInteger(declaredLength)
        }
        if let maskKey { buffer.writeInteger(maskKey) }
    }
}
