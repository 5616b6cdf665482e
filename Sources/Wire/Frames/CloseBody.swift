package import struct NIOCore.ByteBuffer

/// The body of a Close frame: a code and a reason, both of which may be missing (RFC 6455 section 5.5.1).
package struct CloseBody: Sendable, Hashable {
    /// Nil when the body is empty or one byte long.
    package var code: UInt16?
    /// Nil when there is no code, or when the reason is no UTF-8.
    package var reason: String?

    package init(code: UInt16, reason: String = "") {
        self.code = code
        self.reason = reason
    }

    package init(_ payload: ByteBuffer) {
        var rest = payload
        guard let code = rest.readInteger(as: UInt16.self) else { return }
        self.code = code
        if UTF8Validator.isValid(rest) { reason = String(buffer: rest) }
    }

    /// The body as it is sent; the reason is cut at a character so that it fits into 125 bytes.
    package var payload: ByteBuffer {
        var out = ByteBuffer()
        guard let code else { return out }
        out.writeInteger(code)
        var room = 123
        for character in reason ?? "" {
            room -= character.utf8.count
            if room < 0 { break }
            out.writeString(String(character))
        }
        return out
    }

    /// Codes that an endpoint may put into a Close frame (RFC 6455 section 7.4 and the IANA registry, 1012-1014).
    package static func mayBeSent(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}
