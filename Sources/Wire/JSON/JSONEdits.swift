package import struct NIOCore.ByteBuffer

/// Edits give the bytes of a new text; all bytes outside of the change are those of the old one.
extension JSONDocument {
    package func replacing(_ range: Range<Int>, with text: String) -> ByteBuffer {
        replacing(range, with: Array(text.utf8))
    }

    package func replacing(_ range: Range<Int>, with new: [UInt8]) -> ByteBuffer {
        let range = range.clamped(to: 0..<bytes.count)
        var out = ByteBuffer()
        out.reserveCapacity(bytes.count - range.count + new.count)
        out.writeBytes(bytes[..<range.lowerBound])
        out.writeBytes(new)
        out.writeBytes(bytes[range.upperBound...])
        return out
    }

    /// That value becomes this one.
    package func replacing(node: Int, with value: JSON) -> ByteBuffer {
        guard nodes.indices.contains(node) else { return ByteBuffer(bytes: bytes) }
        return replacing(nodes[node].range, with: value.text)
    }

    /// That member gets another key.
    package func renaming(node: Int, to key: String) -> ByteBuffer {
        guard nodes.indices.contains(node), let range = nodes[node].keyRange else { return ByteBuffer(bytes: bytes) }
        return replacing(range, with: JSONText.quoted(key))
    }

    /// Takes a member or element out, with the comma that it needed. The outermost value stays.
    package func removing(node: Int) -> ByteBuffer {
        guard nodes.indices.contains(node), let parent = nodes[node].parent,
            let place = nodes[parent].children.firstIndex(of: node)
        else { return ByteBuffer(bytes: bytes) }
        let children = nodes[parent].children
        let whole = nodes[node].wholeRange
        if place + 1 < children.count {
            return replacing(whole.lowerBound..<nodes[children[place + 1]].wholeRange.lowerBound, with: "")
        }
        let start = place > 0 ? nodes[children[place - 1]].range.upperBound : whole.lowerBound
        return replacing(start..<whole.upperBound, with: "")
    }

    /// A new last member, duplicates not prevented. `text` is JSON, or what a fault wants to stand there.
    package func adding(_ key: String, text: String, to node: Int) -> ByteBuffer {
        guard nodes.indices.contains(node), nodes[node].kind == .object else { return ByteBuffer(bytes: bytes) }
        return appending(JSONText.quoted(key) + ":" + text, to: node)
    }

    package func adding(_ key: String, _ value: JSON, to node: Int) -> ByteBuffer {
        adding(key, text: value.text, to: node)
    }

    /// A new last element.
    package func appending(element text: String, to node: Int) -> ByteBuffer {
        guard nodes.indices.contains(node), nodes[node].kind == .array else { return ByteBuffer(bytes: bytes) }
        return appending(text, to: node)
    }

    private func appending(_ text: String, to node: Int) -> ByteBuffer {
        guard nodes[node].isClosed else { return ByteBuffer(bytes: bytes) }
        if let last = nodes[node].children.last {
            let end = nodes[last].range.upperBound
            return replacing(end..<end, with: "," + text)
        }
        let start = nodes[node].range.lowerBound + 1
        return replacing(start..<start, with: text)
    }
}
