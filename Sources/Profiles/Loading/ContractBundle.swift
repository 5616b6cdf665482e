import Contracts
import Journaling

/// A contract's text together with the texts of all that it extends and imports: one text that reads the same without any
/// file, as a recording needs it. Each further piece begins with a comment line that names its file.
struct ContractBundle {
    struct Piece {
        var file: String
        var text: String
        /// What `import` names: no contract.
        var isImport = false
    }
    private(set) var pieces: [Piece]

    private static let mark = "# miswire: extended contract "
    private static let importMark = "# miswire: imported file "
    private static let deepest = 8

    /// Takes a bundle apart.
    init(text: String, file: String) {
        pieces = []
        var current = Piece(file: file, text: "")
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, bytes) in lines.enumerated() {
            let line = Substring(bytes)
            if let mark = [Self.mark, Self.importMark].first(where: { line.hasPrefix($0) }) {
                pieces.append(current)
                let name = line.dropFirst(mark.count).filter { $0 != "\r" }
                current = Piece(file: name, text: "", isImport: mark == Self.importMark)
            } else {
                current.text += line
                // The last line's end is not an empty line of its own.
                if index < lines.count - 1 { current.text += "\n" }
            }
        }
        pieces.append(current)
    }

    /// Reads all that a contract extends.
    init(_ source: SourceFile, directories: [String]) throws(ConfigurationErrors) {
        self.init(text: source.text, file: source.file)
        // A text from a recording holds its pieces already.
        while let missing = try missingBase() {
            guard pieces.count < Self.deepest else {
                throw Self.error(at: missing.mark, "extends goes deeper than \(Self.deepest) contracts", "flatten it", pieces)
            }
            let here = SourceFile.directory(of: missing.mark.file)
            let name =
                SourceFile.isPath(missing.name) && !missing.name.hasPrefix("/") ? here + "/" + missing.name : missing.name
            do throws(ConfigurationErrors) {
                let base = try SourceFile.find(name, .contract, directories: [here] + directories, from: missing.mark)
                pieces += ContractBundle(text: base.text, file: base.file).pieces
            } catch {
                throw ConfigurationErrors(error.errors, texts: texts)
            }
        }
        if let named = try document()["import"], !pieces.contains(where: \.isImport) {
            pieces.append(try ImportedFile.read(named, isShipped: source.isShipped, texts: texts))
        }
    }

    /// The one text. Pieces but the first are named by their file's last part, so that the text does not depend on where
    /// the files lie.
    var text: String {
        guard let first = pieces.first else { return "" }
        return pieces.dropFirst().reduce(first.text) { text, piece in
            (text.hasSuffix("\n") ? text : text + "\n") + (piece.isImport ? Self.importMark : Self.mark)
                + SourceFile.baseName(of: piece.file) + "\n" + piece.text
        }
    }

    var texts: [String: String] { Dictionary(pieces.map { ($0.file, $0.text) }) { first, _ in first } }

    /// The value tree with every `extends` and `import` followed, and what was said about what could not be used.
    func contract() throws(ConfigurationErrors) -> (document: Document, problems: [ConfigurationError]) {
        let own = try document()
        guard let named = own["import"], let piece = pieces.first(where: \.isImport) else { return (own, []) }
        // A recording's text has the piece without its directory.
        guard SourceFile.baseName(of: named.scalar?.text ?? "") == SourceFile.baseName(of: piece.file) else { return (own, []) }
        var imported = ContractImport(try ImportedFile.document(piece.text, file: piece.file), own: own)
        return (imported.contract(), imported.problems)
    }

    /// The value tree with every `extends` followed.
    func document() throws(ConfigurationErrors) -> Document {
        if pieces.count > 2 * Self.deepest, let first = pieces.first {
            let mark = Mark(file: first.file, line: 1, column: 1)
            throw Self.error(at: mark, "extends goes deeper than \(Self.deepest) contracts", "flatten it", pieces)
        }
        var documents: [Document] = []
        for piece in pieces where !piece.isImport { documents.append(try YAMLReader.read(piece.text, file: piece.file)) }
        var chain: [Document] = []
        var next: Int? = 0
        while let index = next {
            chain.append(documents[index])
            guard let base = documents[index]["extends"], base.scalar?.isNull != true else { break }
            let name = base.scalar?.text ?? ""
            next = Self.index(of: name, in: pieces)
            guard let found = next else { throw Self.error(SourceFile.missing(name, .contract, base.mark), pieces) }
            if chain.count > pieces.count || found == 0 {
                throw Self.error(at: base.mark, "contract \"\(name)\" extends itself", "break the circle", pieces)
            }
        }
        // Each file has to say its version itself, not only the one that it extends.
        for document in chain where document.map?.first?.key != "miswire-contract" && document.map != nil {
            throw Self.error(
                at: document.mark, "miswire-contract must be the first key", "write miswire-contract: 1 at the top", pieces)
        }
        guard var merged = chain.last else { return Document(.map([]), mark: Mark(file: "", line: 0, column: 0)) }
        for document in chain.dropLast().reversed() { merged = merged.extended(by: document) }
        return merged
    }

    /// The name in an `extends` whose text is not among the pieces yet.
    private func missingBase() throws(ConfigurationErrors) -> (name: String, mark: Mark)? {
        guard let last = pieces.last(where: { !$0.isImport }) else { return nil }
        let document = try YAMLReader.read(last.text, file: last.file)
        guard let base = document["extends"], base.scalar?.isNull != true else { return nil }
        guard let name = base.scalar?.text else {
            throw Self.error(at: base.mark, "extends needs the name of a contract", "found \(base.found)", pieces)
        }
        return Self.index(of: name, in: pieces) == nil ? (name, base.mark) : nil
    }

    private static func index(of name: String, in pieces: [Piece]) -> Int? {
        let wanted = SourceFile.isPath(name) ? SourceFile.baseName(of: name) : name + ".yaml"
        return pieces.filter { !$0.isImport }.firstIndex { SourceFile.baseName(of: $0.file) == wanted }
    }

    private static func error(
        at mark: Mark, _ message: String, _ remedy: String, _ pieces: [Piece]
    ) -> ConfigurationErrors {
        error(ConfigurationError(at: mark, message, remedy: remedy), pieces)
    }

    private static func error(_ error: ConfigurationError, _ pieces: [Piece]) -> ConfigurationErrors {
        ConfigurationErrors([error], texts: Dictionary(pieces.map { ($0.file, $0.text) }) { first, _ in first })
    }
}
