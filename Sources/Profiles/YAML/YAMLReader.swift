import Contracts
import Journaling
import Yams

/// YAML to a value tree with places (trust.md T27, limits L6). Yams' `compose` only: `load` would build aliases out.
enum YAMLReader {
    /// - Parameter file: as the user named it, for places.
    static func read(_ text: String, file: String, limits: Limits = .standard) throws(ConfigurationErrors) -> Document {
        guard text.utf8.count <= limits.documentBytes else {
            throw SourceFile.tooLarge(text.utf8, file, limits)
        }
        var scan = YAMLGuard(text, file: file, limits: limits)
        scan.scan()
        guard scan.problems.isEmpty else { throw ConfigurationErrors(scan.problems, texts: [file: text]) }
        do {
            // The parser is kept until the walk is over: nodes hold their anchors weakly.
            let parser = try Parser(yaml: text, encoding: .utf8)
            let root = try parser.singleRoot()
            return try withExtendedLifetime(parser) {
                guard let root else {
                    throw ConfigurationErrors([
                        ConfigurationError(
                            file: file, line: 1, column: 1, message: "the file is empty",
                            remedy: "begin a profile with miswire: 1, a contract with miswire-contract: 1")
                    ])
                }
                var walk = NodeWalk(file: file, text: text, limits: limits)
                let document = walk.document(root, depth: 0)
                guard walk.problems.isEmpty else { throw ConfigurationErrors(walk.problems, texts: [file: text]) }
                return document
            }
        } catch let errors as ConfigurationErrors {
            throw errors
        } catch let error as YamlError {
            throw ConfigurationErrors([described(error, file, text)], texts: [file: text])
        } catch {
            throw ConfigurationErrors([unreadable(file)])
        }
    }

    private static func described(_ error: YamlError, _ file: String, _ text: String) -> ConfigurationError {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            var columns = ColumnCounter(text)
            // At the end of a text without a last line end, libyaml counts a line that is not there.
            let end = SourceFile.place(behind: text.utf8)
            let isBehind = mark.line > end.line
            let line = isBehind ? end.line : mark.line
            let column = isBehind ? end.column : columns.column(line: line, scalar: mark.column)
            let advice = YAMLAdvice.remedy(
                problem, found: columns.character(line: line, column: column), line: context?.mark.line)
            let words = context.map { "\($0.text) in line \($0.mark.line)" } ?? ""
            return ConfigurationError(
                file: file, line: line, column: column, message: "not readable as YAML: \(problem)",
                remedy: advice ?? words)
        case .duplicatedKeysInMapping(let duplicates, let context):
            return ConfigurationError(
                file: file, line: context.mark.line, column: context.mark.column,
                message: "`\(duplicates.first ?? "")` is given twice", remedy: "keep one")
        case .reader(let problem, let offset, _, _):
            let place = SourceFile.place(behind: text.prefix(offset ?? 0).utf8)
            return ConfigurationError(
                file: file, line: place.line, column: place.column, message: "not readable as YAML: \(problem)",
                remedy: YAMLAdvice.remedy(problem, found: nil, line: nil) ?? "write it as UTF-8 text")
        default: return unreadable(file)
        }
    }

    private static func unreadable(_ file: String) -> ConfigurationError {
        ConfigurationError(
            file: file, line: 0, column: 0, message: "the file cannot be read as YAML",
            remedy: "write it anew, as UTF-8 text")
    }
}

/// Turns composed nodes into a document, within bounds, refusing whatever `YAMLGuard` may have missed.
private struct NodeWalk {
    let file: String
    let limits: Limits
    var problems: [ConfigurationError] = []
    private var nodes = 0
    private var columns: ColumnCounter

    init(file: String, text: String, limits: Limits) {
        self.file = file
        columns = ColumnCounter(text)
        self.limits = limits
    }

    mutating func document(_ node: Node, depth: Int) -> Document {
        let mark = place(node.mark)
        nodes += 1
        let nothing = Document(.scalar(.init(text: "", isPlain: true)), mark: mark)
        guard problems.isEmpty else { return nothing }
        if node.anchor != nil { return refused(mark, "anchors are not allowed", nothing) }
        if depth > limits.documentDepth {
            return refused(mark, "values are nested deeper than \(limits.documentDepth) levels", nothing)
        }
        if nodes > limits.documentNodes { return refused(mark, "more than \(limits.documentNodes) values", nothing) }
        switch node {
        case .scalar(let scalar):
            return Document(.scalar(.init(text: scalar.string, isPlain: scalar.style == .plain)), mark: mark)
        case .sequence(let items):
            var list: [Document] = []
            for item in items { list.append(document(item, depth: depth + 1)) }
            return Document(.list(list), mark: mark)
        case .mapping(let pairs):
            var fields: [Document.Field] = []
            for pair in pairs {
                let place = place(pair.key.mark)
                guard case .scalar(let key) = pair.key, pair.key.anchor == nil else {
                    return refused(place, "a key must be a text", nothing)
                }
                if key.string == "<<", key.style == .plain { return refused(place, "merge keys are not allowed: <<", nothing) }
                fields.append(.init(key: key.string, mark: place, value: document(pair.value, depth: depth + 1)))
            }
            return Document(.map(fields), mark: mark)
        case .alias: return refused(mark, "aliases are not allowed", nothing)
        }
    }

    private mutating func place(_ mark: Yams.Mark?) -> Journaling.Mark {
        guard let mark else { return Journaling.Mark(file: file, line: 0, column: 0) }
        let column = columns.column(line: mark.line, scalar: mark.column)
        return Journaling.Mark(file: file, line: mark.line, column: column)
    }

    private mutating func refused(_ mark: Journaling.Mark, _ message: String, _ stand: Document) -> Document {
        problems.append(ConfigurationError(at: mark, message, remedy: "write the value out (limit L6, no references)"))
        return stand
    }
}
