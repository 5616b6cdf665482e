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
        /// The line's text, or what is near of a long line; filled in from the file by `ConfigurationErrors.init`.
        package var source = ""
        /// Where it begins in `source`: `column`, unless the line was too long to be kept.
        package var sourceColumn: Int
        /// Characters that are pointed at; 0 = to be found in `source`.
        package var length = 0
        package init(line: Int, column: Int, length: Int = 0) {
            self.line = line
            self.column = column
            self.length = length
            sourceColumn = column
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
        self.message = Self.cut(message)
        self.remedy = Self.cut(remedy)
        self.hint = Self.cut(hint)
        spot = line > 0 ? Spot(line: line, column: column) : nil
    }

    package init(_ severity: Severity = .error, at mark: Mark, _ message: String, remedy: String = "", hint: String = "") {
        self.init(
            severity, file: mark.file, line: mark.line, column: mark.column, message: message, remedy: remedy, hint: hint)
    }

    /// Words of a file stand in sentences, and may be as long as the file.
    private static func cut(_ text: String) -> String {
        text.utf8.count <= 400 ? text : String(text.unicodeScalars.prefix(300)) + "…"
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
        var files: [String: SourceLines] = [:]
        for (file, text) in texts { files[file] = SourceLines(text) }
        self.init(
            errors.map { error in
                var error = error
                error.spot?.find(in: &files[error.file])
                error.first?.find(in: &files[error.file])
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

