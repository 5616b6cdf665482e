package import struct NIOCore.ByteBuffer

/// Why a text is no JSON value, and where.
package struct JSONError: Error, Sendable, Hashable {
    /// Bytes from the start of the text.
    package var offset: Int
    /// One phrase: `expected a value`.
    package var reason: String
    /// True for what common parsers take, and for limits of our own: no server is blamed for accepting it.
    package var tolerated: Bool

    package init(offset: Int, reason: String, tolerated: Bool = false) {
        self.offset = offset
        self.reason = reason
        self.tolerated = tolerated
    }
}

/// Bounds of one JSON text (trust.md L5).
package struct JSONLimits: Sendable, Hashable {
    package var depth: Int
    package var nodes: Int
    package init(depth: Int = 128, nodes: Int = 1_000_000) {
        self.depth = depth
        self.nodes = nodes
    }
}

/// The grammar of RFC 8259 as a pull parser: one token a call, O(depth) memory, no recursion. Tree, document and
/// field reader are built on it, so that all three agree on what JSON is.
package struct JSONTokens: Sendable {
    package enum Token: Sendable, Hashable {
        case beginObject(Int), endObject(Int), beginArray(Int), endArray(Int)
        /// Range with both quotes; `escaped` says that a backslash stands inside.
        case key(Range<Int>, escaped: Bool)
        case string(Range<Int>, escaped: Bool)
        case number(Range<Int>)
        case bool(Bool, Range<Int>)
        case null(Range<Int>)
    }

    private enum State: Sendable { case value, valueOrEnd, keyOrEnd, key, afterValue, done }

    package let bytes: [UInt8]
    package private(set) var position = 0
    /// Something was read that strict parsers refuse or that RFC 8259 leaves open, yet common parsers take.
    package private(set) var tolerated = false
    /// Set by a builder that finds a duplicate key.
    package mutating func noteTolerated() { tolerated = true }

    private var state = State.value
    /// One flag an open container: true for an object.
    private var stack: [Bool] = []
    private var nodes = 0
    private let limits: JSONLimits
    private let lenient: Bool

    /// `lenient` takes a byte order mark, NaN and the infinities, and notes that it did.
    package init(_ bytes: [UInt8], limits: JSONLimits = JSONLimits(), lenient: Bool = false) {
        self.bytes = bytes
        self.limits = limits
        self.lenient = lenient
    }

    package init(_ buffer: ByteBuffer, limits: JSONLimits = JSONLimits(), lenient: Bool = false) {
        self.init([UInt8](buffer.readableBytesView), limits: limits, lenient: lenient)
    }

    package var depth: Int { stack.count }

    /// The next token; nil once the value is complete (what stands behind it: `finish`).
    package mutating func next() throws(JSONError) -> Token? {
        if position == 0, state == .value { try skipMark() }
        while true {
            skipSpace()
            switch state {
            case .done:
                return nil
            case .afterValue:
                if let token = try separator() { return token }
            case .keyOrEnd, .key:
                if state == .keyOrEnd, peek == UInt8(ascii: "}") { return close() }
                return try key()
            case .valueOrEnd:
                if peek == UInt8(ascii: "]") { return close() }
                return try value()
            case .value:
                return try value()
            }
        }
    }

    /// Nothing but white space may stand behind the value.
    package mutating func finish() throws(JSONError) {
        skipSpace()
        if position < bytes.count { throw error("characters behind the value") }
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func error(_ reason: String, at offset: Int? = nil, tolerated: Bool = false) -> JSONError {
        JSONError(offset: offset ?? position, reason: reason, tolerated: tolerated)
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    }

    private mutating func skipMark() throws(JSONError) {
        guard bytes.starts(with: [0xef, 0xbb, 0xbf]) else { return }
        guard lenient else { throw error("byte order mark", tolerated: true) }
        tolerated = true
        position = 3
    }

    private mutating func separator() throws(JSONError) -> Token? {
        guard let inObject = stack.last else {
            state = .done
            return nil
        }
        switch peek {
        case UInt8(ascii: ","):
            position += 1
            state = inObject ? .key : .value
            return nil
        case UInt8(ascii: "}") where inObject, UInt8(ascii: "]") where !inObject:
            return close()
        case nil:
            throw error("the text ends inside \(inObject ? "an object" : "an array")")
        default:
            throw error(inObject ? "expected , or }" : "expected , or ]")
        }
    }

    private mutating func close() -> Token {
        position += 1
        state = .afterValue
        return stack.popLast() == true ? .endObject(position) : .endArray(position)
    }

    private mutating func open(object: Bool) throws(JSONError) -> Token {
        if stack.count >= limits.depth { throw error("deeper than \(limits.depth) levels", tolerated: true) }
        stack.append(object)
        if stack.count > 64 { tolerated = true }
        position += 1
        state = object ? .keyOrEnd : .valueOrEnd
        return object ? .beginObject(position - 1) : .beginArray(position - 1)
    }

    private mutating func key() throws(JSONError) -> Token {
        guard peek == UInt8(ascii: "\"") else {
            throw error(peek == nil ? "the text ends inside an object" : "expected a key in quotes")
        }
        let start = position
        let escaped = try string()
        let end = position
        skipSpace()
        guard peek == UInt8(ascii: ":") else { throw error("expected : behind the key") }
        position += 1
        state = .value
        return .key(start..<end, escaped: escaped)
    }

    private mutating func value() throws(JSONError) -> Token {
        nodes += 1
        if nodes > limits.nodes { throw error("more than \(limits.nodes) values", tolerated: true) }
        guard let byte = peek else { throw error(position == 0 ? "empty text" : "the text ends where a value must be") }
        let start = position
        switch byte {
        case UInt8(ascii: "{"): return try open(object: true)
        case UInt8(ascii: "["): return try open(object: false)
        case UInt8(ascii: "\""):
            let escaped = try string()
            state = .afterValue
            return .string(start..<position, escaped: escaped)
        case UInt8(ascii: "t"):
            try word("true")
            return .bool(true, start..<position)
        case UInt8(ascii: "f"):
            try word("false")
            return .bool(false, start..<position)
        case UInt8(ascii: "n"):
            try word("null")
            return .null(start..<position)
        case UInt8(ascii: "N"), UInt8(ascii: "I"):
            return try notFinite(byte == UInt8(ascii: "N") ? "NaN" : "Infinity", from: start)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            if byte == UInt8(ascii: "-"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "I") {
                return try notFinite("-Infinity", from: start)
            }
            try number()
            state = .afterValue
            return .number(start..<position)
        default: throw error("expected a value")
        }
    }

    private mutating func word(_ text: String) throws(JSONError) {
        let start = position
        for expected in text.utf8 {
            guard peek == expected else { throw error("expected a value", at: start) }
            position += 1
        }
        state = .afterValue
    }

    private mutating func notFinite(_ text: String, from start: Int) throws(JSONError) -> Token {
        try word(text)
        guard lenient else { throw error("\(text) is no JSON number", at: start, tolerated: true) }
        tolerated = true
        return .number(start..<position)
    }

    private mutating func digits() throws(JSONError) {
        guard let byte = peek, byte >= 0x30, byte <= 0x39 else { throw error("expected a digit") }
        while let byte = peek, byte >= 0x30, byte <= 0x39 { position += 1 }
    }

    private mutating func number() throws(JSONError) {
        if peek == UInt8(ascii: "-") { position += 1 }
        if peek == UInt8(ascii: "0") {
            position += 1
            if let byte = peek, byte >= 0x30, byte <= 0x39 { throw error("a number begins with 0") }
        } else {
            try digits()
        }
        if peek == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
    }

    /// From quote to quote; true when an escape stands inside.
    private mutating func string() throws(JSONError) -> Bool {
        let start = position
        position += 1
        position = ByteScan.endOfPlainText(in: bytes.span, from: position)
        if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
            position += 1
            return false
        }
        return try rest(ofStringAt: start)
    }

    /// With escapes, or with characters beyond ASCII.
    private mutating func rest(ofStringAt start: Int) throws(JSONError) -> Bool {
        var escaped = false
        var high = false
        var inCharacter = false
        var check = UTF8Validator()
        while let byte = peek {
            let isPlain = byte >= 0x20 && byte < 0x80 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
            if !isPlain || inCharacter {
                if byte == UInt8(ascii: "\""), !inCharacter {
                    position += 1
                    if high { tolerated = true }
                    return escaped
                }
                if byte == UInt8(ascii: "\\"), !inCharacter {
                    escaped = true
                    try escape(&high)
                    if !high { position = ByteScan.endOfPlainText(in: bytes.span, from: position) }
                    continue
                }
                if byte < 0x20, !inCharacter { throw error("a control character inside a string") }
                guard check.take(byte) else { throw error("invalid UTF-8 inside a string") }
                inCharacter = !check.isComplete
            }
            if high {
                tolerated = true
                high = false
            }
            position += 1
        }
        throw error("the text ends inside the string that begins at \(start)")
    }

    /// `high` carries a leading surrogate to the escape behind it; one left alone is noted as tolerated.
    private mutating func escape(_ high: inout Bool) throws(JSONError) {
        let start = position
        position += 1
        guard let kind = peek else { throw error("the text ends inside an escape") }
        position += 1
        guard kind == UInt8(ascii: "u") else {
            if high { tolerated = true }
            high = false
            switch kind {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
                UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                return
            default: throw error("unknown escape", at: start)
            }
        }
        guard let unit = JSONText.hexUnit(bytes, at: position) else { throw error("expected four hex digits") }
        position += 4
        let isLow = (0xdc00...0xdfff).contains(unit)
        if high != isLow { tolerated = true }
        high = (0xd800...0xdbff).contains(unit)
    }
}
