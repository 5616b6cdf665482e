import Journaling

/// Local references of an imported document (`$ref: "#/components/messages/ask"`, RFC 6901), followed within bounds: a
/// file of a few lines could otherwise ask for more than any memory holds.
struct ImportReferences {
    let root: Document
    private(set) var problems: [ConfigurationError] = []
    /// Values that may still be copied, and references that may still be followed (limit L6).
    var nodes: Int
    private var steps = 100_000
    private var told: Set<String> = []
    let deepest: Int
    /// Keywords beside a `$ref` are ignored: so in AsyncAPI, and in JSON Schema until draft 7.
    let dropsSiblings: Bool
    /// Pointers of the schema in hand that hold themselves, with the names that they get below its `$defs`.
    var circles: [(pointer: String, name: String)] = []

    init(_ root: Document, limits: Limits = .standard) {
        self.root = root
        nodes = limits.documentNodes
        deepest = limits.documentDepth
        let dialect = root["$schema"]?.scalar?.text ?? ""
        dropsSiblings = root["asyncapi"] != nil || ["draft-03", "draft-04", "draft-05", "draft-06", "draft-07"].contains(where: dialect.contains)
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
}
