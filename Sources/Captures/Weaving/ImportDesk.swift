import Dispatch
import Journaling
import Synchronization

/// Writes an import's entries on a thread of its own, so that packets are read meanwhile: lines and their writing are
/// nearly half of the work. What comes out is the same, because batches are taken in their order.
final class ImportDesk: Sendable {
    private struct Work {
        /// Nil: nothing is to be kept.
        let writer: RecordingWriter?
        var counts = ImportCounts()
    }

    /// Entries that are handed over together.
    struct Batch: Sendable {
        var entries: [Entry] = []
        var redactions = 0
        /// What it costs to keep those that were charged.
        private var cost = 0
        private var charged = 0
        private static let mostEntries = 512
        private static let mostCost = 512 << 10
        /// Made before their cost is looked at: each may be an inflated message.
        static let step = 8

        /// Call it when entries were added.
        mutating func isFull() -> Bool {
            for entry in entries[charged...] { cost += entry.cost }
            charged = entries.count
            return charged >= Self.mostEntries || cost >= Self.mostCost
        }
    }

    /// Batches that may wait: enough that neither side stands still because the other was interrupted.
    private static let mostWaiting = 8

    private let queue = DispatchQueue(label: "miswire.import")
    private let room = DispatchSemaphore(value: ImportDesk.mostWaiting)
    /// What is captured now is written now, by who captured it: it is there whatever becomes of us.
    private let isLive: Bool
    private let work: Mutex<Work>
    private let failure = Mutex<RecordingError?>(nil)

    /// Begins the recording.
    init(_ settings: SessionWeaver.Settings, epoch: WallTime) throws(RecordingError) {
        var header = settings.header
        header.started = UTC.text(epoch)
        var writer: RecordingWriter?
        if let directory = settings.directory {
            writer = try RecordingWriter(
                directory: directory, header: header, limits: settings.limits, isPacked: settings.isPacked)
        }
        isLive = settings.isLive
        work = Mutex(Work(writer: writer))
    }

    /// Waits while too many batches do.
    /// - Throws: what an earlier batch failed by; nothing is written behind it.
    func hand(_ batch: Batch) throws(RecordingError) {
        try check()
        if isLive {
            take(batch)
            return try check()
        }
        room.wait()
        queue.async { [self] in
            take(batch)
            room.signal()
        }
    }

    /// Behind everything that was handed over: closes the recording.
    /// - Returns: what its entries came to.
    func finish() throws(RecordingError) -> ImportCounts {
        queue.sync {}
        try check()
        return try work.withLock { work throws(RecordingError) in
            try work.writer?.finish()
            for deletion in work.writer?.takeDeletions() ?? [] { work.counts.note(deletion.description) }
            return work.counts
        }
    }

    private func check() throws(RecordingError) {
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    private func take(_ batch: Batch) {
        guard failure.withLock({ $0 }) == nil else { return }
        do throws(RecordingError) {
            try work.withLock { work throws(RecordingError) in
                for entry in batch.entries { work.counts.count(entry) }
                try work.writer?.append(batch.entries, redactions: batch.redactions)
                for deletion in work.writer?.takeDeletions() ?? [] { work.counts.note(deletion.description) }
            }
        } catch {
            failure.withLock { $0 = error }
        }
    }
}

extension Entry {
    /// Bytes of the network in it, and what it costs besides, so that a million empty ones cost too.
    fileprivate var cost: Int {
        switch body {
        case .frame(let record): 512 + record.frame.payload.readableBytes + (record.message?.payload?.readableBytes ?? 0)
        case .head(let head): 512 + head.bytes.readableBytes
        case .bytes(let bytes): 512 + bytes.bytes.readableBytes
        default: 1_024
        }
    }
}
