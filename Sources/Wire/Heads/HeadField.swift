/// One field of a head. All ranges count bytes from the start of the head.
package struct HeadField: Sendable, Hashable {
    /// As it was sent; compare with `isNamed`.
    package var name: String
    /// Without the white space around it.
    package var value: String
    package var nameRange: Range<Int>
    package var valueRange: Range<Int>
    /// The whole line with its CRLF.
    package var lineRange: Range<Int>

    package func isNamed(_ other: String) -> Bool { ASCII.equal(name, other) }
}

/// A piece of a head that can be found, replaced or taken out by itself: a query item, cookie or list element.
package struct HeadPart: Sendable, Hashable {
    /// Of a query item or cookie; empty for list elements.
    package var name: String
    /// Decoded: percent escapes of a query, quotes of a cookie.
    package var value: String
    /// Where the value stands, as sent.
    package var valueRange: Range<Int>
    /// What to take out so that a well-formed head without this part remains.
    package var removalRange: Range<Int>
}

/// ASCII rules that HTTP uses.
package enum ASCII {
    package static func lower(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte }

    /// Equal but for the case of ASCII letters.
    package static func equal(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count && left.utf8.elementsEqual(right.utf8) { lower($0) == lower($1) }
    }

    /// RFC 9110 section 5.6.2.
    package static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    package static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    /// Form decoding of a query item: `%41` and `+`. A broken escape stays as it is.
    package static func percentDecoded(_ bytes: some Sequence<UInt8>) -> String {
        let bytes = Array(bytes)
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count, let high = hex(bytes[index + 1]),
                let low = hex(bytes[index + 2])
            {
                out.append(high << 4 | low)
                index += 3
            } else {
                out.append(bytes[index] == UInt8(ascii: "+") ? 0x20 : bytes[index])
                index += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
