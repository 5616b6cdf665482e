import Wire

/// Finds what looks like a JWT anywhere in bytes: three consecutive base64url parts, of which the first decodes to
/// something that begins like a JSON object. Signature and claims may be broken or empty; they are secrets all the same.
package enum JWTShape {
    /// Ranges in order, without overlap. Linear in the length.
    package static func ranges(in bytes: [UInt8]) -> [Range<Int>] {
        ranges(in: bytes.span)
    }

    private static func ranges(in bytes: Span<UInt8>) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var index = 0
        while let next = ByteScan.first(0x65, in: bytes, from: index) {
            index = next
            guard isObject(bytes, index) else {
                index += 1
                continue
            }
            let first = run(bytes, from: index)
            guard first - index >= shortestHeader, isDot(bytes, first) else {
                index = first
                continue
            }
            var end = run(bytes, from: first + 1)
            guard end > first + 1, isDot(bytes, end) else {
                index = first + 1
                continue
            }
            end = run(bytes, from: end + 1)
            // An encrypted token has five parts (RFC 7516 section 3.1).
            for _ in 0..<2 where isDot(bytes, end) {
                let next = run(bytes, from: end + 1)
                if next > end + 1 { end = next }
            }
            found.append(index..<end)
            index = end
        }
        return found
    }

    /// Where a token begins that goes on to the very end, so that its last parts may be missing.
    package static func cutToken(in bytes: [UInt8]) -> Int? {
        var start = bytes.count
        while start > 0, bytes[start - 1] == 0x2e || Base64URL.value(of: bytes[start - 1]) != nil { start -= 1 }
        let tail = bytes.span
        while start < bytes.count {
            if isObject(tail, start) { return start }
            start += 1
        }
        return nil
    }

    /// `{"alg":""}` is the least that a header can say.
    private static let shortestHeader = 10

    /// `{` and then `"` or white space, in base64: `eyI`-`eyL`, `eyA`-`eyD`, `ewk`-`ewr`, `ew0`-`ew3`.
    private static func isObject(_ bytes: Span<UInt8>, _ index: Int) -> Bool {
        guard bytes[index] == 0x65, index + 2 < bytes.count else { return false }
        switch (bytes[index + 1], bytes[index + 2]) {
        case (0x79, 0x41...0x44), (0x79, 0x49...0x4c), (0x77, 0x6b...0x72), (0x77, 0x30...0x33): return true
        default: return false
        }
    }

    private static func isDot(_ bytes: Span<UInt8>, _ index: Int) -> Bool {
        index < bytes.count && bytes[index] == 0x2e
    }

    private static func run(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var end = start
        while end < bytes.count, Base64URL.value(of: bytes[end]) != nil { end += 1 }
        return end
    }
}
