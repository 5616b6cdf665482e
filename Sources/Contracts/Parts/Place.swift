package import Wire

/// Where a credential or name is found (contract.md, "Place"): `header N`, `query N`, `cookie N`, `subprotocol [GLOB]`,
/// `path GLOB`, `request NAME PATH`, `event NAME PATH`, `credential`, or a bare path (in every event). Filters may
/// follow: `header authorization|jwt.sub`.
package struct Place: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case header(String)
        case query(String)
        case cookie(String)
        /// The value is what `*` covers, or the whole name without a glob.
        case subprotocol(Glob?)
        case path(Glob)
        case request(name: String, Path)
        case event(name: String, Path)
        /// The credential that was found.
        case credential
        /// In every event.
        case everyEvent(Path)
    }
    package let text: String
    package let kind: Kind
    /// Steps on the found text: `|jwt.sub`.
    let filter: Path?

    /// - Parameter deep: whether `..name` is allowed in its path.
    package init(_ text: String, deep: Bool = false) throws(PartError) {
        let bar = text.firstIndex(of: "|")
        let front = text[..<(bar ?? text.endIndex)]
        let words = front.split(separator: " ").map(String.init)
        let count = words.count
        self.text = text
        guard let word = words.first else { throw PartError("place \"\(text)\" is empty") }
        var filters = bar.map { String(text[$0...]) }
        switch word {
        case "header" where count == 2: kind = .header(words[1].lowercased())
        case "query" where count == 2: kind = .query(words[1])
        case "cookie" where count == 2: kind = .cookie(words[1])
        case "subprotocol" where count <= 2: kind = .subprotocol(count == 2 ? Glob(words[1]) : nil)
        case "path" where count == 2: kind = .path(Glob(words[1]))
        case "request" where count >= 3, "event" where count >= 3:
            let path = try Path(words[2...].joined(separator: " ") + (filters ?? ""), deep: deep)
            kind = word == "request" ? .request(name: words[1], path) : .event(name: words[1], path)
            filters = nil
        case "credential" where count == 1: kind = .credential
        default:
            if Self.words.contains(word) {
                throw PartError("place \"\(text)\" is not complete", remedy: "write \(Self.form(of: word))")
            }
            if count > 1, !front.contains("+") {
                throw PartError("place \"\(text)\": \(word) is no place", remedy: Nearest.remedy(for: word, among: Self.words))
            }
            kind = .everyEvent(try Path(text, deep: deep))
            filters = nil
        }
        filter = try filters.map { text throws(PartError) in try Path("$" + text) }
    }

    static let words = ["header", "query", "cookie", "subprotocol", "path", "request", "event", "credential"]

    private static func form(of word: String) -> String {
        switch word {
        case "subprotocol", "path": "\(word) GLOB"
        case "request", "event": "\(word) NAME PATH"
        case "credential": "credential alone"
        default: "\(word) NAME"
        }
    }

    /// Whether it stands in the opening head, so that it is known before the first message.
    package var isInHead: Bool {
        switch kind {
        case .header, .query, .cookie, .subprotocol, .path, .credential: true
        case .request, .event, .everyEvent: false
        }
    }

    /// Whether what is found here is said to be a token: `|jwt` is declared.
    package var expectsToken: Bool { filter.map { $0.parts.joined().contains(.filter(.jwt)) } ?? false }

    /// What the filters make of the text found at this place; the text itself without filters.
    package func value(of raw: String) -> JSON? {
        guard let filter else { return .string(raw) }
        return filter.value(in: .string(raw))
    }
}
