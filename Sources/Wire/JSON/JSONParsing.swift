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

    static func decode(_ bytes: Span<UInt8>, _ limits: JSONLimits = JSONLimits()) -> Decoding {
        var tree = JSONTree()
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
        var print = JSONKeyPrint.none
        /// Where on the stack its values begin.
        var start = 0
    }
    /// Values with their keys, which are empty for elements.
    private var stack: [JSON.Member] = []
    private var prints: [JSONKeyPrint] = []
    private var open = Open()
    private var outer: [Open] = []
    private var depth = 0
    private var root = JSON.null
    /// Of the value that comes next.
    private var key = ""
    private var print = JSONKeyPrint.none
    private(set) var tolerated = false

    mutating func read(_ bytes: Span<UInt8>, _ limits: JSONLimits, lenient: Bool) throws(JSONError) -> JSON {
        stack.reserveCapacity(8)
        prints.reserveCapacity(8)
        var tokens = JSONTokens(limits: limits, lenient: lenient)
        try tokens.read(bytes, into: &self)
        if tokens.tolerated { tolerated = true }
        return root
    }

    mutating func take(_ token: JSONToken, in bytes: Span<UInt8>) {
        switch token {
        case .key(let range, let escaped):
            key = JSONText.decode(bytes, range, escaped: escaped)
            print = JSONKeyPrint(bytes, range, escaped: escaped)
        case .beginObject, .beginArray:
            if depth > 0 { outer.append(open) }
            depth += 1
            open = Open(key: key, print: print, start: stack.count)
            (key, print) = ("", .none)
        case .endObject:
            if hasDuplicate() { tolerated = true }
            close(.object(open.start == 0 ? takeAll() : Array(stack[open.start...])))
        case .endArray: close(.array(stack[open.start...].map(\.value)))
        case .string(let range, let escaped): add(.string(JSONText.decode(bytes, range, escaped: escaped)))
        case .number(let range): add(.number(JSONText.text(bytes, range)))
        case .bool(let value, _): add(.bool(value))
        case .null: add(.null)
        }
    }

    private mutating func add(_ value: JSON) {
        guard depth > 0 else { return root = value }
        stack.append(JSON.Member(key: key, value: value))
        prints.append(print)
    }

    private mutating func close(_ value: JSON) {
        if stack.count > open.start { stack.removeLast(stack.count - open.start) }
        prints.removeLast(prints.count - open.start)
        (key, print) = (open.key, open.print)
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
        for index in open.start..<stack.count {
            for other in open.start..<index
            where prints[other] == prints[index] && JSONText.isSame(stack[other].key, stack[index].key) {
                return true
            }
        }
        return false
    }
}
