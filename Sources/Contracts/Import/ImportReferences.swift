import Journaling

/// Local references of an imported document (`$ref: "#/components/messages/ask"`, RFC 6901), followed within bounds: a
/// file of a few lines could otherwise ask for more than any memory holds.
struct ImportReferences {
    let root: Document
    private(set) var problems: [ConfigurationError] = []
    /// Values that may still be copied, and references that may still be followed (limit L6).
    private var nodes: Int
    private var steps = 100_000
    private var told: Set<String> = []
    private let deepest: Int

    init(_ root: Document, limits: Limits = .standard) {
        self.root = root
        nodes = limits.documentNodes
        deepest = limits.documentDepth
    }

    mutating func warn(_ mark: Mark, _ message: String, remedy: String = "") {
        guard problems.count < 200, told.insert("\(mark) \(message)").inserted else { return }
        problems.append(ConfigurationError(.warning, at: mark, message, remedy: remedy))
    }

    mutating func fail(_ mark: Mark, _ message: String, remedy: String) {
        guard problems.count < 200, told.insert("\(mark) \(message)").inserted else { return }
        problems.append(ConfigurationError(at: mark, message, remedy: remedy))
    }

    /// The value itself: behind any number of references. Nil when one leads nowhere, which was said then.
    mutating func resolved(_ document: Document?) -> (value: Document, pointer: String?)? {
        guard var current = document else { return nil }
        var pointer: String?
        var seen: Set<String> = []
        while let reference = current["$ref"] {
            steps -= 1
            guard let text = reference.scalar?.text else {
                fail(reference.mark, "$ref needs a text", remedy: "found \(reference.found)")
                return nil
            }
            guard text.hasPrefix("#") else {
                warn(reference.mark, "the reference \"\(text)\" leads to another file and is not followed",
                    remedy: "copy what it means into this file")
                return nil
            }
            guard seen.insert(text).inserted, steps > 0 else {
                fail(reference.mark, "the reference \"\(text)\" leads in a circle", remedy: "let it lead to a value")
                return nil
            }
            guard let found = self.found(text) else {
                fail(reference.mark, "the reference \"\(text)\" leads nowhere", remedy: "nothing stands at that place of this file")
                return nil
            }
            pointer = text
            current = found
        }
        return (current, pointer)
    }

    /// The value at a JSON Pointer behind `#`.
    private func found(_ text: String) -> Document? {
        var current = root
        for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: true) {
            let key = Self.decoded(String(part))
            if let list = current.list {
                guard let index = Int(key), list.indices.contains(index) else { return nil }
                current = list[index]
            } else if let next = current[key] {
                current = next
            } else {
                return nil
            }
        }
        return current
    }

    /// `~1` is a slash, `~0` a tilde; `%7B` as in an address.
    private static func decoded(_ part: String) -> String {
        var bytes: [UInt8] = []
        let raw = Array(part.utf8)
        var index = 0
        while index < raw.count {
            if raw[index] == UInt8(ascii: "%"), index + 2 < raw.count,
                let byte = UInt8(String(decoding: raw[index + 1...index + 2], as: UTF8.self), radix: 16)
            {
                bytes.append(byte)
                index += 3
            } else {
                bytes.append(raw[index])
                index += 1
            }
        }
        var text = ""
        var escaped = false
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            switch (escaped, scalar) {
            case (false, "~"): escaped = true
            case (true, "1"):
                text += "/"
                escaped = false
            case (true, "0"):
                text += "~"
                escaped = false
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// A schema with every reference written out. One that holds itself is cut off where it comes again: what is below
    /// is then not looked at.
    mutating func inlined(_ schema: Document) -> Document { inlined(schema, within: [], depth: 0) }

    private mutating func inlined(_ document: Document, within: [String], depth: Int) -> Document {
        nodes -= 1
        let anything = Document(.map([]), mark: document.mark)
        guard nodes > 0 else {
            if nodes == 0 {
                fail(document.mark, "the schemas are too large when every $ref is written out", remedy: "make them smaller (limit L6)")
            }
            return anything
        }
        guard depth < deepest else {
            warn(document.mark, "the schema is nested too deep; what is below is not looked at",
                remedy: "at most \(deepest) levels (limit L6)")
            return anything
        }
        switch document.node {
        case .scalar: return document
        case .list(let items):
            var copy: [Document] = []
            for item in items { copy.append(inlined(item, within: within, depth: depth + 1)) }
            return Document(.list(copy), mark: document.mark)
        case .map(let fields):
            if let reference = document["$ref"]?.scalar?.text {
                if within.contains(reference) {
                    warn(document.mark, "the schema \"\(reference)\" holds itself; what is below is not looked at")
                    return anything
                }
                guard let (value, _) = resolved(document) else { return anything }
                return inlined(value, within: within + [reference], depth: depth)
            }
            var copy: [Document.Field] = []
            for field in fields where field.key != "$defs" && field.key != "definitions" {
                copy.append(.init(key: field.key, mark: field.mark, value: inlined(field.value, within: within, depth: depth + 1)))
            }
            return Document(.map(copy), mark: document.mark)
        }
    }
}
