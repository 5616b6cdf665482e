/// What to do about a problem that libyaml names in its own words, which say what it looked for and not what to write.
enum YAMLAdvice {
    /// - Parameters:
    ///   - problem: `did not find expected ',' or ']'`.
    ///   - found: the character at the place.
    ///   - line: where the thing began that the problem is in; nil when that is not known.
    /// - Returns: nil when there is nothing better to say than what libyaml says.
    static func remedy(_ problem: String, found: Character?, line: Int?) -> String? {
        let began = line.map { " of line \($0)" } ?? ""
        for (part, remedy) in remedies where problem.contains(part) { return remedy }
        if problem.contains("cannot start any token") {
            switch found {
            case "\t": return "found a tab, expected spaces; indent with spaces"
            case let sign?: return "found \"\(sign)\"; put quotes around text that begins so"
            case nil: return nil
            }
        }
        if problem.contains("',' or ']'") { return "close the \"[\"\(began), or write a comma" }
        if problem.contains("',' or '}'") { return "close the \"{\"\(began), or write a comma" }
        if problem.contains("unexpected end of stream") { return "close the quotes\(began)" }
        if problem.contains("unexpected document indicator") { return "close the quotes\(began)" }
        if problem.contains("did not find expected key") || problem.contains("did not find expected '-' indicator") {
            return "indent it like the entries that begin in line \(line ?? 1)"
        }
        return nil
    }

    private static let remedies = [
        ("found a tab character", "indent with spaces"),
        ("found another document", "keep one, and leave out the line ---"),
        (
            "mapping values are not allowed",
            "put quotes around text that holds \": \", or indent the line like its neighbours"
        ),
        ("could not find expected ':'", "write KEY: VALUE"),
        ("did not find expected node content", "write a value here, or leave the sign out"),
        ("unknown escape character", "double the backslash, or use single quotes"),
        ("did not find expected whitespace or line break", "write a space between the two"),
        ("control characters are not allowed", "leave it out, or write it as \"\\xNN\" in double quotes"),
    ]
}
