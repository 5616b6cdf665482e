import Foundation

/// The project's own files, found from this one.
struct Source {
    let path: String
    let text: String
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    /// `Wire` for `Sources/Wire/JSON/JSON.swift`.
    var module: String { String(path.split(separator: "/")[1]) }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func all(under folder: String, suffix: String = ".swift") -> [Source] {
        let base = root.appendingPathComponent(folder)
        guard let walker = FileManager.default.enumerator(atPath: base.path) else { return [] }
        let names = walker.compactMap { $0 as? String }.filter { $0.hasSuffix(suffix) }.sorted()
        return names.compactMap { name in
            let path = base.appendingPathComponent(name).path
            return (try? String(contentsOfFile: path, encoding: .utf8)).map { Source(path: "\(folder)/\(name)", text: $0) }
        }
    }

    /// Code without comments and string literals, so that a word in prose is no finding.
    static func code(_ line: Substring) -> String {
        var code = ""
        var quoted = false
        var previous: Character = " "
        for character in line {
            if character == "\"", previous != "\\" { quoted.toggle() }
            if !quoted { code.append(character) }
            if !quoted, code.hasSuffix("//") { return String(code.dropLast(2)) }
            previous = character
        }
        return code
    }
}
