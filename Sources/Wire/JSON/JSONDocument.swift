package import struct NIOCore.ByteBuffer

/// A JSON text with the place of every value, for edits that leave all other bytes as they are: order, duplicate keys,
/// number text, white space and whatever stands behind the value survive.
package struct JSONDocument: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable { case object, array, string, number, bool, null }

    /// One value. Ranges count bytes from the start of the text; nodes refer to each other by index.
    package struct Node: Sendable, Hashable {
        package var kind: Kind
        /// The value itself, with quotes or brackets.
        package var range: Range<Int>
        /// A member's key with its quotes.
        package var keyRange: Range<Int>?
        package var keyEscaped: Bool
        package var escaped: Bool
        package var parent: Int?
        /// Members or elements, in order.
        package var children: [Int]
        /// False when the text breaks off inside this container.
        package var isClosed: Bool

        /// Key and value of a member, or the value alone.
        package var wholeRange: Range<Int> { (keyRange?.lowerBound ?? range.lowerBound)..<range.upperBound }
    }

    package let bytes: [UInt8]
    /// In the order of the text; the outermost value is number 0. Empty when not even that one begins.
    package private(set) var nodes: [Node] = []
    /// Why the text is no JSON, when it is none: an invalid tail or a text that breaks off keeps the nodes before it.
    package private(set) var problem: JSONError?
    /// Something common parsers take and strict ones refuse was read.
    package private(set) var tolerated = false

    package init(_ buffer: ByteBuffer, limits: JSONLimits = JSONLimits()) {
        bytes = [UInt8](buffer.readableBytesView)
        var tokens = JSONTokens(bytes, limits: limits, lenient: true)
        var stack: [Int] = []
        do throws(JSONError) {
            var key: (range: Range<Int>, escaped: Bool)?
            while let token = try tokens.next() {
                switch token {
                case .key(let range, let escaped): key = (range, escaped)
                case .beginObject(let start), .beginArray(let start):
                    let isObject = if case .beginObject = token { true } else { false }
                    stack.append(add(isObject ? .object : .array, start..<bytes.count, key, stack.last))
                    key = nil
                case .endObject(let end), .endArray(let end):
                    guard let node = stack.popLast() else { break }
                    nodes[node].range = nodes[node].range.lowerBound..<end
                    nodes[node].isClosed = true
                case .string(let range, let escaped):
                    let node = add(.string, range, key, stack.last)
                    nodes[node].escaped = escaped
                    key = nil
                case .number(let range):
                    _ = add(.number, range, key, stack.last)
                    key = nil
                case .bool(_, let range):
                    _ = add(.bool, range, key, stack.last)
                    key = nil
                case .null(let range):
                    _ = add(.null, range, key, stack.last)
                    key = nil
                }
            }
            try tokens.finish()
        } catch {
            problem = error
        }
        tolerated = tokens.tolerated || hasDuplicateKeys
    }

    private mutating func add(
        _ kind: Kind, _ range: Range<Int>, _ key: (range: Range<Int>, escaped: Bool)?, _ parent: Int?
    ) -> Int {
        let index = nodes.count
        let isContainer = kind == .object || kind == .array
        nodes.append(
            Node(
                kind: kind, range: range, keyRange: key?.range, keyEscaped: key?.escaped ?? false, escaped: false,
                parent: parent, children: [], isClosed: !isContainer))
        if let parent { nodes[parent].children.append(index) }
        return index
    }

    private var hasDuplicateKeys: Bool {
        nodes.contains { node in
            guard node.kind == .object, node.children.count > 1 else { return false }
            return Set(node.children.map { Array(key(of: $0).utf8) }).count < node.children.count
        }
    }

    /// The outermost value is whole, whatever follows it.
    package var root: Int? { nodes.first?.isClosed == true ? 0 : nil }

    /// What stands behind the outermost value.
    package var tail: Range<Int> { (nodes.first?.range.upperBound ?? 0)..<bytes.count }

    /// The decoded key of a member; empty for anything else.
    package func key(of node: Int) -> String {
        guard nodes.indices.contains(node), let range = nodes[node].keyRange else { return "" }
        return JSONText.decode(bytes, range, escaped: nodes[node].keyEscaped)
    }

    /// The decoded text of a string node, nil for anything else.
    package func string(of node: Int) -> String? {
        guard nodes.indices.contains(node), nodes[node].kind == .string else { return nil }
        return JSONText.decode(bytes, nodes[node].range, escaped: nodes[node].escaped)
    }

    /// The bytes of a range as text.
    package func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range.clamped(to: 0..<bytes.count)], as: UTF8.self)
    }

    /// The value of a node, numbers as their text; nil when it is not whole.
    package func value(of node: Int) -> JSON? {
        guard nodes.indices.contains(node), nodes[node].isClosed else { return nil }
        return JSON.decode(ByteBuffer(bytes: bytes[nodes[node].range])).value
    }

    /// The member of that name; the last one when the key occurs twice.
    package func member(_ name: String, of node: Int) -> Int? {
        members(name, of: node).last
    }

    /// All members of that name, in order.
    package func members(_ name: String, of node: Int) -> [Int] {
        guard nodes.indices.contains(node), nodes[node].kind == .object else { return [] }
        return nodes[node].children.filter { key(of: $0).utf8.elementsEqual(name.utf8) }
    }

    /// The element at that place, from the end when negative.
    package func element(_ index: Int, of node: Int) -> Int? {
        guard nodes.indices.contains(node), nodes[node].kind == .array else { return nil }
        let children = nodes[node].children
        let place = index < 0 ? children.count + index : index
        return children.indices.contains(place) ? children[place] : nil
    }

    /// The node that these keys lead to from the outermost value.
    package func node(at path: [String]) -> Int? {
        path.reduce(nodes.isEmpty ? nil : 0) { node, name in node.flatMap { member(name, of: $0) } }
    }
}
