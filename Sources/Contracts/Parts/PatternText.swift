/// Reads the scalars of a pattern: globs, `re:`, `is:` and type words.
extension Pattern.Test {
    /// - Parameter text: a string as written, without its quotes.
    static func reading(_ text: String) throws(PartError) -> Pattern.Test {
        if text.hasPrefix("re:") { return .regex(try LinearRegex(String(text.dropFirst(3)))) }
        if text.hasPrefix("is:") { return .equal(.string(String(text.dropFirst(3)))) }
        if text.hasPrefix("<"), text.hasSuffix(">"), text.count > 1 { return .words(try words(text)) }
        return .glob(Glob(text))
    }

    private static func words(_ text: String) throws(PartError) -> Set<Pattern.TypeWord> {
        var words: Set<Pattern.TypeWord> = []
        for part in text.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false) {
            let name = part.filter { $0 != " " }
            guard let word = Pattern.TypeWord(rawValue: name) else {
                let known = Pattern.TypeWord.allCases.map(\.rawValue)
                throw PartError("pattern \"\(text)\": not a type word", remedy: Nearest.remedy(for: name, among: known))
            }
            words.insert(word)
        }
        return words
    }
}
