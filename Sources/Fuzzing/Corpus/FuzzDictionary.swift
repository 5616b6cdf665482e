package import Contracts

/// Words for mutators, in the syntax of AFL++ (dictionaries/README.md): one a line, `"value"`, `name="value"` or
/// `name@2="value"`, with `\\`, `\"` and `\xNN` inside; lines that begin with `#` are comments.
package struct FuzzDictionary: Sendable, Equatable {
    package struct Word: Sendable, Hashable {
        package var name: String?
        package var level: Int?
        package var bytes: [UInt8]
        package init(name: String? = nil, level: Int? = nil, bytes: [UInt8]) {
            self.name = name
            self.level = level
            self.bytes = bytes
        }
    }
    /// In file order.
    package var words: [Word] = []
    package static let mostWords = 100_000
    /// AFL++'s `MAX_DICT_FILE`.
    package static let longestWord = 128
    package static let largestFile = 16 << 20

    package init() {}

    /// Those that are texts, each once.
    package var texts: [String] {
        var known: Set<String> = []
        return words.compactMap { String(validating: $0.bytes, as: UTF8.self) }.filter { known.insert($0).inserted }
    }

    package static func parse(_ bytes: some Sequence<UInt8>, file: String) throws(ConfigurationErrors) -> FuzzDictionary {
        var parser = FuzzDictionaryParser(file: file)
        parser.feed(bytes)
        return try parser.finish()
    }

    package static func load(_ path: String) throws(ConfigurationErrors) -> FuzzDictionary {
        switch CorpusFiles.read(path, most: largestFile, follow: true) {
        case .bytes(let bytes): return try parse(bytes, file: path)
        case .tooLarge:
            throw ConfigurationErrors([
                ConfigurationError(
                    file: path, line: 0, column: 0, message: "the dictionary is larger than \(largestFile) bytes",
                    remedy: "split it")
            ])
        case .unreadable(let why):
            throw ConfigurationErrors([
                ConfigurationError(
                    file: path, line: 0, column: 0, message: "the dictionary cannot be read: \(why)",
                    remedy: "name a file that exists")
            ])
        }
    }
}
