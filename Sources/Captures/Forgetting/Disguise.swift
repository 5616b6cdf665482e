import Journaling

/// How text is written inside other text, so that a plain search does not see it.
enum Disguise: CaseIterable {
    case percent, json, base64

    /// One layer of it taken away, or nil where there is none.
    func removed(from bytes: [UInt8]) -> [UInt8]? {
        let plain: [UInt8]
        switch self {
        case .percent:
            guard bytes.contains(0x25) else { return nil }
            plain = Array(HeadView.percentDecoded(String(decoding: bytes, as: UTF8.self)).utf8)
        case .json:
            guard bytes.contains(0x5c) else { return nil }
            plain = Self.unescaped(bytes)
        case .base64:
            plain = Self.texts(inBase64: bytes)
            return plain.isEmpty ? nil : plain
        }
        return plain == bytes ? nil : plain
    }

    // MARK: JSON

    /// Escapes resolved, wherever they stand; what is none stays.
    private static func unescaped(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            guard bytes[index] == 0x5c, index + 1 < bytes.count else {
                out.append(bytes[index])
                index += 1
                continue
            }
            if let (scalar, length) = scalar(bytes, at: index) {
                out += Array(String(Character(scalar)).utf8)
                index += length
            } else {
                // A line's end is no letter: what follows it is a word.
                out.append([0x62, 0x66, 0x6e, 0x72, 0x74].contains(bytes[index + 1]) ? 0x0a : bytes[index + 1])
                index += 2
            }
        }
        return out
    }

    /// `\u0062`, or the two halves of what lies beyond 16 bits.
    private static func scalar(_ bytes: [UInt8], at index: Int) -> (Unicode.Scalar, length: Int)? {
        guard let first = unit(bytes, at: index) else { return nil }
        if let scalar = Unicode.Scalar(UInt32(first)) { return (scalar, 6) }
        guard UTF16.isLeadSurrogate(first), let second = unit(bytes, at: index + 6), UTF16.isTrailSurrogate(second) else { return nil }
        return (UTF16.decode(UTF16.EncodedScalar([first, second])), 12)
    }

    private static func unit(_ bytes: [UInt8], at index: Int) -> UInt16? {
        guard index + 6 <= bytes.count, bytes[index] == 0x5c, bytes[index + 1] == 0x75 else { return nil }
        return UInt16(String(decoding: bytes[(index + 2)..<(index + 6)], as: UTF8.self), radix: 16)
    }

    // MARK: Base64

    /// What stands there as base64, in either alphabet, one text a line. Only what is text: words of any language are
    /// base64 of something.
    private static func texts(inBase64 bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var text: [UInt8] = []
        var (bits, count) = (UInt32(0), 0)
        var isText = true
        func end() {
            if isText, text.count >= 3, String(validating: text, as: UTF8.self) != nil { out += text + [0x0a] }
            text.removeAll(keepingCapacity: true)
            (bits, count, isText) = (0, 0, true)
        }
        for byte in bytes {
            guard let digit = digit(byte) else {
                end()
                continue
            }
            bits = (bits << 6 | UInt32(digit)) & 0xffff
            count += 6
            if count >= 8 {
                count -= 8
                let byte = UInt8(truncatingIfNeeded: bits >> UInt32(count))
                if byte < 0x20, byte != 0x09, byte != 0x0a, byte != 0x0d { isText = false }
                if isText { text.append(byte) }
            }
        }
        end()
        return out
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x41...0x5a: byte - 0x41
        case 0x61...0x7a: byte - 0x61 + 26
        case 0x30...0x39: byte - 0x30 + 52
        case 0x2b, 0x2d: 62
        case 0x2f, 0x5f: 63
        default: nil
        }
    }
}
