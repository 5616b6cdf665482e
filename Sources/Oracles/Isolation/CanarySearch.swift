import Journaling
import NIOCore
import Wire

/// Finds canaries however a server wrote them down: as they are, in any case, behind JSON escapes, percent-encoding, base64
/// (both alphabets, padded or not, beginning anywhere, with line breaks), hexadecimal digits, gzip and zlib, and three of
/// these in each other. Linear in the message; beyond `budget` what is packed deeper is not looked at, which can only
/// miss something. A message without escapes and without a run of 40 digits of base64 costs one look.
struct CanarySearch {
    /// Layers taken off, one in another.
    private static let depth = 3
    /// Digits that a token takes in base64: no shorter run can hold one.
    private static let leastRun = 40
    private static let leastHex = 60
    /// No digit of base64 is below it.
    private static let leastDigit: UInt8 = 0x2b
    /// Text before the base64 may be made of its digits too; of longer runs only the beginning is tried.
    private static let longestShifted = 4_096

    private var found: [Canary] = []
    private var known: Set<Canary> = []
    /// Bytes that may still be decoded.
    private var budget: Int

    /// In order of place, those as they are first.
    static func all(in payload: ByteBuffer) -> [Canary] {
        // Most messages hold neither the mark of a token nor anything that could hide one.
        let bytes = payload.readableBytesUInt8Span
        let look = ByteScan.look(for: 0x2d, 0x5c, 0x25, below: leastDigit, in: bytes)
        let plain = look.holdsOne ? Canary.all(in: bytes) : []
        guard mayHide(bytes, look) else { return plain }
        var search = CanarySearch(budget: 4_096 + 16 * payload.readableBytes)
        search.look(into: Array(payload.readableBytesView), depth: 0)
        return plain + search.found
    }

    private init(budget: Int) { self.budget = budget }

    // MARK: Whether it is worth it

    private static func mayHide(_ bytes: Span<UInt8>, _ look: ByteScan.Look) -> Bool {
        guard bytes.count >= leastRun else { return false }
        if isPacked(bytes) { return true }
        if !look.isParted, hasRun(bytes) { return true }
        guard look.holdsOthers else { return false }
        var from = 0
        while let at = ByteScan.first(0x5c, or: 0x25, in: bytes, from: from) {
            let isEscaped = bytes[at] == 0x5c
            if isEscaped ? isEscape(bytes, at) : percent(bytes, at) != nil { return true }
            // What a backslash stands before is no backslash.
            from = isEscaped && at + 1 < bytes.count && bytes[at + 1] == 0x5c ? at + 2 : at + 1
        }
        return false
    }

    /// A run that ends at `place` or later and holds it begins behind the last byte before it that is no digit: the next one
    /// that can be long enough ends `leastRun` behind that.
    private static func hasRun(_ bytes: Span<UInt8>) -> Bool {
        var before = -1
        while before + leastRun < bytes.count {
            let place = before + leastRun
            var last = place
            while last > before, isDigit(bytes[last]) { last -= 1 }
            if last == before { return true }
            before = last
        }
        return false
    }

    private static func isInRun(_ bytes: Span<UInt8>, _ place: Int) -> Bool {
        var first = place
        while first > 0, place - first < leastRun, isDigit(bytes[first - 1]) { first -= 1 }
        var end = place + 1
        while end < bytes.count, end - first < leastRun, isDigit(bytes[end]) { end += 1 }
        return end - first >= leastRun
    }

