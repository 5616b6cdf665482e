package import struct NIOCore.ByteBuffer

extension JSON {
    /// What a text is, said without throwing.
    package enum Decoding: Sendable, Hashable {
        /// `tolerated`: it holds something that strict parsers may refuse (NaN, Infinity, a byte order mark, duplicate
        /// keys, a lone surrogate, more than 64 levels).
        case value(JSON, tolerated: Bool)
        case malformed(JSONError)

        package var value: JSON? {
            if case .value(let json, _) = self { json } else { nil }
        }
    }

    /// The value of a strict RFC 8259 text. Depth and number of values are bounded (trust.md L5).
    package static func parse(
        _ bytes: ByteBuffer, limits: JSONLimits = JSONLimits()
    ) throws(JSONError) -> JSON {
        var tree = JSONTree()
        return try tree.read(bytes.readableBytesUInt8Span, limits, lenient: false)
    }

    package static func parse(_ text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSON {
        var tree = JSONTree()
        return try tree.read([UInt8](text.utf8).span, limits, lenient: false)
    }

    /// As `parse`, but what common parsers take is a value, and marked. NaN and the infinities stay numbers as text.
    package static func decode(_ bytes: ByteBuffer, limits: JSONLimits = JSONLimits()) -> Decoding {
        decode(bytes.readableBytesUInt8Span, limits)
    }

    package static func decode(_ text: String, limits: JSONLimits = JSONLimits()) -> Decoding {
        decode([UInt8](text.utf8).span, limits)
    }

    /// As `decode`, and where the members of an object stand that have these names. What has one of these names shares its text.
    package static func decode(
        _ bytes: ByteBuffer, limits: JSONLimits = JSONLimits(), names: JSONNames
    ) -> (decoding: Decoding, places: JSONPlaces) {
        var tree = JSONTree(names)
        return (decode(bytes.readableBytesUInt8Span, limits, into: &tree), tree.places)
    }

    static func decode(_ bytes: Span<UInt8>, _ limits: JSONLimits = JSONLimits()) -> Decoding {
        var tree = JSONTree()
        return decode(bytes, limits, into: &tree)
    }

    @inline(__always)
    private static func decode(_ bytes: Span<UInt8>, _ limits: JSONLimits, into tree: inout JSONTree) -> Decoding {
        do throws(JSONError) {
            let value = try tree.read(bytes, limits, lenient: true)
            return .value(value, tolerated: tree.tolerated)
        } catch {
            return .malformed(error)
        }
    }
}

/// Builds the tree of a text. What belongs to no closed container yet lies on one stack, so that each container is made
/// once and of its own size.
private struct JSONTree: JSONSink {
    /// An open container.
    private struct Open {
        /// The key at which it stands.
        var key = ""
        /// Where on the stack its values begin.
        var start = 0
        var filter = JSONKeyFilter()
        /// Two of its keys may be the same.
        var isSuspect = false
    }
    /// Values with their keys, which are empty for elements.
    private var stack: [JSON.Member] = []
    private var open = Open()
    private var outer: [Open] = []
    private var depth = 0
    private var root = JSON.null
    /// Of the value that comes next.
    private var key = ""
    private let names: JSONNames?
    private(set) var places = JSONPlaces()
    private(set) var tolerated = false

    init(_ names: JSONNames? = nil) { self.names = names }

    mutating func read(_ bytes: Span<UInt8>, _ limits: JSONLimits, lenient: Bool) throws(JSONError) -> JSON {
        stack.reserveCapacity(8)
        var tokens = JSONTokens(limits: limits, lenient: lenient)
        try tokens.read(bytes, into: &self)
        if tokens.tolerated { tolerated = true }
        var value = JSON.null
        swap(&value, &root)
        return value
    }

    @inline(__always)
    mutating func takeKey(_ range: Range<Int>, escaped: Bool, in bytes: Span<UInt8>) {
        if escaped { takeEscapedKey(range, in: bytes) } else { key = plainKey(range, in: bytes) }
    }

    @inline(__always)
    mutating func takeMember(_ key: Range<Int>, _ string: Range<Int>, in bytes: Span<UInt8>) {
        let name = plainKey(key, in: bytes)
        let text = JSONText.text(bytes, string.lowerBound &+ 1..<string.upperBound &- 1)
        stack.append(JSON.Member(key: name, value: .string(text)))
    }

    /// Of the member that comes next on the stack.
    @inline(__always)
    private mutating func plainKey(_ range: Range<Int>, in bytes: Span<UInt8>) -> String {
        let inner = range.lowerBound &+ 1..<range.upperBound &- 1
        let print = JSONKeyPrint(bytes, inner)
        if open.filter.note(print) { open.isSuspect = true }
        guard let name = names?.name(print, in: bytes, inner) else { return JSONText.text(bytes, inner) }
        if depth == 1 { places.set(name.number, to: stack.count) }
        return name.text
    }

    @inline(never)
    private mutating func takeEscapedKey(_ range: Range<Int>, in bytes: Span<UInt8>) {
        key = JSONText.decode(bytes, range, escaped: true)
        if open.filter.note(JSONKeyPrint(key)) { open.isSuspect = true }
        if depth == 1, let number = names?.number(of: key) { places.set(number, to: stack.count) }
    }

    @inline(__always)
    mutating func takeString(_ range: Range<Int>, escaped: Bool, in bytes: Span<UInt8>) {
        guard escaped else { return add(.string(JSONText.text(bytes, range.lowerBound &+ 1..<range.upperBound &- 1))) }
        add(.string(JSONText.decode(bytes, range, escaped: true)))
    }

    mutating func take(_ token: JSONToken, in bytes: Span<UInt8>) {
        switch token {
        case .key(let range, let escaped): takeKey(range, escaped: escaped, in: bytes)
        case .beginObject, .beginArray:
            if depth > 0 { outer.append(open) }
            depth += 1
            open = Open(key: key, start: stack.count)
            key = ""
        case .endObject:
            if open.isSuspect, hasDuplicate() { tolerated = true }
            close(.object(open.start == 0 ? takeAll() : Array(stack[open.start...])))
        case .endArray: close(.array(stack[open.start...].map(\.value)))
        case .string(let range, let escaped): takeString(range, escaped: escaped, in: bytes)
        case .number(let range): add(.number(JSONText.text(bytes, range)))
        case .bool(let value, _): add(.bool(value))
        case .null: add(.null)
        }
    }

    @inline(__always)
    private mutating func add(_ value: consuming JSON) {
        guard depth > 0 else { return root = value }
        var name = ""
        swap(&name, &key)
        stack.append(JSON.Member(key: name, value: value))
    }

    private mutating func close(_ value: consuming JSON) {
        if stack.count > open.start { stack.removeLast(stack.count - open.start) }
        key = open.key
        open = outer.popLast() ?? Open()
        depth -= 1
        add(value)
    }

    /// The whole stack is one object.
    private mutating func takeAll() -> [JSON.Member] {
        var all: [JSON.Member] = []
        swap(&all, &stack)
        return all
    }

    /// Two members of the open object have one key.
    private func hasDuplicate() -> Bool {
        guard stack.count - open.start <= 16 else {
            var seen = Set<[UInt8]>(minimumCapacity: stack.count - open.start)
            return !stack[open.start...].allSatisfy { seen.insert([UInt8]($0.key.utf8)).inserted }
        }
        return (open.start..<stack.count).contains { index in
            (open.start..<index).contains { JSONText.isSame(stack[$0].key, stack[index].key) }
        }
    }
}
