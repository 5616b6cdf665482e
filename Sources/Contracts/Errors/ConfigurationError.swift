package import Journaling

/// One thing wrong with a profile or contract file. Its forms are those of looks.md section 4.
package struct ConfigurationError: Error, Sendable, Hashable {
    package enum Severity: String, Sendable, Hashable { case error, warning }

    /// A stretch of one line of the file.
    package struct Spot: Sendable, Hashable {
        /// From 1.
        package var line: Int
        /// Characters from 1; a tab is one.
        package var column: Int
        /// The line's text; filled in from the file by `ConfigurationErrors.init(_:text:)`.
        package var source = ""
        /// Characters that are pointed at; 0 = to be found in `source`.
        package var length = 0
        package init(line: Int, column: Int, length: Int = 0) {
            self.line = line
            self.column = column
            self.length = length
        }
    }

    package var severity: Severity
    /// As the user named it: `profiles/lost.yaml`.
    package var file: String
    /// Nil when it concerns the whole file.
    package var spot: Spot?
    /// The other place, for a key given twice: the first one.
    package var first: Spot?
    /// One sentence: ``no fault is called `drop-aut` ``.
    package var message: String
    /// What was found, expected, and what to write instead.
    package var remedy: String
    /// One more hint, for which the plain form has no room: `` `miswire faults` lists all``.
    package var hint: String

    /// - Parameter line: from 1; 0 = the whole file.
    package init(
        _ severity: Severity = .error, file: String, line: Int, column: Int, message: String, remedy: String = "",
        hint: String = ""
    ) {
        self.severity = severity
        self.file = file
        self.message = message
        self.remedy = remedy
        self.hint = hint
        spot = line > 0 ? Spot(line: line, column: column) : nil
    }

    package init(_ severity: Severity = .error, at mark: Mark, _ message: String, remedy: String = "", hint: String = "") {
        self.init(
            severity, file: mark.file, line: mark.line, column: mark.column, message: message, remedy: remedy, hint: hint)
    }

    package var line: Int { spot?.line ?? 0 }
    package var column: Int { spot?.column ?? 0 }
}

/// Everything wrong with a file, in file order.
package struct ConfigurationErrors: Error, Sendable, Hashable {
    package private(set) var errors: [ConfigurationError]

    package init(_ errors: [ConfigurationError]) { self.errors = Self.sorted(errors) }

    /// - Parameter texts: the text of each file named, so that errors can show their lines.
    package init(_ errors: [ConfigurationError], texts: [String: String]) {
        var lines: [String: [Substring]] = [:]
        for (file, text) in texts { lines[file] = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) }
        self.init(
            errors.map { error in
                var error = error
                guard let lines = lines[error.file] else { return error }
                error.spot?.find(in: lines)
                error.first?.find(in: lines)
                return error
            })
    }

    /// Without its warnings; nothing is left of a file that has none but them.
    package var isFatal: Bool { errors.contains { $0.severity == .error } }

    /// By line and column within a file; files in the order in which they first occur.
    private static func sorted(_ errors: [ConfigurationError]) -> [ConfigurationError] {
        var files: [String] = []
        for error in errors where !files.contains(error.file) { files.append(error.file) }
        return files.flatMap { file in
            errors.enumerated().filter { $0.element.file == file }.sorted {
                ($0.element.line, $0.element.column, $0.offset) < ($1.element.line, $1.element.column, $1.offset)
            }.map(\.element)
        }
    }
}

extension ConfigurationError.Spot {
    mutating func find(in lines: [Substring]) {
        guard line >= 1, line <= lines.count else { return }
        source = String(lines[line - 1])
        if length == 0 { length = Self.length(of: source, from: column) }
    }

    /// How long the YAML token is that begins at that column.
    private static func length(of source: String, from column: Int) -> Int {
        let rest = Array(source.dropFirst(column - 1))
        guard let first = rest.first else { return 1 }
        if first == "\"" || first == "'" {
            guard let end = rest.dropFirst().firstIndex(of: first) else { return rest.count }
            return end + 1
        }
        if "[{".contains(first) { return 1 }
        var length = 0
        for (index, character) in rest.enumerated() {
            let next = index + 1 < rest.count ? rest[index + 1] : " "
            if ",]}".contains(character) || character == ":" && next.isWhitespace { break }
            if character == "#", index > 0, rest[index - 1].isWhitespace { break }
            if !character.isWhitespace { length = index + 1 }
        }
        return max(1, length)
    }
}