    /// Both alphabets of base64.
    private static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2b, 0x2d, 0x2f, 0x5f: true
        default: false
        }
    }

    private static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x2b: 62
        case 0x2f: 63
        default: Base64URL.value(of: byte)
        }
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }

    /// `\u006d`, `\/` and line breaks: other escapes hide nothing that a token or a digit could be.
    private static func isEscape(_ bytes: Span<UInt8>, _ at: Int) -> Bool {
        guard at + 1 < bytes.count else { return false }
        switch bytes[at + 1] {
        case 0x75, 0x2f, 0x6e, 0x72: return true
        // Escaped twice.
        case 0x5c: return at + 2 < bytes.count && (bytes[at + 2] == 0x75 || bytes[at + 2] == 0x2f || bytes[at + 2] == 0x6e)
        default: return false
        }
    }

    private static func percent(_ bytes: Span<UInt8>, _ at: Int) -> UInt8? {
        guard at + 2 < bytes.count, let high = hex(bytes[at + 1]), let low = hex(bytes[at + 2]) else { return nil }
        return high << 4 | low
    }

    // MARK: Layers

    private mutating func look(into bytes: [UInt8], depth: Int) {
        if depth > 0 {
            for canary in Canary.all(in: bytes) where known.insert(canary).inserted { found.append(canary) }
        }
        guard depth < Self.depth, bytes.count >= Self.leastRun else { return }
        if Self.isPacked(bytes.span), let plain = unpacked(bytes) { look(into: plain, depth: depth + 1) }
        if let plain = unescaped(bytes) { look(into: plain, depth: depth + 1) }
        var place = Self.leastRun - 1
        while place < bytes.count {
            guard Self.isDigit(bytes[place]), Self.isInRun(bytes.span, place) else {
                place += Self.leastRun
                continue
            }
            let run = run(bytes, around: place)
            look(into: bytes, run, depth: depth)
            place = run.upperBound + Self.leastRun
        }
    }

    /// With the line breaks in it.
    private func run(_ bytes: [UInt8], around place: Int) -> Range<Int> {
        var first = place
        while first > 0, Self.isDigit(bytes[first - 1]) { first -= 1 }
        var end = place
        while end < bytes.count, Self.isDigit(bytes[end]) || bytes[end] == 0x0a || bytes[end] == 0x0d { end += 1 }
        return first..<end
    }

    private mutating func look(into bytes: [UInt8], _ run: Range<Int>, depth: Int) {
        lookAtHex(bytes, run, depth: depth)
        for shift in 0..<4 {
            let end = shift == 0 ? run.upperBound : min(run.upperBound, run.lowerBound + Self.longestShifted)
            guard run.lowerBound + shift < end, spend(end - run.lowerBound) else { return }
            look(into: Self.base64(bytes[(run.lowerBound + shift)..<end]), depth: depth + 1)
        }
    }

    private mutating func lookAtHex(_ bytes: [UInt8], _ run: Range<Int>, depth: Int) {
        var start = run.lowerBound
        while start < run.upperBound {
            var end = start
            while end < run.upperBound, Self.hex(bytes[end]) != nil { end += 1 }
            if end - start >= Self.leastHex {
                for shift in 0..<2 where spend(end - start) {
                    let digits = bytes[(start + shift)..<end]
                    look(into: Self.hexadecimal(digits), depth: depth + 1)
                }
            }
            start = end + 1
        }
    }

    private mutating func spend(_ count: Int) -> Bool {
        guard budget >= count else { return false }
        budget -= count
        return true
    }

    private static func base64(_ digits: ArraySlice<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(digits.count * 3 / 4)
        var bits: UInt32 = 0
        var count = 0
        for digit in digits {
            guard let value = value(digit) else { continue }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                out.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return out
    }

    private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(digits.count / 2)
        var high: UInt8?
        for digit in digits {
            guard let value = hex(digit) else { continue }
            if let first = high {
                out.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return out
    }

    /// JSON's escapes and percent-encoding; nil when there are none.
    private mutating func unescaped(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.contains(where: { $0 == 0x5c || $0 == 0x25 }), spend(bytes.count) else { return nil }
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var place = 0
        while place < bytes.count {
            if bytes[place] == 0x25, let byte = Self.percent(bytes.span, place) {
                out.append(byte)
                place += 3
            } else if bytes[place] == 0x5c, place + 1 < bytes.count {
                place += Self.unescape(bytes, place, into: &out)
            } else {
                out.append(bytes[place])
                place += 1
            }
        }
        return out.count < bytes.count ? out : nil
    }

    /// How many bytes the escape takes.
    private static func unescape(_ bytes: [UInt8], _ place: Int, into out: inout [UInt8]) -> Int {
        switch bytes[place + 1] {
        case 0x6e: out.append(0x0a)
        case 0x72: out.append(0x0d)
        case 0x75 where place + 5 < bytes.count:
            let digits = bytes[(place + 2)...(place + 5)].compactMap { hex($0) }
            guard digits.count == 4 else { break }
            let code = digits.reduce(UInt32(0)) { $0 << 4 | UInt32($1) }
            // Whatever is no letter of ours only parts words.
            out.append(code < 0x80 ? UInt8(code) : 0xff)
            return 6
        default: out.append(bytes[place + 1])
        }
        return 2
    }

    // MARK: gzip (RFC 1952) and zlib (RFC 1950)

    private static func isPacked(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count >= 20 else { return false }
        let (first, second) = (bytes[0], bytes[1])
        if first == 0x1f { return second == 0x8b && bytes[2] == 8 }
        return first == 0x78 && [0x01, 0x5e, 0x9c, 0xda].contains(second)
    }

    private mutating func unpacked(_ bytes: [UInt8]) -> [UInt8]? {
        var start = 2
        var end = bytes.count - 4
        if bytes[0] == 0x1f {
            guard let header = Self.gzipHeader(bytes) else { return nil }
            start = header
            end = bytes.count - 8
        }
        let most = min(budget, max(4_096, 16 * bytes.count))
        guard start < end, most > 0, let inflater = try? Inflater(takeover: false) else { return nil }
        for last in [end, bytes.count] {
            guard let plain = try? inflater.inflate(ByteBuffer(bytes: bytes[start..<last]), limit: most) else { continue }
            return spend(plain.readableBytes) ? Array(plain.readableBytesView) : nil
        }
        return nil
    }

    /// Where the compressed bytes begin.
    private static func gzipHeader(_ bytes: [UInt8]) -> Int? {
        let flags = bytes[3]
        var place = 10
        if flags & 4 != 0 {
            guard place + 1 < bytes.count else { return nil }
            place += 2 + Int(bytes[place]) + Int(bytes[place + 1]) << 8
        }
        for flag in [8, 16] as [UInt8] where flags & flag != 0 {
            guard place < bytes.count, let zero = bytes[place...].firstIndex(of: 0) else { return nil }
            place = zero + 1
        }
        if flags & 2 != 0 { place += 2 }
        return place < bytes.count ? place : nil
    }
}
