import Contracts
import Journaling

/// A profile's text together with the texts of all that it extends, and of the profiles beside it: one text that reads the
/// same without any file, as a recording needs it. Each further piece begins with a comment line that names its file.
struct ProfileBundle {
    struct Piece {
        var file: String
        var text: String
        /// It stands beside the one before; else that one, or one before it, extends it.
        var isBeside = false
    }
    private(set) var pieces: [Piece]

    private static let extended = "# miswire: extended profile "
    private static let beside = "# miswire: profile beside "
    private static let deepest = 8

    /// Takes a bundle apart.
    init(text: String, file: String) {
        pieces = []
        var current = Piece(file: file, text: "")
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, bytes) in lines.enumerated() {
            let line = Substring(bytes)
            if let mark = [Self.extended, Self.beside].first(where: line.hasPrefix) {
                pieces.append(current)
                current = Piece(
                    file: line.dropFirst(mark.count).filter { $0 != "\r" }, text: "", isBeside: mark == Self.beside)
            } else {
                current.text += line
                // The last line's end is not an empty line of its own.
                if index < lines.count - 1 { current.text += "\n" }
            }
        }
        pieces.append(current)
    }

    /// Reads all that these profiles extend.
    init(_ sources: [SourceFile]) throws(ConfigurationErrors) {
        pieces = []
        for (number, source) in sources.enumerated() {
            var bundle = ProfileBundle(text: source.text, file: source.file)
            bundle.pieces[0].isBeside = number > 0
            while let missing = try bundle.missingBase() {
                guard bundle.pieces.count < Self.deepest else {
                    throw bundle.error(at: missing.mark, "extends goes deeper than \(Self.deepest) profiles", "flatten it")
                }
                let here = SourceFile.directory(of: missing.mark.file)
                let isRelative = SourceFile.isPath(missing.name) && !missing.name.hasPrefix("/")
                let name = isRelative ? here + "/" + missing.name : missing.name
                do throws(ConfigurationErrors) {
                    let base = try SourceFile.find(name, .profile, directories: [here, "profiles"], from: missing.mark)
                    bundle.pieces += ProfileBundle(text: base.text, file: base.file).pieces
                } catch { throw ConfigurationErrors(error.errors, texts: bundle.texts) }
            }
            pieces += bundle.pieces
        }
    }

    /// The one text. Pieces but the first are named by their file's last part, so that the text does not depend on where
    /// the files lie.
    var text: String {
        guard let first = pieces.first else { return "" }
        return pieces.dropFirst().reduce(first.text) { text, piece in
            (text.hasSuffix("\n") ? text : text + "\n") + (piece.isBeside ? Self.beside : Self.extended)
                + SourceFile.baseName(of: piece.file) + "\n" + piece.text
        }
    }

    var texts: [String: String] { Dictionary(pieces.map { ($0.file, $0.text) }) { first, _ in first } }

    /// Files that the text came from, without those of the program.
    var files: [String] { pieces.map(\.file) }

    /// Each profile by itself, with what it extends.
    var parts: [ProfileBundle] {
        var parts: [ProfileBundle] = []
        for piece in pieces {
            if piece.isBeside || parts.isEmpty {
                var part = self
                part.pieces = [piece]
                parts.append(part)
            } else {
                parts[parts.count - 1].pieces.append(piece)
            }
        }
        return parts
    }

    /// The value tree of the first profile, with every `extends` followed, and the one as it was written.
    /// - Parameter problems: faults that cannot be taken away.
    func document(_ problems: inout [ConfigurationError]) throws(ConfigurationErrors) -> Document {
        var documents: [Document] = []
        for piece in pieces {
            do throws(ConfigurationErrors) { documents.append(try YAMLReader.read(piece.text, file: piece.file)) } catch {
                throw ConfigurationErrors(error.errors, texts: texts)
            }
        }
        var chain: [Document] = []
        var next: Int? = 0
        while let index = next {
            chain.append(documents[index])
            guard let base = try base(of: documents[index]) else { break }
            next = Self.index(of: base.name, in: pieces)
            guard let found = next else {
                throw ConfigurationErrors([SourceFile.missing(base.name, .profile, base.mark)], texts: texts)
            }
            if chain.count > pieces.count || found <= index {
                throw error(at: base.mark, "profile \"\(base.name)\" extends itself", "break the circle")
            }
        }
        // Each file says its version itself.
        problems += chain.dropFirst().compactMap(ProfileReader.versionProblem(of:))
        guard var merged = chain.last else { return Document(.map([]), mark: Mark(file: "", line: 0, column: 0)) }
        for document in chain.dropLast().reversed() { merged = ProfileMerge.merge(merged, document, &problems) }
        return merged
    }

    /// The name in an `extends` whose text is not among the pieces yet.
    private func missingBase() throws(ConfigurationErrors) -> (name: String, mark: Mark)? {
        guard let last = pieces.last else { return nil }
        guard let base = try base(of: YAMLReader.read(last.text, file: last.file)) else { return nil }
        return Self.index(of: base.name, in: pieces) == nil ? base : nil
    }

    private func base(of document: Document) throws(ConfigurationErrors) -> (name: String, mark: Mark)? {
        guard let base = document["extends"], base.scalar?.isNull != true else { return nil }
        guard let name = base.scalar?.text else {
            throw error(
                at: base.mark, "`extends` needs the name of one profile",
                "found \(base.found), write `extends: NAME`; several stand beside each other with --profile a,b")
        }
        return (name, base.mark)
    }

    private static func index(of name: String, in pieces: [Piece]) -> Int? {
        let wanted = SourceFile.isPath(name) ? SourceFile.baseName(of: name) : name + ".yaml"
        return pieces.firstIndex { SourceFile.baseName(of: $0.file) == wanted }
    }

    private func error(at mark: Mark, _ message: String, _ remedy: String) -> ConfigurationErrors {
        ConfigurationErrors([ConfigurationError(at: mark, message, remedy: remedy)], texts: texts)
    }
}

