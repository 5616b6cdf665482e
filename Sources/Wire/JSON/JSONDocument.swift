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
        var builder = Builder()
        var tokens = JSONTokens(limits: limits, lenient: true)
        do throws(JSONError) { try tokens.read(bytes.span, into: &builder) } catch { problem = error }
        nodes = builder.nodes
        tolerated = tokens.tolerated || hasDuplicateKeys(builder.prints)
    }

    private struct Builder: JSONSink {
        var nodes: [Node] = []
        /// One for each node, of its key.
        var prints: [JSONKeyPrint] = []
        private var stack: [Int] = []
        private var key: (range: Range<Int>, escaped: Bool)?

        mutating func take(_ token: JSONToken, in bytes: Span<UInt8>) {
            switch token {
            case .key(let range, let escaped): key = (range, escaped)
            case .beginObject(let start): stack.append(add(.object, start..<bytes.count, bytes))
            case .beginArray(let start): stack.append(add(.array, start..<bytes.count, bytes))
            case .endObject(let end), .endArray(let end):
                guard let node = stack.popLast() else { break }
                nodes[node].range = nodes[node].range.lowerBound..<end
                nodes[node].isClosed = true
            case .string(let range, let escaped): nodes[add(.string, range, bytes)].escaped = escaped
            case .number(let range): _ = add(.number, range, bytes)
            case .bool(_, let range): _ = add(.bool, range, bytes)
            case .null(let range): _ = add(.null, range, bytes)
            }
        }

        private mutating func add(_ kind: Kind, _ range: Range<Int>, _ bytes: Span<UInt8>) -> Int {
            let index = nodes.count
            let isContainer = kind == .object || kind == .array
            nodes.append(
                Node(
                    kind: kind, range: range, keyRange: key?.range, keyEscaped: key?.escaped ?? false, escaped: false,
                    parent: stack.last, children: [], isClosed: !isContainer))
            prints.append(key.map { JSONKeyPrint(bytes, $0.range, escaped: $0.escaped) } ?? .none)
            if let parent = stack.last { nodes[parent].children.append(index) }
            key = nil
            return index
        }
    }

    private func hasDuplicateKeys(_ prints: [JSONKeyPrint]) -> Bool {
        nodes.contains { node in
            guard node.kind == .object, node.children.count > 1 else { return false }
            guard node.children.count <= 16 else {
                return Set(node.children.map { Array(key(of: $0).utf8) }).count < node.children.count
            }
            return node.children.indices.contains { index in
                node.children[..<index].contains {
                    prints[$0] == prints[node.children[index]] && JSONText.isSame(key(of: $0), key(of: node.children[index]))
                }
            }
        }
    }

    /// The outermost value is whole, whatever follows it.
    package var root: Int? { nodes.first?.isClosed == true ? 0 : nil }

    /// What stands behind the outermost value.
    package var tail: Range<Int> { (nodes.first?.range.upperBound ?? 0)..<bytes.count }

    /// The decoded key of a member; empty for anything else.
    package func key(of node: Int) -> String {
        guard nodes.indices.contains(node), let range = nodes[node].keyRange else { return "" }
        return JSONText.decode(bytes.span, range, escaped: nodes[node].keyEscaped)
    }

    /// The decoded text of a string node, nil for anything else.
    package func string(of node: Int) -> String? {
        guard nodes.indices.contains(node), nodes[node].kind == .string else { return nil }
        return JSONText.decode(bytes.span, nodes[node].range, escaped: nodes[node].escaped)
    }

    /// The bytes of a range as text.
    package func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range.clamped(to: 0..<bytes.count)], as: UTF8.self)
    }

    /// The value of a node, numbers as their text; nil when it is not whole.
    package func value(of node: Int) -> JSON? {
        guard nodes.indices.contains(node), nodes[node].isClosed else { return nil }
        return JSON.decode(bytes.span.extracting(nodes[node].range)).value
    }

    /// The member of that name; the last one when the key occurs twice.
    package func member(_ name: String, of node: Int) -> Int? {
        members(name, of: node).last
    }

    /// All members of that name, in order.
    package func members(_ name: String, of node: Int) -> [Int] {
        guard nodes.indices.contains(node), nodes[node].kind == .object else { return [] }
        return nodes[node].children.filter { JSONText.isSame(key(of: $0), name) }
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
