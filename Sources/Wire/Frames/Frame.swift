package import struct NIOCore.ByteBuffer

/// The operation codes of RFC 6455 section 5.2; any other value is reserved and kept as it came.
package struct Opcode: RawRepresentable, Sendable, Hashable {
    package var rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue & 0x0f }

    package static let continuation = Opcode(rawValue: 0)
    package static let text = Opcode(rawValue: 1)
    package static let binary = Opcode(rawValue: 2)
    package static let close = Opcode(rawValue: 8)
    package static let ping = Opcode(rawValue: 9)
    package static let pong = Opcode(rawValue: 10)

    /// Control frames have the top bit of the opcode set (RFC 6455 section 5.5).
    package var isControl: Bool { rawValue & 0x8 != 0 }
    /// Messages are made of text, binary and continuation frames; control frames and those with reserved opcodes may stand
    /// among their fragments and are none of them (RFC 6455 section 5.4).
    package var isOfMessage: Bool { rawValue <= 2 }
}

/// How the payload length is written (RFC 6455 section 5.2): 7 bits, or 16 or 64 bits behind it.
package enum LengthForm: UInt8, Sendable, Hashable {
    case seven = 7
    case sixteen = 16
    case sixtyFour = 64
}

/// One frame, legal or not, as it was or will be on the wire. Writing what was parsed gives the same bytes.
package struct Frame: Sendable, Hashable {
    /// FIN, RSV1-3 and opcode in one byte.
    package var firstByte: UInt8
    package var lengthForm: LengthForm
    /// What the length field says; differs from `payload.readableBytes` only in frames written to lie.
    package var declaredLength: UInt64
    /// The masking key in wire order (first byte = most significant), nil when the mask bit is clear.
    package var maskKey: UInt32?
    /// The payload with the mask taken off.
    package var payload: ByteBuffer

    package init(
        firstByte: UInt8, lengthForm: LengthForm, declaredLength: UInt64, maskKey: UInt32?, payload: ByteBuffer
    ) {
        self.firstByte = firstByte
        self.lengthForm = lengthForm
        self.declaredLength = declaredLength
        self.maskKey = maskKey
        self.payload = payload
    }

    /// A frame in the shortest legal form.
    package init(fin: Bool = true, rsv: UInt8 = 0, opcode: Opcode, maskKey: UInt32? = nil, payload: ByteBuffer) {
        let length = payload.readableBytes
        self.init(
            firstByte: (fin ? 0x80 : 0) | (rsv & 0x7) << 4 | opcode.rawValue,
            lengthForm: length < 126 ? .seven : length < 65_536 ? .sixteen : .sixtyFour,
            declaredLength: UInt64(length), maskKey: maskKey, payload: payload)
    }

    package var fin: Bool { firstByte & 0x80 != 0 }
    /// RSV1-3 as a number from 0 to 7; RSV1 is 4.
    package var rsv: UInt8 { firstByte >> 4 & 0x7 }
    package var opcode: Opcode { Opcode(rawValue: firstByte) }
}
