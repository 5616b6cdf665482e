/// Texts of ours, looked for where they may stand.
package enum ByteText {
    /// Whether the text stands there.
    package static func stands(_ text: StaticString, in bytes: Span<UInt8>, at place: Int) -> Bool {
        guard place >= 0, bytes.count &- place >= text.utf8CodeUnitCount else { return false }
        return isSame(text, bytes, at: place)
    }

    /// Where the value begins of the member whose key, with its quote, begins there: nil when that is not this name, or has
    /// white space behind it.
    package static func value(of name: StaticString, in bytes: Span<UInt8>, at key: Int) -> Int? {
        let quote = key &+ 1 &+ name.utf8CodeUnitCount
        guard key >= 0, quote < bytes.count &- 1, bytes[quote] == UInt8(ascii: "\""), bytes[quote &+ 1] == UInt8(ascii: ":"),
            bytes[key] == UInt8(ascii: "\""), isSame(name, bytes, at: key &+ 1)
        else { return nil }
        return quote &+ 2
    }

    /// All of it is within the bytes.
    @inline(__always)
    private static func isSame(_ text: StaticString, _ bytes: Span<UInt8>, at place: Int) -> Bool {
        text.withUTF8Buffer { text in
            // A byte has no padding that could be read.
            let wanted = unsafe Span(_unsafeElements: text).bytes
            let here = unsafe bytes.extracting(place..<place &+ wanted.byteCount).bytes
            let count = wanted.byteCount
            if count >= 8 {
                var index = 0
                while index < count &- 8 {
                    if isOther(wanted, here, at: index, UInt64.self) { return false }
                    index &+= 8
                }
                // The last ones, some of which may have been looked at.
                return !isOther(wanted, here, at: count &- 8, UInt64.self)
            }
            if count >= 4 { return !isOther(wanted, here, at: 0, UInt32.self) && !isOther(wanted, here, at: count &- 4, UInt32.self) }
            for index in 0..<count where isOther(wanted, here, at: index, UInt8.self) { return false }
            return true
        }
    }

    @inline(__always)
    private static func isOther<Word: FixedWidthInteger & BitwiseCopyable>(
        _ left: RawSpan, _ right: RawSpan, at place: Int, _ word: Word.Type
    ) -> Bool {
        unsafe left.unsafeLoadUnaligned(fromByteOffset: place, as: word)
            != right.unsafeLoadUnaligned(fromByteOffset: place, as: word)
    }
}
