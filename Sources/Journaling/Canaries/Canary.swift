package import NIOCore
import Wire

/// A word that no server has from anywhere but the user who said it. `mwc-` and 26 of a-z, 2-7 (128 bits in the base32 of
/// RFC 4648, so that neither case folding nor percent-encoding nor JSON changes it); `mwd-` marks one that a fault of ours
/// took to another user and that may be seen anywhere since. Recordings of before hold `mwc-` and twelve of a-z, 0-9.
package struct Canary: Sendable, Hashable {
    package enum Kind: UInt8, Sendable, Hashable { case old, ordinary, declassified }
    package let kind: Kind
    /// The bits of the token; of an old one its twelve characters.
    let high: UInt64
    let low: UInt64

    init(_ kind: Kind, high: UInt64, low: UInt64) {
        self.kind = kind
        self.high = high
        self.low = low
    }

    /// Characters of a token, and of the shortest that is taken for one.
    package static let length = 30
    package static let leastLength = 16
    private static let digits = 26

    package var isDeclassified: Bool { kind == .declassified }

    package var text: String {
        switch kind {
        case .old: return "mwc-" + String(decoding: Self.bytes(high, 8) + Self.bytes(low, 4), as: UTF8.self)
        case .ordinary, .declassified:
            let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
            var characters: [UInt8] = []
            for index in 0..<Self.digits {
                // The last digit holds three bits, and two that are zero.
                let shift = 123 - 5 * index
                let value = shift >= 0 ? Self.bits(high, low, from: shift) : low << 2 & 31
                characters.append(alphabet[Int(value)])
            }
            return (kind == .ordinary ? "mwc-" : "mwd-") + String(decoding: characters, as: UTF8.self)
        }
    }

    private static func bits(_ high: UInt64, _ low: UInt64, from shift: Int) -> UInt64 {
        if shift >= 64 { return high >> UInt64(shift - 64) & 31 }
        // Shifts past 64 bits give zero.
        return (low >> UInt64(shift) | high << UInt64(64 - shift)) & 31
    }

    private static func bytes(_ word: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * (count - 1 - $0))) }
    }

    // MARK: Reading

    /// Every one that stands there as it is, in whichever case.
    package static func all(in payload: ByteBuffer) -> [Canary] { all(in: payload.readableBytesUInt8Span) }

    package static func all(in bytes: [UInt8]) -> [Canary] { all(in: bytes.span) }

    package static func all(in bytes: Span<UInt8>) -> [Canary] {
        guard bytes.count >= leastLength else { return [] }
        var found: [Canary] = []
        // The hyphen is the rarest of the prefix.
        var from = 3
        while let hyphen = ByteScan.first(0x2d, in: bytes, from: from) {
            from = hyphen + 1
            if let canary = read(bytes, hyphen: hyphen) { found.append(canary) }
        }
        return found
    }

    /// The one whose prefix ends with the hyphen there; at least three bytes stand before it.
    private static func read(_ bytes: Span<UInt8>, hyphen at: Int) -> Canary? {
        let letter = bytes[at - 1] | 0x20
        guard letter == 0x63 || letter == 0x64, bytes[at - 2] | 0x20 == 0x77, bytes[at - 3] | 0x20 == 0x6d else { return nil }
        let rest = bytes.extracting((at + 1)..<min(bytes.count, at + 1 + digits))
        guard rest.count >= 12 else { return nil }
        if let canary = token(rest, letter == 0x63 ? .ordinary : .declassified) { return canary }
        return letter == 0x63 ? old(rest.extracting(first: 12)) : nil
    }

    private static func token(_ characters: Span<UInt8>, _ kind: Kind) -> Canary? {
        guard characters.count == digits else { return nil }
        var (high, low): (UInt64, UInt64) = (0, 0)
        for index in characters.indices {
            let character = characters[index]
            let value: UInt64
            switch character {
            case 0x61...0x7a: value = UInt64(character - 0x61)
            case 0x41...0x5a: value = UInt64(character - 0x41)
            case 0x32...0x37: value = UInt64(character - 0x32) + 26
            default: return nil
            }
            if index == digits - 1 {
                guard value & 3 == 0 else { return nil }
                high = high << 3 | low >> 61
                low = low << 3 | value >> 2
            } else {
                high = high << 5 | low >> 59
                low = low << 5 | value
            }
        }
        return Canary(kind, high: high, low: low)
    }

    private static func old(_ characters: Span<UInt8>) -> Canary? {
        var (high, low): (UInt64, UInt64) = (0, 0)
        for index in characters.indices {
            let character = characters[index]
            let byte: UInt8
            switch character {
            case 0x61...0x7a, 0x30...0x39: byte = character
            case 0x41...0x5a: byte = character | 0x20
            default: return nil
            }
            if index < 8 { high = high << 8 | UInt64(byte) } else { low = low << 8 | UInt64(byte) }
        }
        return Canary(.old, high: high, low: low)
    }

    // MARK: Declassifying

    /// The same text with every token in it declassified; nil when there is none. No byte more or less.
    package static func declassified(_ payload: ByteBuffer) -> ByteBuffer? {
        var payload = payload
        var hasOne = false
        var from = 3
        while let hyphen = ByteScan.first(0x2d, in: payload.readableBytesUInt8Span, from: from) {
            from = hyphen + 1
            guard let canary = read(payload.readableBytesUInt8Span, hyphen: hyphen), canary.kind == .ordinary else { continue }
            let letter = payload.readableBytesUInt8Span[hyphen - 1]
            payload.setInteger(letter &+ 1, at: payload.readerIndex + hyphen - 1)
            hasOne = true
        }
        return hasOne ? payload : nil
    }
}
