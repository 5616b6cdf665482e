import Glibc

/// The kernel's rules about files: what a process handles itself is refused from then on, except beneath places that it
/// names. What a kernel is too old for stays as it was.
struct Landlock {
    /// The kernel's version of it.
    let version: Int32

    private static let writeFile: UInt64 = 1 << 1
    private static let readFile: UInt64 = 1 << 2
    private static let readDirectory: UInt64 = 1 << 3
    private static let removeFile: UInt64 = 1 << 5
    private static let makeFile: UInt64 = 1 << 8
    private static let truncate: UInt64 = 1 << 14

    static let reading = readFile | readDirectory
    static let listing = readDirectory
    static let writing = reading | writeFile | truncate | removeFile | makeFile

    /// The first 13 rights, then moving between directories (2), cutting short (3) and commands to devices (5).
    var handledFiles: UInt64 {
        0x1fff | (version >= 2 ? 1 << 13 : 0) | (version >= 3 ? Self.truncate : 0) | (version >= 5 ? 1 << 15 : 0)
    }
    /// Binding and connecting TCP.
    var handledNetwork: UInt64 { version >= 4 ? 3 : 0 }
    /// Abstract sockets and signals of processes that are not in the sandbox.
    var scopes: UInt64 { version >= 6 ? 3 : 0 }

    /// Of rights, those that mean something for a file.
    static func ofFile(_ rights: UInt64) -> UInt64 { rights & (writeFile | readFile | truncate | 1 | 1 << 15) }

    func enforce(_ grants: SandboxGrants) throws(ImportError) {
        do throws(Refusal) {
            let ruleset = try SandboxCalls.ruleset(files: handledFiles, network: handledNetwork, scopes: scopes)
            defer { _ = close(ruleset) }
            for path in grants.read { try allow(Self.reading, path, in: ruleset) }
            for path in grants.listed { try allow(Self.listing, path, in: ruleset) }
            for path in grants.write where try !allow(Self.writing, path, in: ruleset) {
                throw Refusal(code: ENOENT)
            }
            try SandboxCalls.enforce(ruleset: ruleset)
        } catch { throw Sandbox.failure("Landlock refuses its rules: \(error.text)") }
    }

    /// False: there is nothing that could be opened. Whoever needs it says so in its own words.
    @discardableResult
    private func allow(_ rights: UInt64, _ path: String, in ruleset: Int32) throws(Refusal) -> Bool {
        guard let place = try? SandboxCalls.place(path) else { return false }
        defer { _ = close(place) }
        let rights = rights & handledFiles
        do throws(Refusal) {
            try SandboxCalls.allow(Directory.kind(path) == .directory ? rights : Self.ofFile(rights), at: place, in: ruleset)
        } catch {
            // Pipes and the like belong to no file system that has rules.
            if error.code != EBADFD { throw error }
        }
        return true
    }
}
