import Journaling
import NIOCore

/// How much one socket is read for at once (trust.md L9). The sockets of a loop take turns, one read each, and the recorder
/// takes what they brought in its order: bytes that cost much, such as frames of two bytes each, come in small portions, so that
/// nobody waits long for the next turn.
struct ReadPortion {
    /// What a read should cost its loop at most, unless one of the least size does.
    static let turn = Duration.milliseconds(4)
    static let least = 1_024

    private(set) var bytes: Int
    private let most: Int
    /// What a read should bring to the recorder's queue at most, in the bytes of a `SessionBacklog`.
    private let share: Int

    init(_ limits: Limits) {
        most = max(limits.readBytes, ReadPortion.least)
        bytes = most
        share = max(1, limits.recorderSessionBytes / 4)
    }

    /// A read of so many bytes took so long and brought so much. Down at once, up by doubling.
    /// - Returns: true when the next read is to be of another size.
    mutating func learn(_ count: Int, took: Duration, charge: Int) -> Bool {
        let before = bytes
        let most = min(
            Self.fit(count, into: ReadPortion.turn.nanoseconds, spent: took.nanoseconds),
            Self.fit(count, into: Int64(clamping: share), spent: Int64(clamping: charge)))
        if most < count {
            bytes = min(bytes, max(most, ReadPortion.least))
        } else if most / 4 >= count, count >= bytes / 2 {
            bytes = min(self.most, bytes * 2)
        }
        return bytes != before
    }

    /// How many bytes cost `whole`, when `count` cost `spent`.
    private static func fit(_ count: Int, into whole: Int64, spent: Int64) -> Int {
        let (product, overflow) = Int64(clamping: count).multipliedReportingOverflow(by: whole)
        return overflow ? .max : Int(clamping: product / max(1, spent))
    }

    var allocator: AdaptiveRecvByteBufferAllocator {
        AdaptiveRecvByteBufferAllocator(minimum: 1_024, initial: min(2_048, bytes), maximum: bytes)
    }
}
