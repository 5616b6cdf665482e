import Journaling

/// Directories that must be there before a sandbox is, because rules are about places that are there. Those that nothing
/// came into are gone again in the end.
package struct PreparedDirectories: Sendable {
    /// Innermost first.
    private var made: [String] = []

    package init() {}

    package mutating func make(_ path: String) throws(ImportError) {
        var missing: [String] = []
        var place: String? = path
        while let one = place, Directory.kind(one) == .missing {
            missing.append(one)
            place = Directory.parent(of: one)
        }
        made = missing + made
        do throws(RecordingError) { try Directory.make(path) } catch {
            removeEmpty()
            throw ImportError(error)
        }
    }

    /// A new one for scratch files.
    package mutating func makeTemporary(in parent: String) throws(ImportError) -> String {
        do throws(Refusal) {
            let path = try SandboxCalls.temporaryDirectory(in: parent)
            made.insert(path, at: 0)
            return path
        } catch {
            throw ImportError(
                place: parent, sentence: "no directory for scratch files can be made there", found: error.text, remedy: "make room there, or name --out")
        }
    }

    package func removeEmpty() {
        for path in made { SandboxCalls.removeIfEmpty(path) }
    }
}
