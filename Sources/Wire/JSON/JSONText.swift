package import NIOCore

/// The text of JSON strings: escapes read and written.
package enum JSONText {
    /// Equal byte for byte: Swift's own equality takes differently composed letters for the same.
    package static func isSame(_ left: String, _ right: String) -> Bool { areOne(left, right) || isSameInside(left, right) }

    /// They are the same words of memory: a short text stands in them, and of a long one they say where it stands.
    @inline(__always)
    private static func areOne(_ left: String, _ right: String) -> Bool {
        typealias Words = (UInt64, UInt64)
        guard MemoryLayout<String>.size == MemoryLayout<Words>.size else { return false }
        let (one, other) = unsafe (unsafeBitCast(left, to: Words.self), unsafeBitCast(right, to: Words.self))
        return one == other
    }

    private static func isSameInside(_ left: String, _ right: String) -> Bool {
        guard left.utf8.count == right.utf8.count else { return false }
        // Texts of Swift's own stand in one piece.
        let isSame = unsafe left.utf8.withContiguousStorageIfAvailable { left in
            unsafe right.utf8.withContiguousStorageIfAvailable { right in
                unsafe areEqual(UnsafeRawBufferPointer(left), UnsafeRawBufferPointer(right))
            }
        }
        return (isSame ?? nil) ?? left.utf8.elementsEqual(right.utf8)
    }

    /// Eight bytes at a time.
    private static func areEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        let count = left.count
        guard count == right.count else { return false }
        var index = 0
        while index <= count - 8 {
            let one = unsafe left.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let other = unsafe right.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if one != other { return false }
            index += 8
        }
        while index < count {
            let (one, other) = unsafe (left[index], right[index])
            if one != other { return false }
            index += 1
        }
        return true
    }

    /// Four hex digits at that offset as a UTF-16 unit.
    package static func hexUnit(_ bytes: Span<UInt8>, at offset: Int) -> UInt16? {
        guard offset >= 0, offset <= bytes.count - 4 else { return nil }
        var unit: UInt16 = 0
        for index in offset..<offset + 4 {
            let digit: UInt8
            switch bytes[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = bytes[index] - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = bytes[index] - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = bytes[index] - UInt8(ascii: "A") + 10
            default: return nil
            }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    /// Those bytes as they stand.
    static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        unsafe bytes.extracting(range).withUnsafeBufferPointer { bytes in
            // Short texts are made in place.
            guard bytes.count <= 15 else { return unsafe String(decoding: bytes, as: UTF8.self) }
            return unsafe String(unsafeUninitializedCapacity: bytes.count) { out in
                unsafe copyFew(UnsafeRawBufferPointer(bytes), to: UnsafeMutableRawBufferPointer(out))
                return bytes.count
            }
        }
    }

    /// At most 16 bytes: the first half and the last half, both of which may hold what is in the middle. So few are copied before
    /// a function is called that copies any number.
    @inline(__always)
    private static func copyFew(_ bytes: UnsafeRawBufferPointer, to out: UnsafeMutableRawBufferPointer) {
        let count = bytes.count
        precondition(count <= out.count)
        switch count {
        case 8...16:
            let (first, last) = unsafe (word(bytes, 0, UInt64.self), word(bytes, count &- 8, UInt64.self))
            unsafe out.storeBytes(of: first, toByteOffset: 0, as: UInt64.self)
            unsafe out.storeBytes(of: last, toByteOffset: count &- 8, as: UInt64.self)
        case 4..<8:
            let (first, last) = unsafe (word(bytes, 0, UInt32.self), word(bytes, count &- 4, UInt32.self))
            unsafe out.storeBytes(of: first, toByteOffset: 0, as: UInt32.self)
            unsafe out.storeBytes(of: last, toByteOffset: count &- 4, as: UInt32.self)
        default: for index in 0..<count { unsafe out[index] = bytes[index] }
        }
    }

    @inline(__always)
    private static func word<Word: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _ place: Int, _ word: Word.Type
    ) -> Word {
        unsafe bytes.loadUnaligned(fromByteOffset: place, as: word)
    }

    /// The string between the quotes of `range` (a range that `JSONTokens` gave). A lone surrogate becomes U+FFFD.
    package static func decode(_ bytes: Span<UInt8>, _ range: Range<Int>, escaped: Bool) -> String {
        guard range.count >= 2, range.lowerBound >= 0, range.upperBound <= bytes.count else { return "" }
        guard escaped else { return text(bytes, range.lowerBound + 1..<range.upperBound - 1) }
        return unsafe withUnsafeTemporaryAllocation(byteCount: range.count, alignment: 1) { memory in
            var out = unsafe OutputRawSpan(buffer: memory, initializedCount: 0)
            unescape(bytes, range, into: &out)
            let count = unsafe out.finalize(for: memory)
            return unsafe String(decoding: UnsafeRawBufferPointer(rebasing: memory[..<count]), as: UTF8.self)
        }
    }

    /// The same as UTF-8.
    package static func decodeBytes(_ bytes: Span<UInt8>, _ range: Range<Int>) -> ByteBuffer {
        guard range.count >= 2, range.lowerBound >= 0, range.upperBound <= bytes.count else { return ByteBuffer() }
        var out = ByteBuffer()
        out.writeWithOutputRawSpan(minimumWritableBytes: range.count) { out in unescape(bytes, range, into: &out) }
        return out
    }

    /// The text as UTF-8 of the string that begins there, and where it ends: of one that holds nothing but ASCII and short
    /// escapes, and is not long. Of any other nil: that has to be looked at more closely. Most are like this, and are read once.
    package static func shortText(_ bytes: Span<UInt8>, at start: Int) -> (text: ByteBuffer, end: Int)? {
        guard start >= 0, start < bytes.count, bytes[start] == UInt8(ascii: "\"") else { return nil }
        return unsafe withUnsafeTemporaryAllocation(byteCount: 1_024, alignment: 1) { memory in
            var out = unsafe OutputRawSpan(buffer: memory, initializedCount: 0)
            let end = unescapeShort(bytes, from: start + 1, into: &out)
            if end < 0 { return nil }
            var text = ByteBufferAllocator().buffer(capacity: out.byteCount)
            text.writeBytes(out.bytes)
            return (text, end)
        }
    }

    /// Where the string ends, with its quote. -1 when something stands in it that is neither plain nor a short escape, or when
    /// `out` is full.
    @inline(__always)
    private static func unescapeShort(_ bytes: Span<UInt8>, from start: Int, into out: inout OutputRawSpan) -> Int {
        // A byte has no padding that could be read.
        let raw = unsafe bytes.bytes
        let lastWord = bytes.count &- 8
        var index = start
        while index <= lastWord {
            // A word; or seven bytes, one that was escaped, and the two between it and the next text.
            if out.freeCapacity < 10 { return -1 }
            let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            // An integer has no padding that could be told.
            unsafe out.append(word, as: UInt64.self)
            guard let plain = ByteScan.endOfPlainText(in: word) else {
                index &+= 8
                continue
            }
            out.removeLast(8 &- plain)
            index &+= plain
            let mark = bytes[index]
            if mark != UInt8(ascii: "\\") { return mark == UInt8(ascii: "\"") ? index &+ 1 : -1 }
            index &+= 1
            if index == bytes.count { return -1 }
            let byte = short(bytes[index])
            if byte == 0 { return -1 }
            out.append(byte)
            index &+= 1
            // Texts in a message that is JSON itself have but one byte between them.
            if index <= lastWord, isBetweenQuotes(ByteScan.word(bytes, at: index)) {
                out.append(bytes[index])
                out.append(UInt8(ascii: "\""))
                index &+= 3
            }
        }
        // The last bytes of the line.
        while index < bytes.count, out.freeCapacity > 0 {
            var byte = bytes[index]
            if byte == UInt8(ascii: "\"") { return index &+ 1 }
            index &+= 1
            if byte == UInt8(ascii: "\\") {
                byte = index < bytes.count ? short(bytes[index]) : 0
                if byte == 0 { return -1 }
                index &+= 1
            } else if byte < 0x20 || byte >= 0x80 {
                return -1
            }
            out.append(byte)
        }
        return -1
    }

    /// A colon or a comma, and an escaped quote behind it.
    @inline(__always)
    private static func isBetweenQuotes(_ word: UInt64) -> Bool {
        let three = UInt64(littleEndian: word) & 0xff_ffff
        return three == 0x22_5c3a || three == 0x22_5c2c
    }

    /// What this byte behind a backslash stands for; 0 when it stands for no byte alone.
    @inline(__always)
    private static func short(_ kind: UInt8) -> UInt8 {
        // Most are.
        if kind == UInt8(ascii: "\"") { return kind }
        return switch kind {
        case UInt8(ascii: "\\"), UInt8(ascii: "/"): kind
        case UInt8(ascii: "n"): 10
        case UInt8(ascii: "r"): 13
        case UInt8(ascii: "t"): 9
        case UInt8(ascii: "b"): 8
        case UInt8(ascii: "f"): 12
        default: 0
        }
    }

    /// `out` has room for as many bytes as the range: no escape is shorter than what it stands for.
    private static func unescape(_ bytes: Span<UInt8>, _ range: Range<Int>, into out: inout OutputRawSpan) {
        let end = range.upperBound - 1
        var index = range.lowerBound + 1
        while index < end {
            index = copyPlain(bytes, index..<end, into: &out)
            guard index + 1 < end else { break }
            let kind = bytes[index + 1]
            index += 2
            switch kind {
            case UInt8(ascii: "b"): out.append(8)
            case UInt8(ascii: "f"): out.append(12)
            case UInt8(ascii: "n"): out.append(10)
            case UInt8(ascii: "r"): out.append(13)
            case UInt8(ascii: "t"): out.append(9)
            case UInt8(ascii: "u"): for byte in String(scalar(bytes, &index)).utf8 { out.append(byte) }
            default: out.append(kind)
            }
        }
    }

    /// Copies what stands before the first backslash, eight bytes at a time; the place of it, or the end.
    @inline(__always)
    private static func copyPlain(_ bytes: Span<UInt8>, _ range: Range<Int>, into out: inout OutputRawSpan) -> Int {
        var index = range.lowerBound
        while range.upperBound - index >= 8, out.freeCapacity >= 8 {
            let word = ByteScan.word(bytes, at: index)
            // An integer has no padding that could be told.
            unsafe out.append(word, as: UInt64.self)
            if let plain = ByteScan.first(UInt8(ascii: "\\"), in: word) {
                out.removeLast(8 - plain)
                return index + plain
            }
            index += 8
        }
        while index < range.upperBound, bytes[index] != UInt8(ascii: "\\") {
            out.append(bytes[index])
            index += 1
        }
        return index
    }

    private static func scalar(_ bytes: Span<UInt8>, _ index: inout Int) -> Unicode.Scalar {
        let replacement: Unicode.Scalar = "\u{fffd}"
        guard let unit = hexUnit(bytes, at: index) else { return replacement }
        index += 4
        if let scalar = Unicode.Scalar(UInt32(unit)) { return scalar }
        guard unit < 0xdc00, index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"),
            bytes[index + 1] == UInt8(ascii: "u"), let low = hexUnit(bytes, at: index + 2),
            (0xdc00...0xdfff).contains(low)
        else { return replacement }
        index += 6
        let value = 0x10000 + (UInt32(unit) - 0xd800) << 10 + (UInt32(low) - 0xdc00)
        return Unicode.Scalar(value) ?? replacement
    }

    /// Appends `text` with quotes; escapes only what RFC 8259 section 7 demands.
    package static func encode(_ text: String, into out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                out.append(UInt8(ascii: "\\"))
                out.append(byte)
            case 8: out.append(contentsOf: "\\b".utf8)
            case 9: out.append(contentsOf: "\\t".utf8)
            case 10: out.append(contentsOf: "\\n".utf8)
            case 12: out.append(contentsOf: "\\f".utf8)
            case 13: out.append(contentsOf: "\\r".utf8)
            case 0..<0x20:
                out.append(contentsOf: "\\u00".utf8)
                for digit in [byte >> 4, byte & 15] {
                    out.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
                }
            default: out.append(byte)
            }
        }
        out.append(UInt8(ascii: "\""))
    }

    /// `text` as a JSON string with quotes.
    package static func quoted(_ text: String) -> String {
        var out: [UInt8] = []
        encode(text, into: &out)
        return String(decoding: out, as: UTF8.self)
    }
}
