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

/// One token; ranges count bytes from the start of the text.
enum JSONToken {
    case beginObject(Int), endObject(Int), beginArray(Int), endArray(Int)
    /// Range with both quotes; `escaped` says that a backslash stands inside.
    case key(Range<Int>, escaped: Bool)
    case string(Range<Int>, escaped: Bool)
    case number(Range<Int>)
    case bool(Bool, Range<Int>)
    case null(Range<Int>)
}

/// Who is told the tokens of a text, each as soon as it is read: of a text that is no JSON those before the fault.
protocol JSONSink {
    mutating func take(_ token: JSONToken, in bytes: Span<UInt8>)
    /// As a token. Most tokens are keys and strings: who is told of these apart has no token to look into.
    mutating func takeKey(_ range: Range<Int>, escaped: Bool, in bytes: Span<UInt8>)
    mutating func takeString(_ range: Range<Int>, escaped: Bool, in bytes: Span<UInt8>)
    /// A key and a string without escapes behind it.
    mutating func takeMember(_ key: Range<Int>, _ string: Range<Int>, in bytes: Span<UInt8>)
}

extension JSONSink {
    @inline(__always)
    mutating func takeKey(_ range: Range<Int>, escaped: Bool, in bytes: Span<UInt8>) {
        take(.key(range, escaped: escaped), in: bytes)
    }

    @inline(__always)
    mutating func takeString(_ range: Range<Int>, escaped: Bool, in bytes: Span<UInt8>) {
        take(.string(range, escaped: escaped), in: bytes)
    }

    @inline(__always)
    mutating func takeMember(_ key: Range<Int>, _ string: Range<Int>, in bytes: Span<UInt8>) {
        takeKey(key, escaped: false, in: bytes)
        takeString(string, escaped: false, in: bytes)
    }
}

/// The grammar of RFC 8259: one pass, O(depth) memory, no recursion. Tree, document, places and field reader are built on
/// it, so that all agree on what JSON is.
struct JSONTokens {
    /// What may come next inside a container: a value, or the end of an array that has none yet; a key, or the end of an
    /// object that has none yet; what stands behind a value.
    private enum State { case valueOrEnd, keyOrEnd, afterValue }

    private var scanner: JSONScanner
    private var state = State.afterValue
    private var open = OpenContainers()
    private var nodes = 0
    private let limits: JSONLimits

    /// Something was read that strict parsers refuse or that RFC 8259 leaves open, yet common parsers take.
    var tolerated: Bool { scanner.tolerated }

    /// `lenient` takes a byte order mark, NaN and the infinities, and notes that it did.
    /// - Parameter start: where the value begins, when it is a part of a text.
    init(from start: Int = 0, limits: JSONLimits = JSONLimits(), lenient: Bool = false) {
        scanner = JSONScanner(position: start, lenient: lenient)
        self.limits = limits
    }

    /// Reads the value that is all of the text, white space aside.
    mutating func read(_ bytes: Span<UInt8>, into sink: inout some JSONSink) throws(JSONError) {
        if scanner.position == 0 { try scanner.skipMark(bytes) }
        scanner.skipSpace(bytes)
        try readValue(bytes, into: &sink)
        scanner.skipSpace(bytes)
        if scanner.position < bytes.count { throw scanner.error("characters behind the value") }
    }

    /// Reads one value that begins here.
    mutating func readValue(_ bytes: Span<UInt8>, into sink: inout some JSONSink) throws(JSONError) {
        try value(bytes, into: &sink)
        while open.depth > 0 {
            if open.isObject { takePlainMembers(bytes, into: &sink) }
            scanner.skipSpace(bytes)
            try next(bytes, into: &sink)
        }
    }

    /// Members that come next in an object, as most are written: names and strings of plain ASCII, plain numbers, no white space.
    /// Ends in front of what is not like this, which `next` reads.
    @inline(__always)
    private mutating func takePlainMembers(_ bytes: Span<UInt8>, into sink: inout some JSONSink) {
        var place = scanner.position
        var isFirst = state == .keyOrEnd
        while nodes < limits.nodes {
            let key = isFirst ? place : place &+ 1
            guard key < bytes.count, isFirst || bytes[place] == UInt8(ascii: ","),
                let colon = JSONScanner.plainString(bytes, at: key), colon < bytes.count, bytes[colon] == UInt8(ascii: ":")
            else { break }
            let value = colon &+ 1
            if let end = JSONScanner.plainString(bytes, at: value) {
                sink.takeMember(key..<colon, value..<end, in: bytes)
                place = end
            } else if let end = JSONScanner.plainNumber(bytes, at: value) {
                sink.takeKey(key..<colon, escaped: false, in: bytes)
                sink.take(.number(value..<end), in: bytes)
                place = end
            } else {
                break
            }
            isFirst = false
            nodes &+= 1
        }
        guard place > scanner.position else { return }
        scanner.position = place
        state = .afterValue
    }

