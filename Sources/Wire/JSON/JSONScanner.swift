/// What has no parts in RFC 8259: strings, numbers and words, and the white space between them.
struct JSONScanner {
    /// Where it stands, in bytes from the start of the text.
    var position: Int
    /// Something was read that strict parsers refuse or that RFC 8259 leaves open, yet common parsers take.
    var tolerated = false
    private let lenient: Bool

    /// `lenient` takes a byte order mark, NaN and the infinities, and notes that it did.
    init(position: Int, lenient: Bool) {
        self.position = position
        self.lenient = lenient
    }

    @inline(__always)
    func peek(_ bytes: Span<UInt8>) -> UInt8? { position < bytes.count ? bytes[position] : nil }

    func error(_ reason: String, at offset: Int? = nil, tolerated: Bool = false) -> JSONError {
        JSONError(offset: offset ?? position, reason: reason, tolerated: tolerated)
    }

    @inline(__always)
    mutating func skipSpace(_ bytes: Span<UInt8>) {
        while let byte = peek(bytes), byte <= 0x20, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    }

    mutating func skipMark(_ bytes: Span<UInt8>) throws(JSONError) {
        guard bytes.count >= 3, bytes[0] == 0xef, bytes[1] == 0xbb, bytes[2] == 0xbf else { return }
        guard lenient else { throw error("byte order mark", tolerated: true) }
        tolerated = true
        position = 3
    }

    /// A value that is no container.
    @inline(__always)
    mutating func scalar(_ bytes: Span<UInt8>) throws(JSONError) -> JSONToken {
        let start = position
        switch peek(bytes) {
        case UInt8(ascii: "\"")?:
            let escaped = try string(bytes)
            return .string(start..<position, escaped: escaped)
        case (UInt8(ascii: "0")...UInt8(ascii: "9"))?:
            try number(bytes)
            return .number(start..<position)
        default: return try word(bytes)
        }
    }

