import Contracts
import Foundation
import Journaling
import Wire

/// Where the text of a profile or contract comes from: a file, or a name.
struct SourceFile {
    /// As the user named it, or `agent-chat.yaml` for a shipped one.
    var file: String
    var text: String
    var isShipped = false

    enum Kind: String { case profile, contract }

    /// A path, or a file name that ends like one.
    static func isPath(_ text: String) -> Bool {
        text.contains("/") || text.hasSuffix(".yaml") || text.hasSuffix(".yml")
    }

    /// - Parameters:
    ///   - directories: where files of that name may lie besides the shipped ones.
    ///   - mark: where the name was written, when that is a file.
    static func find(
        _ nameOrFile: String, _ kind: Kind, directories: [String], from mark: Mark? = nil
    ) throws(ConfigurationErrors) -> SourceFile {
        if isPath(nameOrFile) { return try read(nameOrFile) }
        if let text = kind == .profile ? Shipped.profile(nameOrFile) : Shipped.contract(nameOrFile) {
            return SourceFile(file: nameOrFile + ".yaml", text: text, isShipped: true)
        }
        // Only what may be a name becomes part of a path (trust.md T31).
        if isName(nameOrFile) {
            for directory in directories {
                let path = directory + "/" + nameOrFile + ".yaml"
                if FileManager.default.fileExists(atPath: path) { return try read(path) }
            }
        }
        throw ConfigurationErrors([missing(nameOrFile, kind, mark)])
    }

    static func missing(_ name: String, _ kind: Kind, _ mark: Mark?) -> ConfigurationError {
        let known = (kind == .profile ? Shipped.profiles : Shipped.contracts).map(\.name)
        let near = Nearest.word(to: name, among: known)
        let remedy = near.map { "write `\($0)`" } ?? "known: \(Nearest.list(known))"
        let message = "no \(kind.rawValue) is called `\(name)`"
        if let mark { return ConfigurationError(at: mark, message, remedy: remedy, hint: "a file needs its path") }
        return ConfigurationError(file: name, line: 0, column: 0, message: message, remedy: remedy)
    }

    static func read(_ path: String, limits: Limits = .standard) throws(ConfigurationErrors) -> SourceFile {
        func failure(_ message: String, _ remedy: String) -> ConfigurationErrors {
            ConfigurationErrors([ConfigurationError(file: path, line: 0, column: 0, message: message, remedy: remedy)])
        }
        var isDirectory: ObjCBool = false
        // The pointer lives for the call only.
        guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw failure("there is no file `\(path)`", "check the path, or give a name: `miswire profile list`")
        }
        guard !isDirectory.boolValue else { throw failure("`\(path)` is a directory", "name a file in it") }
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw failure("`\(path)` cannot be read", "check its permissions")
        }
        defer { try? handle.close() }
        var bytes: [UInt8] = []
        // One byte more than allowed tells that there are more, whatever kind of file it is.
        while bytes.count <= limits.documentBytes {
            guard let piece = try? handle.read(upToCount: limits.documentBytes + 1 - bytes.count), !piece.isEmpty else { break }
            bytes += piece
        }
        guard bytes.count <= limits.documentBytes else {
            throw tooLarge(bytes, path, limits)
        }
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes.removeFirst(3) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw notText(bytes, path)
        }
        return SourceFile(file: path, text: text)
    }

    /// - Parameter bytes: the file, or as much of it as was read.
    static func tooLarge(
        _ bytes: some Collection<UInt8>, _ path: String, _ limits: Limits
    ) -> ConfigurationErrors {
        let end = place(behind: bytes.prefix(limits.documentBytes))
        return ConfigurationErrors([
            ConfigurationError(
                file: path, line: end.line, column: end.column,
                message: "the file is larger than \(limits.documentBytes >> 10) KiB",
                remedy: "make it smaller (limit L6)")
        ])
    }

    private static func notText(_ bytes: [UInt8], _ path: String) -> ConfigurationErrors {
        var validator = UTF8Validator()
        var good = 0
        for (index, byte) in bytes.enumerated() {
            guard validator.take(byte) else { break }
            if validator.isComplete { good = index + 1 }
        }
        let place = place(behind: bytes[..<good])
        let found = bytes.dropFirst(good).first.map { "found the byte 0x" + String($0, radix: 16) + ", " } ?? ""
        let error = ConfigurationError(
            file: path, line: place.line, column: place.column, message: "the file is not UTF-8 text",
            remedy: found + "save it as UTF-8")
        return ConfigurationErrors([error], texts: [path: String(decoding: bytes, as: UTF8.self)])
    }

    /// Where a text goes on behind these bytes: line and column from 1, the column in characters.
    static func place(behind bytes: some Collection<UInt8>) -> (line: Int, column: Int) {
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
        return (max(1, lines.count), (lines.last?.count ?? 0) + 1)
    }

    static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64 && !text.hasPrefix(".")
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// The directory of a path: `profiles/a.yaml` is in `profiles`, `a.yaml` in `.`.
    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func baseName(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
}
