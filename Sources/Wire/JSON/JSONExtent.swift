/// A value and where it stands, for whoever takes single ones out of a text: nothing is made of it.
package struct JSONExtent: Sendable, Equatable {
    package enum Kind: Sendable, Equatable { case string(escaped: Bool), number, bool(Bool), null, container }
    package var kind: Kind
    /// With quotes and brackets, in bytes from the start of the text.
    package var range: Range<Int>

    /// The value that begins there; nil when it is no JSON (RFC 8259, no tolerance).
    package static func value(at start: Int, in bytes: Span<UInt8>) -> JSONExtent? {
        var scanner = JSONScanner(position: start, lenient: false)
        let byte = scanner.peek(bytes)
        do throws(JSONError) {
            guard byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") else {
                return JSONExtent(try scanner.scalar(bytes), start: start)
            }
            var outermost = Outermost(start: start)
            var tokens = JSONTokens(from: start)
            try tokens.readValue(bytes, into: &outermost)
            return outermost.extent
        } catch {
            return nil
        }
    }

    fileprivate init(kind: Kind, range: Range<Int>) {
        self.kind = kind
        self.range = range
    }

    /// Nil for what begins a container or is a key. What ends a container begins at its start, which the text does not say.
    fileprivate init?(_ token: JSONToken, start: Int) {
        switch token {
        case .key, .beginObject, .beginArray: return nil
        case .endObject(let end), .endArray(let end): self.init(kind: .container, range: start..<end)
        case .string(let range, let escaped): self.init(kind: .string(escaped: escaped), range: range)
        case .number(let range): self.init(kind: .number, range: range)
        case .bool(let flag, let range): self.init(kind: .bool(flag), range: range)
        case .null(let range): self.init(kind: .null, range: range)
        }
    }

    private struct Outermost: JSONSink {
        let start: Int
        var extent: JSONExtent?

        mutating func take(_ token: JSONToken, in bytes: Span<UInt8>) { extent = JSONExtent(token, start: start) }
    }
}

/// Where the members of one object stand.
package struct JSONMembers: Sendable {
    package struct Member: Sendable {
        /// With its quotes.
        package var key: Range<Int>
        package var isKeyEscaped: Bool
        package var value: JSONExtent
    }
    package let all: [Member]

    /// Nil for a value that is no object.
    /// - Parameter range: where the value stands, all of `bytes` or a part.
    package init?(_ bytes: Span<UInt8>, in range: Range<Int>) throws(JSONError) {
        var finder = Finder()
        var tokens = JSONTokens(from: range.lowerBound)
        try tokens.read(bytes.extracting(0..<range.upperBound), into: &finder)
        guard finder.isObject else { return nil }
        all = finder.found
    }

    private struct Finder: JSONSink {
        var found: [Member] = []
        var isObject = false
        private var depth = 0
        private var key: (range: Range<Int>, escaped: Bool)?
        /// Of the member that is a container.
        private var start = 0

        init() {}

        mutating func take(_ token: JSONToken, in bytes: Span<UInt8>) {
            switch token {
            case .key(let range, let escaped): if depth == 1 { key = (range, escaped) }
            case .beginObject(let place), .beginArray(let place):
                if depth == 0, case .beginObject = token { isObject = true }
                if depth == 1 { start = place }
                depth += 1
                return
            case .endObject, .endArray: depth -= 1
            default: break
            }
            guard depth == 1, let key, let extent = JSONExtent(token, start: start) else { return }
            found.append(Member(key: key.range, isKeyEscaped: key.escaped, value: extent))
        }
    }
}