    /// A value that begins with no quote and no digit.
    private mutating func word(_ bytes: Span<UInt8>) throws(JSONError) -> JSONToken {
        guard let byte = peek(bytes) else { throw error(position == 0 ? "empty text" : "the text ends where a value must be") }
        let start = position
        switch byte {
        case UInt8(ascii: "t"):
            try word("true", bytes)
            return .bool(true, start..<position)
        case UInt8(ascii: "f"):
            try word("false", bytes)
            return .bool(false, start..<position)
        case UInt8(ascii: "n"):
            try word("null", bytes)
            return .null(start..<position)
        case UInt8(ascii: "N"): return try notFinite("NaN", bytes)
        case UInt8(ascii: "I"): return try notFinite("Infinity", bytes)
        case UInt8(ascii: "-"):
            if position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "I") { return try notFinite("-Infinity", bytes) }
            position += 1
            try number(bytes)
            return .number(start..<position)
        default: throw error("expected a value")
        }
    }

    private mutating func word(_ text: StaticString, _ bytes: Span<UInt8>) throws(JSONError) {
        let isThere = text.withUTF8Buffer { text in
            text.count <= bytes.count - position && text.indices.allSatisfy { unsafe text[$0] == bytes[position + $0] }
        }
        guard isThere else { throw error("expected a value") }
        position += text.utf8CodeUnitCount
    }

    private mutating func notFinite(_ text: StaticString, _ bytes: Span<UInt8>) throws(JSONError) -> JSONToken {
        let start = position
        try word(text, bytes)
        guard lenient else { throw error("\(text) is no JSON number", at: start, tolerated: true) }
        tolerated = true
        return .number(start..<position)
    }

    /// Digits, a fraction and an exponent.
    private mutating func number(_ bytes: Span<UInt8>) throws(JSONError) {
        if peek(bytes) == UInt8(ascii: "0") {
            position += 1
            if let byte = peek(bytes), byte >= 0x30, byte <= 0x39 { throw error("a number begins with 0") }
        } else {
            try digits(bytes)
        }
        if peek(bytes) == UInt8(ascii: ".") {
            position += 1
            try digits(bytes)
        }
        if peek(bytes) == UInt8(ascii: "e") || peek(bytes) == UInt8(ascii: "E") {
            position += 1
            if peek(bytes) == UInt8(ascii: "+") || peek(bytes) == UInt8(ascii: "-") { position += 1 }
            try digits(bytes)
        }
    }

    @inline(__always)
    private mutating func digits(_ bytes: Span<UInt8>) throws(JSONError) {
        var end = position
        while end < bytes.count, bytes[end] &- 0x30 <= 9 { end += 1 }
        guard end > position else { throw error("expected a digit") }
        position = end
    }

    /// From quote to quote; true when an escape stands inside.
    @inline(__always)
    mutating func string(_ bytes: Span<UInt8>) throws(JSONError) -> Bool {
        let start = position
        position = start &+ 1
        while true {
            if bytes.count &- position < 8 {
                position = ByteScan.endOfPlainText(in: bytes, from: position)
                break
            }
            if let plain = ByteScan.endOfPlainText(in: ByteScan.word(bytes, at: position)) {
                position &+= plain
                break
            }
            position &+= 8
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
            position += 1
            return false
        }
        return try rest(ofStringAt: start, bytes)
    }

    /// Where the string ends that begins there, with its quotes, if nothing stands in it but plain ASCII.
    @inline(never)
    static func plainString(_ bytes: Span<UInt8>, at start: Int) -> Int? {
        guard start < bytes.count, bytes[start] == UInt8(ascii: "\"") else { return nil }
        let end = ByteScan.endOfPlainText(in: bytes, from: start &+ 1)
        return end < bytes.count && bytes[end] == UInt8(ascii: "\"") ? end &+ 1 : nil
    }

    /// Where the number ends that begins there, if it has no sign and no exponent, and is the value of a member.
    @inline(never)
    static func plainNumber(_ bytes: Span<UInt8>, at start: Int) -> Int? {
        guard start < bytes.count, bytes[start] &- 0x31 <= 8 else { return nil }
        var end = start &+ 1
        while end < bytes.count, bytes[end] &- 0x30 <= 9 { end &+= 1 }
        if end < bytes.count, bytes[end] == UInt8(ascii: ".") {
            let fraction = end &+ 1
            end = fraction
            while end < bytes.count, bytes[end] &- 0x30 <= 9 { end &+= 1 }
            if end == fraction { return nil }
        }
        return end < bytes.count && (bytes[end] == UInt8(ascii: ",") || bytes[end] == UInt8(ascii: "}")) ? end : nil
    }

    /// With escapes, or with characters beyond ASCII.
    private mutating func rest(ofStringAt start: Int, _ bytes: Span<UInt8>) throws(JSONError) -> Bool {
        var escaped = false
        var high = false
        while let byte = peek(bytes) {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                if high { tolerated = true }
                return escaped
            case UInt8(ascii: "\\"):
                escaped = true
                try escape(&high, bytes)
                // What stands behind a leading surrogate is looked at here.
                if high { continue }
            case 0..<0x20: throw error("a control character inside a string")
            default:
                if high { tolerated = true }
                high = false
                if byte >= 0x80, !(try isCharacter(bytes)) { break }
            }
            position = ByteScan.endOfPlainText(in: bytes, from: position)
        }
        throw error("the text ends inside the string that begins at \(start)")
    }

    /// Steps over a character beyond ASCII; false when the text ends inside of it.
    private mutating func isCharacter(_ bytes: Span<UInt8>) throws(JSONError) -> Bool {
        var check = UTF8Validator()
        while let byte = peek(bytes) {
            guard check.take(byte) else { throw error("invalid UTF-8 inside a string") }
            position += 1
            if check.isComplete { return true }
        }
        return false
    }

    /// `high` carries a leading surrogate to the escape behind it; one left alone is noted as tolerated.
    @inline(__always)
    private mutating func escape(_ high: inout Bool, _ bytes: Span<UInt8>) throws(JSONError) {
        let start = position
        position += 1
        guard let kind = peek(bytes) else { throw error("the text ends inside an escape") }
        position += 1
        switch kind {
        case UInt8(ascii: "u"): try unit(&high, bytes)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            if high { tolerated = true }
            high = false
        default: 
            if high { tolerated = true }
            throw error("unknown escape", at: start)
        }
    }

    private mutating func unit(_ high: inout Bool, _ bytes: Span<UInt8>) throws(JSONError) {
        guard let unit = JSONText.hexUnit(bytes, at: position) else { throw error("expected four hex digits") }
        position += 4
        let isLow = (0xdc00...0xdfff).contains(unit)
        if high != isLow { tolerated = true }
        high = (0xd800...0xdbff).contains(unit)
    }
}
