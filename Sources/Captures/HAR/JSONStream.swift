import Wire

/// Walks a JSON text in a file without holding it: values that nobody asks for are passed over, checked, and only their
/// ranges remembered. No recursion; memory is one chunk and one bit a level.
struct JSONStream {
    /// Where a text stops being JSON, or being readable at all.
    enum Fault: Error {
        case json(offset: UInt64, reason: String)
        case file(ImportError)
    }

    private var window: FileWindow
    private(set) var offset: UInt64
    private let deepest: Int

    init(_ file: SourceFile, from offset: UInt64 = 0, chunk: Int = 256 << 10, deepest: Int = 512) {
        window = FileWindow(file, chunk: chunk)
        self.offset = offset
        self.deepest = deepest
    }

    // MARK: Objects and arrays, member by member

    /// True, and behind the bracket, when an object begins here; otherwise nothing is consumed.
    mutating func enterObject() throws(Fault) -> Bool { try enter(UInt8(ascii: "{")) }
    mutating func enterArray() throws(Fault) -> Bool { try enter(UInt8(ascii: "[")) }

    private mutating func enter(_ bracket: UInt8) throws(Fault) -> Bool {
        guard try peek() == bracket else { return false }
        offset += 1
        return true
    }

    /// The next key of the object that was entered, with its value next; nil behind the closing bracket.
    /// - Parameter isFirst: true before the first one.
    mutating func nextKey(_ isFirst: inout Bool) throws(Fault) -> String? {
        guard try separator(&isFirst, closing: UInt8(ascii: "}")) else { return nil }
        guard try peek() == UInt8(ascii: "\"") else { throw try wrong("a key in quotes") }
        let range = try string()
        guard try peek() == UInt8(ascii: ":") else { throw try wrong(": behind the key") }
        offset += 1
        return try text(range)
    }

    /// True with the next element next; false behind the closing bracket.
    mutating func nextElement(_ isFirst: inout Bool) throws(Fault) -> Bool {
        try separator(&isFirst, closing: UInt8(ascii: "]"))
    }

    private mutating func separator(_ isFirst: inout Bool, closing: UInt8) throws(Fault) -> Bool {
        let byte = try peek()
        if byte == closing {
            offset += 1
            return false
        }
        if isFirst {
            isFirst = false
            return true
        }
        guard byte == UInt8(ascii: ",") else { throw try wrong(", or \(Character(Unicode.Scalar(closing)))") }
        offset += 1
        if try peek() == closing { throw try wrong("a value behind the comma") }
        return true
    }

    /// Only white space may stand behind the value.
    mutating func finish() throws(Fault) {
        if try peek() != nil { throw try wrong("the end of the file") }
    }

    // MARK: Values as a whole

    /// Passes over one value, whatever it is.
    @discardableResult
    mutating func skipValue() throws(Fault) -> Range<UInt64> {
        _ = try peek()
        let start = offset
        var open = Nesting()
        while true {
            if try scalarOrOpening(&open) { continue }
            // A value ended: close what it was the last of.
            while true {
                guard let isObject = open.last else { return start..<offset }
                let byte = try peek()
                if byte == UInt8(ascii: ",") {
                    offset += 1
                    if isObject { try key() }
                    break
                }
                guard byte == UInt8(ascii: isObject ? "}" : "]") else { throw try wrong(isObject ? ", or }" : ", or ]") }
                offset += 1
                open.removeLast()
            }
        }
    }

