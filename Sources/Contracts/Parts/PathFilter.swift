import Wire

/// What may follow a bar in a path (contract.md, "Path"): looks inside a string.
enum PathFilter: String, Sendable, Hashable, CaseIterable {
    /// A string that holds JSON.
    case json
    case base64
    /// Claims of the first three-part token in the string, signature not checked.
    case jwt
    case lower
    /// `key:value` lines to an object; the first of a key counts.
    case lines

    func apply(to value: JSON) -> JSON? {
        guard case .string(let text) = value else { return nil }
        switch self {
        case .json: return try? JSON.parse(text)
        case .base64: return Base64.decode(text).flatMap { String(validating: $0, as: UTF8.self) }.map(JSON.string)
        case .jwt: return Self.claims(in: text)
        case .lower: return .string(text.lowercased())
        case .lines: return Self.fields(in: text)
        }
    }

    private static func fields(in text: String) -> JSON {
        var members: [JSON.Member] = []
        var seen: Set<Substring> = []
        for line in text.split(whereSeparator: { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let key = line[..<colon]
            guard seen.insert(key).inserted else { continue }
            members.append(.init(key: String(key), value: .string(String(line[line.index(after: colon)...]))))
        }
        return .object(members)
    }

    /// The claims of the first three consecutive base64url parts of which the first decodes to a JSON object.
    static func claims(in text: String) -> JSON? {
        guard let token = token(in: text) else { return nil }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let bytes = Base64.decode(parts[1]) else { return nil }
        guard let decoded = String(validating: bytes, as: UTF8.self), let claims = try? JSON.parse(decoded) else {
            return nil
        }
        guard case .object = claims else { return nil }
        return claims
    }

    /// That token itself. Its signature may be empty (`alg: none`).
    static func token(in text: String) -> Substring? {
        let utf8 = text.utf8
        var parts: [(start: String.Index, end: String.Index)] = []
        var start = utf8.startIndex
        var index = utf8.startIndex
        while true {
            let byte = index < utf8.endIndex ? utf8[index] : nil
            if let byte, Base64.isURLSafe(byte) {
                index = utf8.index(after: index)
                continue
            }
            parts.append((start, index))
            if byte != UInt8(ascii: ".") {
                if let found = token(among: parts, of: text) { return found }
                parts.removeAll(keepingCapacity: true)
            }
            guard byte != nil else { return nil }
            index = utf8.index(after: index)
            start = index
        }
    }

    private static func token(
        among parts: [(start: String.Index, end: String.Index)], of text: String
    ) -> Substring? {
        guard parts.count >= 3 else { return nil }
        for first in 0...(parts.count - 3) {
            let head = text[parts[first].start..<parts[first].end]
            // Every object starts with `{`, which base64 writes as `e` or, behind white space, as I, C, D or k.
            guard let initial = head.utf8.first, "eICDk".utf8.contains(initial) else { continue }
            guard let bytes = Base64.decode(head), let decoded = String(validating: bytes, as: UTF8.self) else { continue }
            guard let json = try? JSON.parse(decoded), case .object = json else { continue }
            return text[parts[first].start..<parts[first + 2].end]
        }
        return nil
    }
}
