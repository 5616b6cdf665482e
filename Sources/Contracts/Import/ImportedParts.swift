import Journaling

enum ImportedPath {
    /// A channel's address as a path of upgrades; nil when it is none. `{room}` may be anything.
    static func text(_ address: String, below base: String?) -> String? {
        guard address.hasPrefix("/") || base != nil else { return nil }
        var text = ""
        for part in ((base ?? "") + "/" + address).split(separator: "/") {
            text += "/" + (part.contains("{") ? "*" : String(part))
        }
        return text.isEmpty ? "/" : text
    }

    /// `#/components/messages/ask` is called ask.
    static func last(_ pointer: String) -> String? { pointer.split(separator: "/").last.map(String.init) }
}

/// What joins an answer to its request.
enum ImportedLinks {
    static func read(_ result: inout ContractImport, _ mark: Mark) {
        var texts: [String] = []
        for request in result.messages where request.isRequest {
            guard let left = request.correlation else { continue }
            let answers = result.messages.filter { !$0.isRequest && request.answers.contains($0.id) }
            let others = answers.isEmpty ? result.messages.filter { !$0.isRequest } : answers
            for right in others.compactMap(\.correlation) {
                let text = left == right ? left : "\(left) = \(right)"
                if !texts.contains(text) { texts.append(text) }
            }
        }
        result.links = texts.map { Document(.scalar(.init(text: $0, isPlain: false)), mark: mark) }
    }
}

/// Security schemes as places of credentials.
enum ImportedSecurity {
    static func read(_ scheme: Document, _ name: String, _ result: inout ContractImport, _ references: inout ImportReferences) {
        guard let place = place(scheme) else {
            return references.warn(
                scheme.mark, "the security scheme \(name) cannot be used", remedy: "name the place yourself: identity.credential")
        }
        guard !result.credentials.contains(where: { $0.scalar?.text == place }) else { return }
        result.credentials.append(Document(.scalar(.init(text: place, isPlain: false)), mark: scheme.mark))
    }

    private static func place(_ scheme: Document) -> String? {
        let name = scheme["name"]?.scalar?.text ?? ""
        let isPlain = !name.isEmpty && name.utf8.allSatisfy { InferredName.isWord($0) || $0 == UInt8(ascii: "-") }
        switch (scheme["type"]?.scalar?.text, scheme["in"]?.scalar?.text) {
        case ("httpApiKey", "query") where isPlain: return "query \(name)"
        case ("httpApiKey", "header") where isPlain: return "header \(name.lowercased())"
        case ("httpApiKey", "cookie") where isPlain: return "cookie \(name)"
        case ("http", _), ("oauth2", _), ("openIdConnect", _): return "header authorization"
        default: return nil
        }
    }
}
