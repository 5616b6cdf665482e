import Foundation
import Reporting

/// `--credential user=@FILE`, `user=env:NAME`, `user=-` (standard input), or the token itself (trust.md T44).
struct GivenCredentials: Sendable {
    /// In the order given.
    private(set) var tokens: [(user: String, token: String)] = []
    /// How each was given, for a command line that can be shown: a literal token is left out.
    private(set) var shown: [String] = []
    private(set) var warnings: [String] = []

    static let largest = 64 * 1_024

    struct Sources {
        var environment: [String: String] = ProcessInfo.processInfo.environment
        var input: () -> Data = { (try? FileHandle.standardInput.read(upToCount: largest + 1)) ?? Data() }
    }

    init(_ texts: [String], sources: Sources = Sources()) throws {
        var inputIsRead = false
        for text in texts {
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
                // The text may be a token, so it is not repeated.
                throw Complaint(
                    "a credential names no user",
                    details: [("place", "--credential"), ("expected", "USER=@FILE, USER=env:NAME or USER=-")], exit: .usage)
            }
            let user = String(text[..<equals])
            let source = String(text[text.index(after: equals)...])
            try add(user, source, sources, &inputIsRead)
        }
    }

    private mutating func add(_ user: String, _ source: String, _ from: Sources, _ inputIsRead: inout Bool) throws {
        guard user.range(of: "^[A-Za-z][A-Za-z0-9_-]{0,63}$", options: .regularExpression) != nil else {
            throw Complaint(
                "`\(SafeText.show(user))` cannot be a user of `--credential`",
                details: [("expected", "a letter, then letters, digits, - and _")], exit: .usage)
        }
        guard !tokens.contains(where: { $0.user == user }) else {
            throw Complaint(
                "the user `\(user)` has two credentials",
                details: [("place", "--credential"), ("remedy", "keep one of them, or give the other user a name of its own")],
                exit: .usage)
        }
        let data: Data
        if source.hasPrefix("@") {
            data = try Self.file(String(source.dropFirst()), user)
            shown.append("\(user)=\(source)")
        } else if source == "-" {
            guard !inputIsRead else {
                throw Complaint(
                    "standard input holds one credential and two users ask for it",
                    details: [("place", "--credential \(user)=-"), ("remedy", "give \(user)=@FILE")], exit: .usage)
            }
            inputIsRead = true
            data = from.input()
            shown.append("\(user)=-")
        } else if source.hasPrefix("env:") {
            let name = String(source.dropFirst("env:".count))
            guard let value = from.environment[name], !value.isEmpty else {
                throw Complaint(
                    "the environment variable \(SafeText.show(name)) is not set",
                    details: [("place", "--credential \(user)=env:\(SafeText.show(name))"), ("remedy", "set it, or give \(user)=@FILE")],
                    exit: .usage)
            }
            data = Data(value.utf8)
            shown.append("\(user)=env:\(name)")
        } else {
            data = Data(source.utf8)
            shown.append("\(user)=@FILE")
            if warnings.isEmpty {
                warnings.append(
                    "a credential on the command line can be read by every user of this machine; give \(user)=@FILE")
            }
        }
        tokens.append((user, try Self.token(data, user)))
    }

    private static func file(_ path: String, _ user: String) throws -> Data {
        var isDirectory: ObjCBool = false
        let exists = unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        guard exists, !isDirectory.boolValue, let handle = FileHandle(forReadingAtPath: path) else {
            let why = !exists ? "there is no such file" : isDirectory.boolValue ? "it is a directory" : "it cannot be read"
            throw Complaint(
                "the credential of `\(user)` cannot be read",
                details: [("place", SafeText.show(path)), ("found", why), ("remedy", "name a file that holds the token")],
                exit: .usage)
        }
        defer { try? handle.close() }
        return (try? handle.read(upToCount: largest + 1)) ?? Data()
    }

    /// One line of printable ASCII; the line's end is not part of it.
    private static func token(_ data: Data, _ user: String) throws -> String {
        let text = String(decoding: data.prefix(largest + 1), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        let found: String? =
            text.isEmpty
            ? "it is empty"
            : data.count > largest
                ? "it has more than \(Figures.bytes(UInt64(largest)))"
                : text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } ? nil : "it has more than one line or word"
        guard let found else { return text }
        throw Complaint(
            "the credential of `\(user)` is no token",
            details: [("found", found), ("expected", "one line of printable ASCII without spaces")], exit: .usage)
    }
}
