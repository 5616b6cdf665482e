import Reporting

/// A recording of some users alone, in words (trust.md T37).
enum UsersScope {
    /// `sessions of alice, b* only`
    static func words(_ users: [String]) -> String {
        "sessions of \(users.map { SafeText.show($0) }.joined(separator: ", ")) only"
    }

    /// One line of a report; nil = everybody's sessions are there.
    static func line(_ users: [String]) -> String? {
        users.isEmpty ? nil : "limited to \(words(users)): live verdicts, which saw everybody, may differ"
    }
}