/// One profile laid over the one that it extends: keys replace, `scope` merges key by key, faults merge by id.
enum ProfileMerge {
    static func merge(_ base: Document, _ over: Document, _ problems: inout [ConfigurationError]) -> Document {
        guard let mine = base.map, let theirs = over.map else { return over }
        // A profile has a name of its own, and says its version itself.
        var fields = mine.filter { !["name", "miswire", "extends", "faults"].contains($0.key) }
        for field in theirs where field.key != "faults" {
            guard let place = fields.firstIndex(where: { $0.key == field.key }) else {
                fields.append(field)
                continue
            }
            fields[place].value = field.key == "scope" ? fields[place].value.extended(by: field.value) : field.value
        }
        let faults = merge(base["faults"], over["faults"], &problems)
        if let faults {
            let mark = theirs.first { $0.key == "faults" }?.mark ?? mine.first { $0.key == "faults" }?.mark ?? over.mark
            fields.append(Document.Field(key: "faults", mark: mark, value: faults))
        }
        return Document(.map(fields), mark: over.mark)
    }

    private static func merge(_ base: Document?, _ over: Document?, _ problems: inout [ConfigurationError]) -> Document? {
        guard let base, let mine = base.list else { return over ?? base }
        // What had its id from its place keeps it, wherever it stands from now on.
        var items = mine.enumerated().map { named($1, $0 + 1) }
        guard let over, over.scalar?.isNull != true else { return Document(.list(items), mark: base.mark) }
        guard let theirs = over.list else { return over }
        var seen: [String: Mark] = [:]
        for item in theirs {
            guard let identity = item["id"], let id = identity.scalar?.text else {
                items.append(item)
                continue
            }
            if let first = seen[id] {
                problems.append(ProfileReader.twice(id, at: identity.mark, first))
                continue
            }
            seen[id] = identity.mark
            let place = items.firstIndex { $0["id"]?.scalar?.text == id }
            if let off = item["off"] {
                let known = items.compactMap { $0["id"]?.scalar?.text }
                problems += objections(to: off, in: item, identity, known)
                if let place { items.remove(at: place) }
            } else if let place {
                items[place] = laid(item, over: items[place])
            } else {
                items.append(item)
            }
        }
        return Document(.list(items), mark: over.mark)
    }

    /// What is wrong with an item that takes a fault away.
    private static func objections(
        to off: Document, in item: Document, _ identity: Document, _ known: [String]
    ) -> [ConfigurationError] {
        let id = identity.scalar?.text ?? ""
        var found: [ConfigurationError] = []
        if !known.contains(id) {
            let message = "there is no fault `\(id)` to take away"
            found.append(ConfigurationError(at: identity.mark, message, remedy: ProfileReader.nearest(id, known)))
        }
        if off.scalar?.bool != true {
            let remedy = "found \(off.found), leave it out to keep the fault"
            found.append(ConfigurationError(at: off.mark, "`off` needs `true`", remedy: remedy))
        }
        if let other = item.map?.first(where: { !["id", "off"].contains($0.key) }) {
            let message = "`off` takes `\(id)` away, so that `\(other.key)` says nothing"
            found.append(ConfigurationError(at: other.mark, message, remedy: "leave one of the two out"))
        }
        return found
    }

    /// Another kind has other settings: then only what is written here holds.
    private static func laid(_ item: Document, over base: Document) -> Document {
        guard let kind = item["fault"]?.scalar?.text, kind != base["fault"]?.scalar?.text else { return base.extended(by: item) }
        return item
    }

    private static func named(_ item: Document, _ number: Int) -> Document {
        guard let fields = item.map, item["id"] == nil else { return item }
        let id = Document(.scalar(.init(text: "f\(number)", isPlain: true)), mark: item.mark)
        return Document(.map([Document.Field(key: "id", mark: item.mark, value: id)] + fields), mark: item.mark)
    }
}
