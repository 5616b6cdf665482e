package import struct NIOCore.ByteBuffer

/// What request and response heads share: the bytes as they came, with the empty line, and their fields in order.
package protocol HTTPHead: Sendable, Hashable {
    var bytes: ByteBuffer { get }
    var startLineRange: Range<Int> { get }
    var fields: [HeadField] { get }
    /// The head that these bytes are, no more and no less.
    init(_ bytes: ByteBuffer, limits: HeadLimits) throws(HeadRefusal)
}

extension HTTPHead {
    package func all(_ name: String) -> [HeadField] { fields.filter { $0.isNamed(name) } }

    package func first(_ name: String) -> HeadField? { fields.first { $0.isNamed(name) } }

    package func value(_ name: String) -> String? { first(name)?.value }

    /// The bytes of a range as text.
    package func text(_ range: Range<Int>) -> String { String(decoding: slice(range), as: UTF8.self) }

    func slice(_ range: Range<Int>) -> [UInt8] {
        bytes.getBytes(at: bytes.readerIndex + range.lowerBound, length: range.count) ?? []
    }

    /// The elements of a comma-separated field, over all its lines; commas inside quotes do not separate.
    package func list(_ name: String) -> [HeadPart] {
        all(name).flatMap { field in
            let inner = HeadSplit.pieces(slice(field.valueRange), separator: UInt8(ascii: ","), quotes: true)
            return HeadSplit.parts(inner, in: field.valueRange, whole: field.lineRange).map { piece, removal in
                HeadPart(name: "", value: text(piece), valueRange: piece, removalRange: removal)
            }
        }
    }

    /// Whether a comma-separated field has that token, whatever its case.
    package func has(_ token: String, in name: String) -> Bool {
        list(name).contains { ASCII.equal($0.value, token) }
    }

    // Edits: every byte outside of the range named stays as it is.

    package func replacing(_ range: Range<Int>, with text: String) -> ByteBuffer {
        let start = max(0, min(range.lowerBound, bytes.readableBytes))
        let end = max(start, min(range.upperBound, bytes.readableBytes))
        var out = ByteBuffer()
        out.reserveCapacity(bytes.readableBytes + text.utf8.count)
        out.writeBytes(slice(0..<start))
        out.writeString(text)
        out.writeBytes(slice(end..<bytes.readableBytes))
        return out
    }

    package func removing(_ range: Range<Int>) -> ByteBuffer { replacing(range, with: "") }

    /// A new field behind the others.
    package func adding(_ name: String, _ value: String) -> ByteBuffer {
        let end = bytes.readableBytes - 2
        return replacing(end..<end, with: "\(name): \(value)\r\n")
    }

    /// The first field of that name gets this value; a new field when there is none.
    package func setting(_ name: String, _ value: String) -> ByteBuffer {
        guard let field = first(name) else { return adding(name, value) }
        return replacing(field.valueRange, with: value)
    }

    /// Every field of that name is taken out.
    package func removingAll(_ name: String) -> ByteBuffer {
        var out = ByteBuffer()
        var next = 0
        for field in all(name) {
            out.writeBytes(slice(next..<field.lineRange.lowerBound))
            next = field.lineRange.upperBound
        }
        out.writeBytes(slice(next..<bytes.readableBytes))
        return out
    }
}

/// Cuts a list into its elements, keeping where each one stands.
enum HeadSplit {
    /// Ranges between separators, within `bytes`.
    static func pieces(_ bytes: [UInt8], separator: UInt8, quotes: Bool) -> [Range<Int>] {
        var out: [Range<Int>] = []
        var start = 0
        var quoted = false
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if quoted, byte == UInt8(ascii: "\\") {
                index += 1
            } else if quotes, byte == UInt8(ascii: "\"") {
                quoted.toggle()
            } else if byte == separator, !quoted {
                out.append(start..<index)
                start = index + 1
            }
            index += 1
        }
        out.append(start..<bytes.count)
        return out.map { trim($0, bytes) }
    }

    private static func trim(_ range: Range<Int>, _ bytes: [UInt8]) -> Range<Int> {
        var (low, high) = (range.lowerBound, range.upperBound)
        while low < high, ASCII.isSpace(bytes[low]) { low += 1 }
        while low < high, ASCII.isSpace(bytes[high - 1]) { high -= 1 }
        return low..<high
    }

    /// The elements that are not empty, moved to where `outer` stands, each with the range that takes it out: up to
    /// the next element, or from the end of the one before; all of `whole` when it is the only one.
    static func parts(
        _ pieces: [Range<Int>], in outer: Range<Int>, whole: Range<Int>
    ) -> [(piece: Range<Int>, removal: Range<Int>)] {
        let base = outer.lowerBound
        let pieces = pieces.filter { !$0.isEmpty }.map { $0.lowerBound + base..<$0.upperBound + base }
        return pieces.indices.map { index in
            let piece = pieces[index]
            if pieces.count == 1 { return (piece, whole) }
            if index + 1 < pieces.count { return (piece, piece.lowerBound..<pieces[index + 1].lowerBound) }
            return (piece, pieces[index - 1].upperBound..<piece.upperBound)
        }
    }
}
