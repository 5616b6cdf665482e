import Captures
import Contracts
import Profiles
import Reporting
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Captures are read by a child in a sandbox (trust.md T29). The child is this program again, and does all that the verb
/// does on its first thread, before it would start a second one. The parent only waits, and says what the child could not.
package enum EarlyImport {
    struct Standing: Sendable {
        /// Nil: `--no-sandbox`.
        var sandbox: Sandbox?
        /// Where scratch files go when there is no recording; nil = as usual.
        var scratch: String?
        /// Read before the sandbox was made: it may name other files.
        var contract: Contract?

        var warnings: [String] {
            sandbox?.warnings ?? ["--no-sandbox: what reads the captures may open every file that you may, sockets and programs"]
        }
    }

    private static let unsaid = Mutex<(any Error)?>(nil)

    /// To be the first thing that the program does. Other verbs, wrong command lines and `--no-sandbox` are left alone.
    /// Returns when there is something that the child did not say, which the verb says then.
    package static func prepare(_ arguments: [String]) {
        guard arguments.first == "import", let verb = try? Import.parse(Array(arguments.dropFirst())), !verb.noSandbox,
            (try? verb.root.check("import")) != nil
        else { return }
        do {
            if let order = try ImportChild.order() { exit(Entrance.run(arguments) { try verb.perform(enter(verb, order)) }) }
            throw try supervise(verb)
        } catch { unsaid.withLock { $0 = error } }
    }

    /// What to read under. Without `prepare` nothing is read, unless that is asked for.
    static func take(_ verb: Import) throws -> Standing {
        if verb.noSandbox { return Standing(contract: try verb.readContract()) }
        let error = unsaid.withLock { error in
            defer { error = nil }
            return error
        }
        throw error
            ?? ImportError(
                place: "import", sentence: "the sandbox was not made before anything else", remedy: "run it as a program of its own, or add --no-sandbox")
    }

    private static func enter(_ verb: Import, _ order: ImportChild.Order) throws -> Standing {
        let contract = try verb.readContract()
        let grants = SandboxGrants(
            importing: verb.files, format: verb.format, keyLog: verb.keylog, filter: verb.filter,
            outputs: [verb.target, order.scratch].compactMap { $0 })
        return Standing(sandbox: try Sandbox.enter(grants), scratch: order.scratch, contract: contract)
    }

    /// Waits for the child that does the work, and ends as it did.
    /// - Returns: what there is to say when the child could not say it.
    private static func supervise(_ verb: Import) throws -> any Error {
        var prepared = PreparedDirectories()
        var scratch: String?
        if let target = verb.target { try prepared.make(target) } else { scratch = try prepared.makeTemporary(in: "/tmp") }
        defer { prepared.removeEmpty() }
        switch try ImportChild.run(scratch: scratch) {
        case .exited(let code):
            prepared.removeEmpty()
            exit(code)
        case .stopped: return Interrupted()
        case .killed(let signal): return ImportForm.died(signal, verb.files, into: verb.target)
        }
    }
}
