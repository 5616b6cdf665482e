import struct NIOCore.ByteBuffer

/// The lines of a head, cut strictly: CRLF ends a line, nothing is folded, every field has a token for a name.
struct HeadLines {
    let bytes: [UInt8]
    let startLine: Range<Int>
    private(set) var fields: [HeadField] = []

    init(_ buffer: ByteBuffer, limits: HeadLimits) throws(HeadRefusal) {
        bytes = [UInt8](buffer.readableBytesView)
        if bytes.count > limits.total { throw HeadRefusal(.headTooLong(limits.total), at: limits.total) }
        startLine = try Self.line(bytes, from: 0)
        if startLine.count > limits.startLine {
            throw HeadRefusal(.startLineTooLong(limits.startLine), at: limits.startLine)
        }
        var next = startLine.upperBound + 2
        while true {
            let line = try Self.line(bytes, from: next)
            if line.isEmpty { break }
            if line.count > limits.field { throw HeadRefusal(.fieldTooLong(limits.field), at: next) }
            if fields.count == limits.fields { throw HeadRefusal(.tooManyFields(limits.fields), at: next) }
            fields.append(try field(line))
            next = line.upperBound + 2
        }
        if next + 2 != bytes.count { throw HeadRefusal(.startLine, at: next) }
        try checkLengths()
    }

    /// From `start` to the CRLF, which is left out.
    private static func line(_ bytes: [UInt8], from start: Int) throws(HeadRefusal) -> Range<Int> {
        var index = start
        while index < bytes.count {
            switch bytes[index] {
            case 0x0d:
                guard index + 1 < bytes.count, bytes[index + 1] == 0x0a else { throw HeadRefusal(.bareCR, at: index) }
                return start..<index
            case 0x0a: throw HeadRefusal(.bareLF, at: index)
            case 0: throw HeadRefusal(.nul, at: index)
            case 0x01...0x08, 0x0b...0x1f, 0x7f: throw HeadRefusal(.control, at: index)
            default: index += 1
            }
        }
        throw HeadRefusal(.startLine, at: bytes.count)
    }

    private func field(_ line: Range<Int>) throws(HeadRefusal) -> HeadField {
        if ASCII.isSpace(bytes[line.lowerBound]) { throw HeadRefusal(.folded, at: line.lowerBound) }
        guard let colon = bytes[line].firstIndex(of: UInt8(ascii: ":")) else {
            throw HeadRefusal(.noColon, at: line.lowerBound)
        }
        let name = line.lowerBound..<colon
        guard !name.isEmpty, bytes[name].allSatisfy(ASCII.isToken) else {
            throw HeadRefusal(.fieldName, at: line.lowerBound)
        }
        var (low, high) = (colon + 1, line.upperBound)
        while low < high, ASCII.isSpace(bytes[low]) { low += 1 }
        while low < high, ASCII.isSpace(bytes[high - 1]) { high -= 1 }
        return HeadField(
            name: String(decoding: bytes[name], as: UTF8.self),
            value: String(decoding: bytes[low..<high], as: UTF8.self), nameRange: name, valueRange: low..<high,
            lineRange: line.lowerBound..<line.upperBound + 2)
    }

    /// RFC 9112 section 6.3: the ways in which two readers come to disagree about where a body ends.
    private func checkLengths() throws(HeadRefusal) {
        let lengths = fields.filter { $0.isNamed("content-length") }
        guard let first = lengths.first else { return }
        if let encoding = fields.first(where: { $0.isNamed("transfer-encoding") }) {
            throw HeadRefusal(.lengthWithEncoding, at: encoding.lineRange.lowerBound)
        }
        let digits = bytes[first.valueRange]
        if lengths.count > 1 || digits.isEmpty || digits.count > 18 || !digits.allSatisfy(ASCII.isDigit) {
            throw HeadRefusal(.contentLength, at: first.lineRange.lowerBound)
        }
    }
}
