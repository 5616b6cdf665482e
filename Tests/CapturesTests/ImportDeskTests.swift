import Captures
import Journaling
import NIOCore
import Testing
import Wire

/// What a weaver finds is written on a thread of its own, in batches: nobody may see that by the recording.
@Suite struct ImportDeskTests {
    /// More than all batches that may wait hold, the last of them not full.
    private static let messages = 6_001

    private func converse(_ weaving: Weaving) throws {
        for id in [1, 2, 3] as [Connection.ID] {
            try weaving.open(id)
            try weaving.send(Weaving.upgrade(), id)
            try weaving.send(Weaving.accepted, from: .server, id, 2)
        }
        for number in 0..<Self.messages {
            let id = Connection.ID(number % 3 + 1)
            try weaving.send(Weaving.frame("m\(number)"), from: .server, id, 3 + Int64(number))
        }
    }

    @Test func aLongImportIsWholeAndInOrder() throws {
        let weaving = try Weaving()
        try converse(weaving)
        let entries = try weaving.entries()
        let texts = entries.compactMap { entry -> String? in
            guard case .frame(let frame) = entry.body else { return nil }
            return frame.message?.payload.map { String(buffer: $0) }
        }
        #expect(texts == (0..<Self.messages).map { "m\($0)" })
        #expect(entries.map(\.number) == Array(1...UInt64(entries.count)))
        #expect(zip(entries, entries.dropFirst()).allSatisfy { $0.instant <= $1.instant })
        let counts = weaving.weaver.counts
        #expect(counts.messagesToClient == UInt64(Self.messages))
        #expect(counts.entries == UInt64(entries.count))
        #expect(counts.accepted == 3)
    }

    @Test func handingOnAtOnceWritesTheSame() throws {
        func lines(isLive: Bool) throws -> [UInt8] {
            let weaving = try Weaving(isLive: isLive)
            try converse(weaving)
            try weaving.weaver.finish()
            return try weaving.folder.read("rec/0001.ndjson")
        }
        let atOnce = try lines(isLive: true)
        #expect(atOnce.count > Self.messages * 100)
        #expect(try lines(isLive: false) == atOnce)
    }

    /// The directory goes while the recording is written: the next segment cannot be begun.
    @Test func whatTheWriterFailsByEndsTheImport() throws {
        var limits = Limits.standard
        limits.segmentBytes = 64 << 10
        let weaving = try Weaving(limits)
        try weaving.open()
        try weaving.send(Weaving.upgrade())
        for name in weaving.folder.names("rec") { weaving.folder.remove("rec/" + name) }
        weaving.folder.removeDirectory("rec")
        #expect(throws: ImportError.self) {
            try converse(weaving)
            try weaving.weaver.finish()
        }
    }
}
