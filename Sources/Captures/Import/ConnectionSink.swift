package import Journaling
package import NIOCore
package import Wire

/// Where importers pour what they find: connections as bytes at instants, in the order of the file. Decryption, the
/// search for upgrades and the writing of entries are sinks one behind the other.
package protocol ConnectionSink: AnyObject {
    func opened(_ connection: Connection, at time: WallTime) throws(ImportError)
    /// Bytes which that side sent, next in its stream.
    func bytes(_ id: Connection.ID, from side: Side, _ bytes: ByteBuffer, at time: WallTime) throws(ImportError)
    /// `count` bytes of that side's stream are missing in the capture; 0 = some, nobody knows how many. Never guessed.
    func gap(_ id: Connection.ID, from side: Side, count: UInt64, at time: WallTime) throws(ImportError)
    /// That side ended its stream. Both sides ended, or `gone`: the connection is over.
    func ended(_ id: Connection.ID, from side: Side, _ style: EndStyle, at time: WallTime) throws(ImportError)
    /// Nothing more of this connection stands in the file (it ended there, or was forgotten at a bound).
    func gone(_ id: Connection.ID, at time: WallTime) throws(ImportError)
    /// Something could not be read, told as place and cause in one sentence. Nil: it concerns the file.
    func note(_ id: Connection.ID?, _ sentence: String) throws(ImportError)
}

/// One transport connection of a capture.
package struct Connection: Sendable, Hashable {
    package typealias ID = UInt64
    /// Counted from 1 in the order in which connections appear in the file.
    package var id: ID
    /// `10.0.0.7:50412`, `[::1]:443`
    package var client: String
    package var server: String
    /// False: it had begun before the capture did, so what its first bytes are is unknown.
    package var isWhole: Bool
    /// The source knew messages and not bytes: heads and frames are written after them.
    package var isMadeUp = false
    package init(id: ID, client: String, server: String, isWhole: Bool = true) {
        self.id = id
        self.client = client
        self.server = server
        self.isWhole = isWhole
    }
}

/// Nanoseconds since 1970, UTC.
package typealias WallTime = Int64

extension WallTime {
    /// The nearest time that a clock may show. A file may claim any; a second is left at both ends of what 64 bits hold,
    /// so that rounding never leaves them.
    var onClock: WallTime { Swift.min(Swift.max(self, -Self.furthestOnClock), Self.furthestOnClock) }
    private static var furthestOnClock: WallTime { .max - 1_000_000_000 }
}

/// Why an import ended. What was read until then has been passed on.
package struct ImportError: Error, Sendable, Equatable {
    /// `chat.pcap packet 4113`, `trace.har:12:4`, `dump.flow byte 88214`
    package var place: String
    package var sentence: String
    package var expected: String?
    package var found: String?
    package var remedy: String?
    package init(
        place: String, sentence: String, expected: String? = nil, found: String? = nil, remedy: String? = nil
    ) {
        self.place = place
        self.sentence = sentence
        self.expected = expected
        self.found = found
        self.remedy = remedy
    }
}