    /// Passes one scalar, an empty container, or an opening bracket; true when a container was opened and its first value
    /// is next.
    private mutating func scalarOrOpening(_ open: inout Nesting) throws(Fault) -> Bool {
        switch try peek() {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            let isObject = try peek() == UInt8(ascii: "{")
            guard open.count < deepest else {
                throw .json(offset: offset, reason: "more than \(deepest) levels of nesting")
            }
            offset += 1
            if try peek() == UInt8(ascii: isObject ? "}" : "]") {
                offset += 1
                return false
            }
            open.append(isObject)
            if isObject { try key() }
            return true
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        case let byte? where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte): try number()
        default: throw try wrong("a value")
        }
        return false
    }

    private mutating func key() throws(Fault) {
        guard try peek() == UInt8(ascii: "\"") else { throw try wrong("a key in quotes") }
        _ = try string()
        guard try peek() == UInt8(ascii: ":") else { throw try wrong(": behind the key") }
        offset += 1
    }

    enum Value {
        case json(JSON)
        /// Longer than what is held of a value.
        case tooLong
        case malformed(JSONError, at: UInt64)
    }

    /// The value next, which is passed over whatever it is.
    mutating func value(most: Int) throws(Fault) -> Value {
        let range = try skipValue()
        guard range.upperBound - range.lowerBound <= UInt64(most) else { return .tooLong }
        // Bytes that are no UTF-8 become U+FFFD: writers cut strings in the middle of characters.
        switch JSON.decode(String(decoding: try bytes(range), as: UTF8.self)) {
        case .value(let json, _): return .json(json)
        case .malformed(let error): return .malformed(error, at: range.lowerBound)
        }
    }

    mutating func bytes(_ range: Range<UInt64>) throws(Fault) -> [UInt8] {
        do throws(ImportError) { return try window.bytes(range) } catch { throw .file(error) }
    }

    // MARK: Bytes

    /// The next byte that is no white space.
    @inline(__always)
    private mutating func peek() throws(Fault) -> UInt8? {
        while let byte = try byte() {
            guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return byte }
            offset += 1
        }
        return nil
    }

    @inline(__always)
    private mutating func byte() throws(Fault) -> UInt8? {
        do throws(ImportError) { return try window.byte(at: offset) } catch { throw .file(error) }
    }

    private mutating func wrong(_ expected: String) throws(Fault) -> Fault {
        .json(offset: offset, reason: try byte() == nil ? "the file ends where \(expected) must be" : "expected \(expected)")
    }

    /// From quote to quote.
    private mutating func string() throws(Fault) -> Range<UInt64> {
        let start = offset
        offset += 1
        while true {
            do throws(ImportError) { offset = try window.skipPlain(from: offset) } catch { throw .file(error) }
            switch try byte() {
            case nil: throw .json(offset: offset, reason: "the file ends inside a string")
            case UInt8(ascii: "\""):
                offset += 1
                return start..<offset
            case UInt8(ascii: "\\"): offset += 2
            default: throw .json(offset: offset, reason: "a control character stands inside a string")
            }
        }
    }

    private mutating func text(_ range: Range<UInt64>) throws(Fault) -> String {
        guard range.upperBound - range.lowerBound <= 4_096 else { return "" }
        let bytes = try bytes(range)
        return JSONText.decode(bytes.span, 0..<bytes.count, escaped: bytes.contains(UInt8(ascii: "\\")))
    }

    private mutating func word(_ word: StaticString) throws(Fault) {
        let start = offset
        for expected in "\(word)".utf8 {
            guard try byte() == expected else { throw .json(offset: start, reason: "expected a value") }
            offset += 1
        }
    }

    /// Which characters a number is made of; its form is checked where its value is read.
    private mutating func number() throws(Fault) {
        while let byte = try byte() {
            switch byte {
            case 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
                offset += 1
            default: return
            }
        }
    }
}

/// Which brackets are open: a bit each.
private struct Nesting {
    private var words: [UInt64] = []
    private(set) var count = 0

    var last: Bool? { count == 0 ? nil : words[(count - 1) >> 6] >> UInt64((count - 1) & 63) & 1 == 1 }

    mutating func append(_ isObject: Bool) {
        if count & 63 == 0 { words.append(0) }
        let bit = UInt64(1) << UInt64(count & 63)
        if isObject { words[count >> 6] |= bit } else { words[count >> 6] &= ~bit }
        count += 1
    }

    mutating func removeLast() {
        count -= 1
        if count & 63 == 0 { words.removeLast() }
    }
}

extension SourceFile {
    /// `trace.har:12:4` for a byte of it; columns count characters from 1.
    func place(of offset: UInt64) throws(ImportError) -> String {
        var line = 1
        var column = 1
        var at: UInt64 = 0
        while at < offset {
            let bytes = try read(at: at, Int(clamping: min(UInt64(1 << 20), offset - at)))
            if bytes.isEmpty { break }
            for byte in bytes {
                if byte == 0x0a {
                    line += 1
                    column = 1
                } else if byte & 0xc0 != 0x80 {
                    column += 1
                }
            }
            at += UInt64(bytes.count)
        }
        return "\(path):\(line):\(column)"
    }
}
