/// A place in a text read byte by byte, which knows its line and column.
struct ByteCursor {
    struct Place {
        var position: Int
        /// From 1.
        var line: Int
        /// Bytes from 1.
        var column: Int
    }

    let bytes: [UInt8]
    private(set) var position = 0
    private var line = 1
    private var lineStart = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var place: Place { Place(position: position, line: line, column: column) }
    var column: Int { position - lineStart + 1 }
    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    func peek(_ ahead: Int) -> UInt8? {
        let index = position + ahead
        return index >= 0 && index < bytes.count ? bytes[index] : nil
    }

    /// White space, or the text's edge.
    func isSpace(_ ahead: Int) -> Bool { peek(ahead).map { $0.isBlank || $0.isBreak } ?? true }

    func isFlowSign(_ ahead: Int) -> Bool { peek(ahead)?.isFlowSign ?? false }

    var blanksAhead: Int {
        var count = 0
        while peek(count) == UInt8(ascii: " ") { count += 1 }
        return count
    }

    /// Spaces at the start of the line that the cursor is on.
    var indentationOfLine: Int {
        bytes[lineStart..<position].prefix { $0 == UInt8(ascii: " ") }.count
    }

    mutating func advance() {
        guard let byte = peek else { return }
        position += 1
        // CR LF is one break, counted at its LF.
        guard byte == 0x0a || byte == 0x0d && peek != 0x0a else { return }
        line += 1
        lineStart = position
    }

    mutating func skipLine() {
        while let byte = peek, !byte.isBreak { position += 1 }
    }

    /// The column in characters.
    func character(_ place: Place) -> Int {
        let start = place.position - (place.column - 1)
        return String(decoding: bytes[start..<place.position], as: UTF8.self).count + 1
    }
}

extension UInt8 {
    static let star = UInt8(ascii: "*")
    static let hash = UInt8(ascii: "#")
    static let colon = UInt8(ascii: ":")

    var isBreak: Bool { self == 0x0a || self == 0x0d }
    var isBlank: Bool { self == 0x20 || self == 0x09 }
    /// What ends a plain scalar inside `[…]` and `{…}`.
    var isFlowSign: Bool {
        self == UInt8(ascii: ",") || self == UInt8(ascii: "[") || self == UInt8(ascii: "]") || self == UInt8(ascii: "{")
            || self == UInt8(ascii: "}")
    }
}
