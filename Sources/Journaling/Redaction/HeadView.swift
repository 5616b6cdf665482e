package import NIOCore

/// A head cut into lines without asking whether it is legal: secrets must be found even in heads that no parser takes.
/// All ranges are offsets into `bytes`.
package struct HeadView: Sendable {
    package struct Field: Sendable, Hashable {
        /// Lower-case.
        package var name: String
        /// Without the white space around it.
        package var value: Range<Int>
        package init(name: String, value: Range<Int>) {
            self.name = name
            self.value = value
        }
    }
    /// A named part of a query or of cookies.
    package struct Item: Sendable, Hashable {
        package var name: String
        package var value: Range<Int>
        package init(name: String, value: Range<Int>) {
            self.name = name
            self.value = value
        }
    }

    package let bytes: [UInt8]
    /// The request target; nil in a response.
    package private(set) var target: Range<Int>?
    package private(set) var fields: [Field] = []

    package init(_ buffer: ByteBuffer) { self.init(Array(buffer.readableBytesView)) }

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var start = 0
        var first = true
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0a) ?? bytes.count
            let line = trimmed(start..<end)
            if first { target = Self.target(in: bytes, line) } else { append(line, whole: start..<end) }
            first = false
            start = end + 1
        }
    }

    /// The text at a range; bytes that are no UTF-8 become U+FFFD.
    package func text(_ range: Range<Int>) -> String { String(decoding: bytes[range.clamped(to: bytes.indices)], as: UTF8.self) }

    package func values(of name: String) -> [Range<Int>] {
        let name = name.lowercased()
        return fields.filter { $0.name == name }.map(\.value)
    }

    /// The path of the target: up to `?` or `#`.
    package var path: Range<Int>? {
        guard let target else { return nil }
        let end = bytes[target].firstIndex { $0 == 0x3f || $0 == 0x23 } ?? target.upperBound
        return target.lowerBound..<end
    }

    /// `a=1&b=2` of the target's query; names percent-decoded, values as they stand.
    package var query: [Item] { target.map { query(of: $0) } ?? [] }

    /// The same of an address that stands anywhere.
    func query(of address: Range<Int>) -> [Item] {
        guard let mark = bytes[address].firstIndex(of: 0x3f) else { return [] }
        let end = bytes[mark..<address.upperBound].firstIndex(of: 0x23) ?? address.upperBound
        return items(in: (mark + 1)..<end, separator: 0x26).map {
            Item(name: HeadView.percentDecoded($0.name), value: $0.value)
        }
    }

    /// Names and values of all `Cookie` fields.
    package var cookies: [Item] { values(of: "cookie").flatMap { items(in: $0, separator: 0x3b) } }

    /// Each element of all `Sec-WebSocket-Protocol` fields.
    package var subprotocols: [Range<Int>] {
        values(of: "sec-websocket-protocol").flatMap { pieces(of: $0, separator: 0x2c).map(trimmed) }.filter { !$0.isEmpty }
    }

    /// `%41` to `A` and `+` to a space; broken escapes stay.
    package static func percentDecoded(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x25 || $0 == 0x2b }) else { return text }
        var out: [UInt8] = []
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            if bytes[index] == 0x25, index + 2 < bytes.count, let high = hex(bytes[index + 1]), let low = hex(bytes[index + 2]) {
                out.append(high << 4 | low)
                index += 3
            } else {
                out.append(bytes[index] == 0x2b ? 0x20 : bytes[index])
                index += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    private static func target(in bytes: [UInt8], _ line: Range<Int>) -> Range<Int>? {
        guard !bytes[line].starts(with: Array("HTTP/".utf8)) else { return nil }
        guard let before = bytes[line].firstIndex(of: 0x20) else { return nil }
        let after = bytes[line].lastIndex(of: 0x20).flatMap { $0 > before ? $0 : nil } ?? line.upperBound
        return (before + 1)..<after
    }

    /// A line that begins with white space goes on the field above (RFC 9112 section 5.2, obsolete folding).
    private mutating func append(_ line: Range<Int>, whole: Range<Int>) {
        if line.isEmpty { return }
        if line.lowerBound > whole.lowerBound, let last = fields.indices.last {
            fields[last].value = fields[last].value.lowerBound..<line.upperBound
            return
        }
        guard let colon = bytes[line].firstIndex(of: 0x3a) else {
            fields.append(Field(name: "", value: line))
            return
        }
        fields.append(
            Field(name: text(trimmed(line.lowerBound..<colon)).lowercased(), value: trimmed((colon + 1)..<line.upperBound)))
    }

    private func items(in range: Range<Int>, separator: UInt8) -> [Item] {
        pieces(of: range, separator: separator).map { piece in
            let piece = trimmed(piece)
            guard let equals = bytes[piece].firstIndex(of: 0x3d) else {
                return Item(name: text(piece), value: piece.upperBound..<piece.upperBound)
            }
            return Item(name: text(piece.lowerBound..<equals), value: (equals + 1)..<piece.upperBound)
        }
    }

    private func pieces(of range: Range<Int>, separator: UInt8) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var start = range.lowerBound
        while start <= range.upperBound {
            let end = bytes[start..<range.upperBound].firstIndex(of: separator) ?? range.upperBound
            pieces.append(start..<end)
            start = end + 1
        }
        return pieces
    }

    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        var range = range
        while let first = range.first, isBlank(bytes[first]) { range.removeFirst() }
        while let last = range.last, isBlank(bytes[last]) { range.removeLast() }
        return range
    }

    private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d || byte == 0x0a }
}
