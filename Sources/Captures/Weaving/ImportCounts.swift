import Journaling
import NIOCore
import Wire

/// What an import came to, for people and machines.
package struct ImportCounts: Sendable, Equatable {
    package var connections = 0
    /// Connections that had begun before the capture did.
    package var begunBefore = 0
    /// Connections with sessions, and of these the ones that the server accepted or answered otherwise.
    package var sessions = 0
    package var accepted = 0
    package var refused = 0
    /// Sessions that were still open when the capture ended.
    package var unfinished = 0
    package var messagesToServer: UInt64 = 0
    package var messagesToClient: UInt64 = 0
    package var entries: UInt64 = 0
    /// Places in streams where bytes are missing, and how many are where that is known.
    package var gaps = 0
    package var missingBytes: UInt64 = 0
    /// Sessions with a gap: nothing behind it can be judged.
    package var torn = 0
    /// Nanoseconds from the first event to the last.
    package var span: Int64 = 0
    /// What could not be read, each once, at most `mostNotes`.
    package private(set) var notes: [String] = []
    /// Notes that are not listed.
    package private(set) var unlisted = 0
    package static let mostNotes = 100

    package init() {}

    mutating func note(_ sentence: String) {
        if notes.contains(sentence) { return }
        if notes.count < Self.mostNotes { notes.append(sentence) } else { unlisted += 1 }
    }

    /// Takes over what a desk counted in entries.
    mutating func add(entriesOf told: ImportCounts) {
        entries += told.entries
        accepted += told.accepted
        refused += told.refused
        messagesToServer += told.messagesToServer
        messagesToClient += told.messagesToClient
        for sentence in told.notes { note(sentence) }
        unlisted += told.unlisted
    }

    mutating func count(_ entry: Entry) {
        entries += 1
        switch entry.body {
        case .became(.accepted): accepted += 1
        case .became(.refused): refused += 1
        case .frame(let frame):
            guard let message = frame.message, !message.opcode.isControl else { return }
            if frame.passage.direction == .toServer { messagesToServer += 1 } else { messagesToClient += 1 }
        default: break
        }
    }
}
