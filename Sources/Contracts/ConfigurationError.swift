/// One thing wrong with a profile or contract file. Forms of looks.md section 4.
package struct ConfigurationError: Error, Sendable, Hashable {
    package enum Severity: Sendable, Hashable { case error, warning }
    package var severity: Severity
    /// As the user named it: `profiles/lost.yaml`.
    package var file: String
    /// From 1; 0 when it concerns the whole file.
    package var line: Int
    /// Characters from 1; a tab is one.
    package var column: Int
    /// One sentence: ``no fault is called `drop-aut` ``.
    package var message: String
    /// What stands behind the carets: what was found, expected, and what to write.
    package var remedy: String

    package init(
        _ severity: Severity = .error, file: String, line: Int, column: Int, message: String, remedy: String = ""
    ) {
        self.severity = severity
        self.file = file
        self.line = line
        self.column = column
        self.message = message
        self.remedy = remedy
    }
}

/// Everything wrong with a file, in file order.
package struct ConfigurationErrors: Error, Sendable, Hashable {
    package var errors: [ConfigurationError]
    package init(_ errors: [ConfigurationError]) { self.errors = errors }
}
