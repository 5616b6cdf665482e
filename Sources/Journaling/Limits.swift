/// Every limit of the program in one place (trust.md section 3). `miswire limits` prints them; when one bites, a
/// `LimitRecord` with its id stands in the journal, so that it is never taken for a fault or a defect of the target.
package struct Limits: Sendable, Hashable {
    /// L1: a whole head, with its empty line. Over it: 431 to a client, 502 for a server.
    package var headBytes = 64 << 10
    /// L1: one header field, name and value.
    package var headFieldBytes = 16 << 10
    /// L1: the request line or status line.
    package var startLineBytes = 8 << 10
    /// L1: number of header fields.
    package var headFields = 256

    /// L2: a TLS handshake.
    package var handshakeTime: Duration = .seconds(10)
    /// L2: from accept to a whole request head.
    package var requestHeadTime: Duration = .seconds(10)
    /// L2: dialling the upstream; over it: 504.
    package var connectTime: Duration = .seconds(5)
    /// L2: the server's answer to an upgrade; over it: 504.
    package var upgradeAnswerTime: Duration = .seconds(30)
    /// L2: a request to the control server.
    package var controlRequestTime: Duration = .seconds(15)

    // L3: frames and messages are relayed at any size, because they are streamed and never held.

    /// L4: a message lifted for a fault, the oracle or the console, on the wire and inflated. Over it: passes unchanged.
    package var messageBytes = 16 << 20
    /// L4: fragments of one lifted message.
    package var messageFragments = 65_536

    /// L5: inflate contexts alive at once.
    package var inflateContexts = 2_048
    /// L5: nesting of JSON.
    package var jsonDepth = 128
    /// L5: values in one JSON text.
    package var jsonNodes = 1_000_000

    /// L6: bytes of a profile or contract.
    package var documentBytes = 1 << 20
    /// L6: nesting of a profile, contract or plan.
    package var documentDepth = 32
    /// L6: values in a profile, contract or plan.
    package var documentNodes = 20_000
    /// L6: bytes of a plan.
    package var planBytes = 16 << 20

    /// L7: sessions at once; a shell lowers it to min(this, (descriptors - 64) / 2, epoll watches / 4).
    package var sessions = 10_000
    /// L7: descriptors kept for everything but sessions.
    package var reservedDescriptors = 64

    /// L8: an idle session; nil = no limit.
    package var idleTime: Duration?
    /// L8: TCP keep-alive: idle time before the first probe, time between probes, probes.
    package var keepAliveIdle: Duration = .seconds(60)
    package var keepAliveInterval: Duration = .seconds(10)
    package var keepAliveProbes = 5
    /// L8: a session of which only one half is still open.
    package var halfClosedTime: Duration = .seconds(60)

    /// L9: bytes waiting for one peer at which the other side is no longer read, and at which it is again.
    package var pendingHigh = 64 << 10
    package var pendingLow = 32 << 10
    /// L9: bytes taken by one read.
    package var readBytes = 64 << 10

    /// L10: bytes held by delay, reorder and stall faults in one session, and in all.
    package var heldBytes = 4 << 20
    package var heldBytesTotal = 256 << 20

    /// L11: recorder queue of one session, and of all, in bytes of what becomes of it; sockets stop reading beyond it.
    package var recorderSessionBytes = 1 << 20
    package var recorderBytes = 64 << 20
    /// L11: a recording is flushed at the latest after this time or this many bytes.
    package var flushTime: Duration = .seconds(1)
    package var flushBytes = 1 << 20

    /// L12: memory of the whole process, and the shares of it at which caches are shed and sessions refused.
    package var memoryBytes = 2 << 30
    package var shedShare = 0.85
    package var refuseShare = 0.95

    /// L13: control server: connections, body bytes, streams, and entries a stream may lag behind.
    package var controlConnections = 64
    package var controlBodyBytes = 2 << 20
    package var controlStreams = 16
    package var controlBacklog = 1_000

    /// L14: proxies, faults of one profile, toxics of one proxy.
    package var proxies = 1_000
    package var faults = 256
    package var toxics = 64

    /// L15: imports: one packet, flows, reassembly gap of one flow and of all, a line, a HAR file, nesting of
    /// tnetstrings, unpacked bytes and their ratio to the packed ones.
    package var importPacketBytes = 256 << 10
    package var importFlows = 65_536
    package var importGapBytes = 1 << 20
    package var importGapBytesTotal = 128 << 20
    package var importLineBytes = 32 << 20
    package var importHARBytes = 512 << 20
    package var importNesting = 64
    package var importUnpackedBytes = 10 << 30
    package var importUnpackedRatio = 200

    /// L16: kept output of a child process, and the time between its being asked to stop and killed.
    package var childOutputBytes = 1 << 20
    package var childStopTime: Duration = .seconds(5)

    /// Rotation of recordings (captures.md, T36): bytes of one segment, and of all before the oldest is removed.
    package var segmentBytes = 64 << 20
    package var recordingBytes = 10 << 30

    package init() {}
    package static let standard = Limits()
}
