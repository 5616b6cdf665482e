import Captures
import Contracts
import Journaling
import Oracles
import Profiles

/// What a recording is known to lack before it is judged.
enum KnownAbsence {
    /// - Parameter path: as the reader was given it: a recording, or one session of it.
    /// - Parameter contract: by which it is judged.
    static func of(_ reader: RecordingReader, _ path: String, judgedBy contract: Contract?) throws -> Absence {
        let header = reader.header
        var absence: Absence = header.isImported ? [.sessions, .credentials] : []
        if !lookedForCredentials(of: contract, header) { absence.insert(.credentials) }
        if header.forgotten > 0 || !header.users.isEmpty { absence.insert(.users) }
        guard let session = reader.session else {
            if header.forgotten > 0 { absence.insert(.numbers) }
            if header.segment > 1 { absence.insert(.beginning) }
            return absence
        }
        // Where its users have no other session in the whole recording, nothing that is left out is theirs.
        if try isOnly(session, in: recording(path)) { absence.formUnion([.users, .numbers]) }
        return absence
    }

    /// Credentials are looked for when something is recorded, where the contract of that time has them.
    private static func lookedForCredentials(of contract: Contract?, _ header: RecordingHeader) -> Bool {
        guard let contract else { return true }
        guard let source = header.contract, let then = try? ContractLoader.parse(text: source.text, file: source.name + ".yaml")
        else { return false }
        return contract.identity.credential == then.identity.credential
    }

    /// `rec` of `rec/s31`.
    static func recording(_ path: String) -> String {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false)
        while parts.last?.isEmpty == true { parts.removeLast() }
        parts.removeLast()
        return parts.isEmpty ? "." : parts == [""] ? "/" : parts.joined(separator: "/")
    }

    private static func isOnly(_ session: SessionID, in path: String) throws -> Bool {
        var reader = try RecordingReader(path)
        var own: Set<String> = []
        var others: Set<String> = []
        while let entry = try reader.next() {
            guard let id = entry.session, case .facts(let facts) = entry.body else { continue }
            let users = (facts.user.map { [$0] } ?? []) + facts.rivals
            let names = users.isEmpty ? facts.tag.map { ["tag \($0)"] } ?? [] : users.map { "user \($0)" }
            if id == session { own.formUnion(names) } else { others.formUnion(names) }
        }
        return own.isDisjoint(with: others) && reader.isComplete
    }
}
