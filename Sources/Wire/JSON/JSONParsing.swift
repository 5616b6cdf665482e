package import struct NIOCore.ByteBuffer

extension JSON {
    /// What a text is, said without throwing.
    package enum Decoding: Sendable, Hashable {
        /// `tolerated`: it holds something that strict parsers may refuse (NaN, Infinity, a byte order mark, duplicate
        /// keys, a lone surrogate, more than 64 levels).
        case value(JSON, tolerated: Bool)
        case malformed(JSONError)

        package var value: JSON? {
            if case .value(let json, _) = self { json } else { nil }
        }
    }

    /// The value of a strict RFC 8259 text. Depth and number of values are bounded (trust.md L5).
    package static func parse(
        _ bytes: ByteBuffer, limits: JSONLimits = JSONLimits()
    ) throws(JSONError) -> JSON {
        var tokens = JSONTokens(bytes, limits: limits)
        return try build(&tokens)
    }

    package static func parse(_ text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSON {
        var tokens = JSONTokens([UInt8](text.utf8), limits: limits)
        return try build(&tokens)
    }

    /// As `parse`, but what common parsers take is a value, and marked. NaN and the infinities stay numbers as text.
    package static func decode(_ bytes: ByteBuffer, limits: JSONLimits = JSONLimits()) -> Decoding {
        decode([UInt8](bytes.readableBytesView), limits: limits)
    }

    package static func decode(_ text: String, limits: JSONLimits = JSONLimits()) -> Decoding {
        decode([UInt8](text.utf8), limits: limits)
    }

    private static func decode(_ bytes: [UInt8], limits: JSONLimits) -> Decoding {
        var tokens = JSONTokens(bytes, limits: limits, lenient: true)
        do throws(JSONError) {
            let value = try build(&tokens)
            return .value(value, tolerated: tokens.tolerated)
        } catch {
            return .malformed(error)
        }
    }

    /// A container being filled.
    private struct Open {
        var isObject: Bool
        var members: [Member] = []
        var elements: [JSON] = []
        var key = ""
    }

    private static func build(_ tokens: inout JSONTokens) throws(JSONError) -> JSON {
        var stack: [Open] = []
        var root = JSON.null
        while let token = try tokens.next() {
            let value: JSON
            switch token {
            case .beginObject:
                stack.append(Open(isObject: true))
                continue
            case .beginArray:
                stack.append(Open(isObject: false))
                continue
            case .key(let range, let escaped):
                stack[stack.count - 1].key = JSONText.decode(tokens.bytes, range, escaped: escaped)
                continue
            case .endObject, .endArray:
                let open = stack.removeLast()
                if open.isObject, hasDuplicate(open.members) { tokens.noteTolerated() }
                value = open.isObject ? .object(open.members) : .array(open.elements)
            default:
                value = scalar(token, tokens.bytes)
            }
            guard let last = stack.indices.last else {
                root = value
                continue
            }
            if stack[last].isObject {
                stack[last].members.append(Member(key: stack[last].key, value: value))
            } else {
                stack[last].elements.append(value)
            }
        }
        try tokens.finish()
        return root
    }

    /// The value of a token that is no container and no key.
    static func scalar(_ token: JSONTokens.Token, _ bytes: [UInt8]) -> JSON {
        switch token {
        case .string(let range, let escaped): .string(JSONText.decode(bytes, range, escaped: escaped))
        case .number(let range): .number(String(decoding: bytes[range], as: UTF8.self))
        case .bool(let value, _): .bool(value)
        default: .null
        }
    }

    private static func hasDuplicate(_ members: [Member]) -> Bool {
        guard members.count <= 16 else {
            var seen = Set<[UInt8]>(minimumCapacity: members.count)
            return !members.allSatisfy { seen.insert([UInt8]($0.key.utf8)).inserted }
        }
        for index in members.indices {
            for other in members[..<index] where JSONText.isSame(other.key, members[index].key) { return true }
        }
        return false
    }
}
