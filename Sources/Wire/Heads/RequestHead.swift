package import struct NIOCore.ByteBuffer

/// A request head (RFC 9112), byte for byte.
package struct RequestHead: HTTPHead {
    package let bytes: ByteBuffer
    package let startLineRange: Range<Int>
    package let fields: [HeadField]
    package let method: String
    package let target: String
    package let targetRange: Range<Int>
    /// `HTTP/1.1`
    package let version: String

    package init(_ bytes: ByteBuffer, limits: HeadLimits = HeadLimits()) throws(HeadRefusal) {
        let lines = try HeadLines(bytes, limits: limits)
        let line = lines.startLine
        let text = lines.bytes
        guard let first = text[line].firstIndex(of: 0x20), let last = text[line].lastIndex(of: 0x20), first < last,
            first > line.lowerBound, last > first + 1, HeadSniffer.isVersion(text[last + 1..<line.upperBound]),
            text[line.lowerBound..<first].allSatisfy(ASCII.isToken)
        else { throw HeadRefusal(.startLine, at: 0) }
        let range = first + 1..<last
        if let bad = text[range].firstIndex(where: { $0 <= 0x20 || $0 == 0x7f }) {
            throw HeadRefusal(.startLine, at: bad)
        }
        if let second = lines.fields.filter({ $0.isNamed("host") }).dropFirst().first {
            throw HeadRefusal(.severalHosts, at: second.lineRange.lowerBound)
        }
        if let encoding = lines.fields.first(where: { $0.isNamed("transfer-encoding") }),
            !Self.isDelimited(lines.fields, version: text[last + 1..<line.upperBound])
        {
            throw HeadRefusal(.encoding, at: encoding.lineRange.lowerBound)
        }
        self.bytes = bytes
        startLineRange = line
        fields = lines.fields
        method = String(decoding: text[line.lowerBound..<first], as: UTF8.self)
        target = String(decoding: text[range], as: UTF8.self)
        targetRange = range
        version = String(decoding: text[last + 1..<line.upperBound], as: UTF8.self)
    }

    /// Where a request's body ends must be the same for everybody who reads it (RFC 9112 sections 6.1 and 6.3).
    private static func isDelimited(_ fields: [HeadField], version: ArraySlice<UInt8>) -> Bool {
        let values = fields.filter { $0.isNamed("transfer-encoding") }.map { Array($0.value.utf8) }
        let codings = values.flatMap { value in
            HeadSplit.pieces(value, separator: UInt8(ascii: ","), quotes: false).map { String(decoding: value[$0], as: UTF8.self) }
        }
        guard let last = codings.last, ASCII.equal(last, "chunked"), version.last != UInt8(ascii: "0") else { return false }
        return !codings.dropLast().contains { ASCII.equal($0, "chunked") || $0.isEmpty }
    }

    /// The target up to the query, without scheme and host when it came in absolute form.
    package var path: String {
        var rest = target[...]
        if let scheme = rest.range(ofASCII: "://") {
            rest = rest[scheme...]
            rest = rest[(rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex)...]
        }
        let end = rest.firstIndex { $0 == "?" || $0 == "#" } ?? rest.endIndex
        return rest[..<end].isEmpty ? "/" : String(rest[..<end])
    }

    /// Where the query stands, without its question mark; nil when there is none.
    package var queryRange: Range<Int>? {
        let text = slice(targetRange)
        guard let mark = text.firstIndex(of: UInt8(ascii: "?")) else { return nil }
        let end = text[mark...].firstIndex(of: UInt8(ascii: "#")) ?? text.count
        return targetRange.lowerBound + mark + 1..<targetRange.lowerBound + end
    }

    /// All items of the query, in order; the value is decoded.
    package var queryItems: [HeadPart] {
        guard let range = queryRange else { return [] }
        let inner = HeadSplit.pieces(slice(range), separator: UInt8(ascii: "&"), quotes: false)
        // A target that is nothing but its query keeps the question mark: of an empty one no request line could be made.
        let isAll = range.count + 1 == targetRange.count
        let whole = (isAll ? range.lowerBound : range.lowerBound - 1)..<range.upperBound
        return HeadSplit.parts(inner, in: range, whole: whole).map { piece, removal in
            let text = slice(piece)
            let mark = text.firstIndex(of: UInt8(ascii: "="))
            let value = (mark.map { piece.lowerBound + $0 + 1 } ?? piece.upperBound)..<piece.upperBound
            return HeadPart(
                name: ASCII.percentDecoded(text[..<(mark ?? text.count)]), value: ASCII.percentDecoded(slice(value)),
                valueRange: value, removalRange: removal)
        }
    }

    /// All cookies of all Cookie fields, in order; quotes around a value are left out.
    package var cookies: [HeadPart] {
        all("cookie").flatMap { field in
            let inner = HeadSplit.pieces(slice(field.valueRange), separator: UInt8(ascii: ";"), quotes: false)
            return HeadSplit.parts(inner, in: field.valueRange, whole: field.lineRange).compactMap {
                part -> HeadPart? in
                let (piece, removal) = part
                let text = slice(piece)
                guard let mark = text.firstIndex(of: UInt8(ascii: "=")) else { return nil }
                var value = piece.lowerBound + mark + 1..<piece.upperBound
                if value.count >= 2, text[mark + 1] == UInt8(ascii: "\""), text.last == UInt8(ascii: "\"") {
                    value = value.lowerBound + 1..<value.upperBound - 1
                }
                return HeadPart(
                    name: String(decoding: text[..<mark], as: UTF8.self), value: self.text(value), valueRange: value,
                    removalRange: removal)
            }
        }
    }

    package func queryItems(_ name: String) -> [HeadPart] { queryItems.filter { $0.name == name } }

    package func cookies(_ name: String) -> [HeadPart] { cookies.filter { $0.name == name } }

    /// The subprotocols offered, in order of preference.
    package var subprotocols: [HeadPart] { list("sec-websocket-protocol") }

    package var isWebSocketUpgrade: Bool { upgradeProblem == nil }

    /// What keeps this from being a WebSocket opening (RFC 6455 section 4.2.1), nil when it is one. Its version and
    /// the form of its key are the server's to judge.
    package var upgradeProblem: String? {
        if method != "GET" { return "the method is \(method), not GET" }
        if version == "HTTP/1.0" { return "the version is HTTP/1.0" }
        if !has("websocket", in: "upgrade") { return "no Upgrade: websocket" }
        if !has("upgrade", in: "connection") { return "no Connection: Upgrade" }
        if value("sec-websocket-key")?.isEmpty ?? true { return "no Sec-WebSocket-Key" }
        return nil
    }
}

extension Substring {
    /// Behind the first occurrence of `word`.
    fileprivate func range(ofASCII word: String) -> Index? {
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix(word) { return self.index(index, offsetBy: word.count) }
            if self[index] == "/" || self[index] == "?" { return nil }
            index = self.index(after: index)
        }
        return nil
    }
}