    @inline(__always)
    private mutating func next(_ bytes: Span<UInt8>, into sink: inout some JSONSink) throws(JSONError) {
        let byte = scanner.peek(bytes)
        switch state {
        case .afterValue:
            if byte == UInt8(ascii: ",") {
                scanner.position += 1
                scanner.skipSpace(bytes)
                if open.isObject { return try member(bytes, into: &sink) }
            } else {
                return try end(bytes, into: &sink)
            }
        case .keyOrEnd:
            return byte == UInt8(ascii: "}") ? close(bytes, into: &sink) : try member(bytes, into: &sink)
        case .valueOrEnd:
            if byte == UInt8(ascii: "]") { return close(bytes, into: &sink) }
        }
        try value(bytes, into: &sink)
    }

    /// Behind a value stands no comma.
    @inline(never)
    private mutating func end(_ bytes: Span<UInt8>, into sink: inout some JSONSink) throws(JSONError) {
        guard let byte = scanner.peek(bytes) else {
            throw scanner.error("the text ends inside \(open.isObject ? "an object" : "an array")")
        }
        guard byte == (open.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
            throw scanner.error(open.isObject ? "expected , or }" : "expected , or ]")
        }
        close(bytes, into: &sink)
    }

    private mutating func close(_ bytes: Span<UInt8>, into sink: inout some JSONSink) {
        scanner.position += 1
        state = .afterValue
        sink.take(open.pop() ? .endObject(scanner.position) : .endArray(scanner.position), in: bytes)
    }

    private mutating func begin(object: Bool) throws(JSONError) -> JSONToken {
        if open.depth >= limits.depth { throw scanner.error("deeper than \(limits.depth) levels", tolerated: true) }
        open.push(object)
        if open.depth > 64 { scanner.tolerated = true }
        scanner.position += 1
        state = object ? .keyOrEnd : .valueOrEnd
        return object ? .beginObject(scanner.position - 1) : .beginArray(scanner.position - 1)
    }

    /// A key and the value behind it.
    @inline(__always)
    private mutating func member(_ bytes: Span<UInt8>, into sink: inout some JSONSink) throws(JSONError) {
        let byte = scanner.peek(bytes)
        guard byte == UInt8(ascii: "\"") else {
            throw scanner.error(byte == nil ? "the text ends inside an object" : "expected a key in quotes")
        }
        let start = scanner.position
        let escaped = try scanner.string(bytes)
        let end = scanner.position
        scanner.skipSpace(bytes)
        guard scanner.peek(bytes) == UInt8(ascii: ":") else { throw scanner.error("expected : behind the key") }
        scanner.position += 1
        sink.takeKey(start..<end, escaped: escaped, in: bytes)
        scanner.skipSpace(bytes)
        try value(bytes, into: &sink)
    }

    @inline(__always)
    private mutating func value(_ bytes: Span<UInt8>, into sink: inout some JSONSink) throws(JSONError) {
        nodes += 1
        if nodes > limits.nodes { throw scanner.error("more than \(limits.nodes) values", tolerated: true) }
        switch scanner.peek(bytes) {
        case UInt8(ascii: "\""):
            let start = scanner.position
            let escaped = try scanner.string(bytes)
            state = .afterValue
            sink.takeString(start..<scanner.position, escaped: escaped, in: bytes)
        case UInt8(ascii: "{"): sink.take(try begin(object: true), in: bytes)
        case UInt8(ascii: "["): sink.take(try begin(object: false), in: bytes)
        default:
            state = .afterValue
            sink.take(try scanner.scalar(bytes), in: bytes)
        }
    }
}

/// Which containers are open: one bit each, set for an object.
private struct OpenContainers {
    private(set) var depth = 0
    /// The innermost 64, the last one lowest.
    private var inner: UInt64 = 0
    /// Those around them, 64 a word.
    private var outer: [UInt64] = []

    /// The innermost is an object.
    var isObject: Bool { inner & 1 != 0 }

    mutating func push(_ isObject: Bool) {
        if depth > 0, depth % 64 == 0 { outer.append(inner) }
        inner = inner << 1 | (isObject ? 1 : 0)
        depth += 1
    }

    /// Whether what is closed is an object.
    mutating func pop() -> Bool {
        let isObject = isObject
        depth -= 1
        inner >>= 1
        if depth > 0, depth % 64 == 0 { inner = outer.popLast() ?? 0 }
        return isObject
    }
}
