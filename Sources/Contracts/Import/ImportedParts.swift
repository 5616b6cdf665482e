import Journaling

/// `wire.paths` of an imported document: its channels below its servers' paths. All of them or none: what is left out
/// would not be judged.
struct ImportedPaths {
    private let bases: [String]
    private var paths: [Document] = []
    /// Where it cannot be told, and what is said about it.
    private var lack: (mark: Mark, what: String)?

    /// - Parameter servers: the path of each; nil = it cannot be told.
    init(_ servers: [(address: String?, mark: Mark)]) {
        bases = servers.isEmpty ? [""] : servers.compactMap(\.address)
        if let server = servers.first(where: { $0.address == nil }) { lack = (server.mark, "the path of this server cannot be told") }
    }

    mutating func add(_ address: String?, _ mark: Mark) {
        guard let address else {
            if lack == nil { lack = (mark, "the path of this channel cannot be told") }
            return
        }
        for base in bases {
            let path = Document(.scalar(.init(text: Self.text(base + "/" + address), isPlain: false)), mark: mark)
            if !paths.contains(where: { $0.scalar?.text == path.scalar?.text }) { paths.append(path) }
        }
    }

    func documents(_ references: inout ImportReferences) -> [Document] {
        guard let lack else { return paths }
        references.warn(lack.mark, lack.what, remedy: "wire.paths is left out: write it yourself")
        return []
    }

    /// `{room}` may be anything.
    private static func text(_ address: String) -> String {
        let parts = address.split(separator: "/").map { $0.contains("{") ? "*" : String($0) }
        return "/" + parts.joined(separator: "/")
    }
}

enum ImportedPath {
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
