package import struct NIOCore.ByteBuffer

/// Reads single fields of a JSON text in one pass, without building its tree. Nil for everything when the text is not
/// JSON (by the lenient rules of `JSON.decode`); the last of duplicate keys wins, as in `JSON`.
package struct JSONReader: Sendable {
    private let text: ByteBuffer
    private let limits: JSONLimits

    package init(_ buffer: ByteBuffer, limits: JSONLimits = JSONLimits()) {
        text = buffer
        self.limits = limits
    }

    /// The string that these keys lead to; nil when there is another kind of value or none.
    package func string(at path: [String]) -> String? { value(at: path)?.string }

    package func string(_ key: String) -> String? { string(at: [key]) }

    /// The value that these keys lead to, through objects only.
    package func value(at path: [String]) -> JSON? { values(at: [path]).first ?? nil }

    /// Several at once, in one pass.
    package func values(at paths: [[String]]) -> [JSON?] {
        guard let ranges = ranges(at: paths) else { return paths.map { _ in nil } }
        return ranges.map { range in
            range.flatMap { JSON.decode(text.readableBytesUInt8Span.extracting($0)).value }
        }
    }

    /// Where the values stand, in bytes from the start; nil when the text is malformed.
    package func ranges(at paths: [[String]]) -> [Range<Int>?]? {
        var walk = Walk(paths: paths.map { $0.map { Array($0.utf8) } })
        var tokens = JSONTokens(limits: limits, lenient: true)
        do throws(JSONError) { try tokens.read(text.readableBytesUInt8Span, into: &walk) } catch { return nil }
        return walk.found
    }

    /// Which of the paths the current place is on.
    private struct Walk: JSONSink {
        let paths: [[[UInt8]]]
        var found: [Range<Int>?]
        /// For each path, how many of its keys lead to the container that is open.
        private var matched: [Int]
        private var depth = 0
        /// The key read last, when a value must follow it.
        private var key: [UInt8]?
        /// Containers being measured: path, start, depth.
        private var open: [(path: Int, start: Int, depth: Int)] = []

        init(paths: [[[UInt8]]]) {
            self.paths = paths
            found = paths.map { _ in nil }
            matched = paths.map { _ in 0 }
        }

        mutating func take(_ token: JSONToken, in bytes: Span<UInt8>) {
            switch token {
            case .key(let range, let escaped):
                key = Array(JSONText.decode(bytes, range, escaped: escaped).utf8)
            case .beginObject(let start), .beginArray(let start):
                let isObject = if case .beginObject = token { true } else { false }
                for path in paths.indices where reaches(path) {
                    if matched[path] + (depth == 0 ? 0 : 1) == paths[path].count {
                        found[path] = nil
                        open.append((path, start, depth))
                    } else if depth > 0 {
                        if isObject { matched[path] += 1 }
                        found[path] = nil
                    }
                }
                depth += 1
                key = nil
            case .endObject(let end), .endArray(let end):
                depth -= 1
                while let last = open.last, last.depth == depth {
                    found[last.path] = last.start..<end
                    open.removeLast()
                }
                for path in paths.indices { matched[path] = min(matched[path], max(0, depth - 1)) }
            case .string(let range, _), .number(let range), .bool(_, let range), .null(let range):
                for path in paths.indices where reaches(path) {
                    found[path] = matched[path] + (depth == 0 ? 0 : 1) == paths[path].count ? range : nil
                }
                key = nil
            }
        }

        /// The value about to come stands on this path: all keys so far are its keys.
        private func reaches(_ path: Int) -> Bool {
            if depth == 0 { return true }
            guard let key, matched[path] == depth - 1, matched[path] < paths[path].count else { return false }
            return paths[path][matched[path]] == key
        }
    }
}
