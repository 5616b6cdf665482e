import Glibc
package import Journaling
import NIOCore
import Wire

/// Listens to an interface: packets go into a pcapng file, are lifted into connections at once, or both. One thread does
/// all of it; what comes while it is busy waits in the kernel, and what the kernel had to drop is told.
package final class LiveCapture {
    package struct Options: Sendable {
        package var interface: String
        /// A BPF expression.
        package var filter: String?
        /// The pcapng file, which must not be there yet.
        package var write: String?
        /// Stop after this time, or this many packets.
        package var duration: Duration?
        package var count: UInt64?
        /// A key log, which is followed while it is written, and may come later than the capture. Of use when connections are read.
        package var keyLog: String?
        package var limits: Limits
        package var program: String
        package init(
            interface: String, filter: String? = nil, write: String? = nil, duration: Duration? = nil,
            count: UInt64? = nil, keyLog: String? = nil, limits: Limits = .standard, program: String = "miswire"
        ) {
            self.interface = interface
            self.filter = filter
            self.write = write
            self.duration = duration
            self.count = count
            self.keyLog = keyLog
            self.limits = limits
            self.program = program
        }
    }

    package struct Summary: Sendable, Equatable {
        package var packets: UInt64 = 0
        package var bytes: UInt64 = 0
        /// Packets that libpcap lost because we, or the interface, were behind.
        package var dropped: UInt64 = 0
        package var connections: UInt64 = 0
        package init() {}
    }

    private let options: Options
    private let device: CaptureDevice
    private let follower: KeyLogFollower?
    private var keys: LiveKeys?
    private var file: FileDescriptor?
    private var held: [UInt8] = []
    private var flushed = ContinuousClock.now
    private var summary = Summary()
    private var last: WallTime = 0
    /// What passed while somebody was asked for a yes belongs to no capture.
    private let begun: WallTime
    private let before: CaptureDevice.Counts
    private var mayBeOlder = true
    private var isLifting = false

    /// - Parameter device: opened by then, and whatever rights that needed are given up (trust.md T46): from here on what
    ///   others wrote is read.
    package init(_ options: Options, _ device: CaptureDevice) throws(ImportError) {
        self.options = options
        self.device = device
        begun = LiveCapture.now ?? .min
        before = device.counts
        follower = try options.keyLog.map { path throws(ImportError) in try KeyLogFollower(path) }
    }

    /// The key log that nobody has begun to write yet.
    package var awaitedKeyLog: String? { follower.flatMap { $0.isThere ? nil : $0.path } }

    /// Listens until `isAsked`, the time, or the count says that it is enough. Meant for a thread of its own.
    /// - Parameters:
    ///   - makeSink: where connections go; nil = packets are only written.
    ///   - warn: is told at once what somebody could mend while it goes on.
    package func run(
        _ makeSink: () throws(ImportError) -> (any ConnectionSink)?, isAsked: () -> Bool,
        progress: (Summary) -> Void, warn: @escaping (String) -> Void = { _ in }
    ) throws(ImportError) -> Summary {
        try openFile()
        let sink = try makeSink()
        isLifting = sink != nil
        var bounds = KeyLog.Bounds()
        (bounds.connections, bounds.keepsNewest) = (options.limits.importFlows, true)
        let tls = TLSLayer(next: sink ?? NobodyListens(), keyLog: KeyLog(bounds: bounds))
        if let follower, isLifting { keys = try LiveKeys(follower, tls, warn: warn) }
        let begun = ContinuousClock.now
        var lifter = PacketLifter(sink: tls, name: options.interface, limits: options.limits)
        var told = begun
        while !isAsked(), summary.packets < options.count ?? .max {
            let now = ContinuousClock.now
            if let duration = options.duration, begun.duration(to: now) >= duration { break }
            try keys?.look(now)
            let room = Int(clamping: min(256, (options.count ?? .max) - summary.packets))
            let got = try device.take(room) { (bytes, wireLength, time) throws(ImportError) in
                try take(bytes, wireLength, time, &lifter)
            }
            if got < room { mayBeOlder = false }
            if got == 0 { try idle(&lifter) }
            if flushed.duration(to: now) >= .seconds(1) { try flush() }
            if told.duration(to: now) >= .seconds(1) {
                told = now
                summary.dropped = counts.dropped
                progress(summary)
            }
        }
        try drain(&lifter)
        return try end(&lifter, sink)
    }

    /// What came before the end was asked for belongs to the capture, though nobody took it yet.
    private func drain(_ lifter: inout PacketLifter) throws(ImportError) {
        let end = LiveCapture.now ?? .max
        var isBehind = false
        while !isBehind, summary.packets < options.count ?? .max {
            let room = Int(clamping: min(256, (options.count ?? .max) - summary.packets))
            let got = try device.take(room) { (bytes, wireLength, time) throws(ImportError) in
                isBehind = isBehind || time > end
                if !isBehind { try take(bytes, wireLength, time, &lifter) }
            }
            if got < room { return }
        }
    }

    private func take(
        _ bytes: RawSpan, _ wireLength: Int, _ time: WallTime, _ lifter: inout PacketLifter
    ) throws(ImportError) {
        if mayBeOlder, time < begun { return }
        mayBeOlder = false
        summary.packets += 1
        summary.bytes += UInt64(wireLength)
        last = time
        if file != nil {
            PcapngBlocks.packet(bytes, wireLength: wireLength, at: time, into: &held)
            if held.count >= 1 << 20 { try flush() }
        }
        let stamp = PacketStamp(number: summary.packets, time: time, link: device.link, wireLength: wireLength)
        if isLifting { try lifter.take(stamp, bytes) }
    }

    /// Nothing is there: waits a little, and lets what has waited long enough go on.
    private func idle(_ lifter: inout PacketLifter) throws(ImportError) {
        var waiting = pollfd(fd: device.descriptor, events: Int16(POLLIN), revents: 0)
        if waiting.fd >= 0 { _ = unsafe poll(&waiting, 1, keys?.hasMore == true ? 0 : 50) } else { usleep(20_000) }
        if let now = LiveCapture.now { try lifter.pass(now) }
    }

    private static var now: WallTime? {
        var now = timespec()
        guard unsafe clock_gettime(CLOCK_REALTIME, &now) == 0 else { return nil }
        return WallTime(now.tv_sec) &* 1_000_000_000 &+ WallTime(now.tv_nsec)
    }

    /// What the device counted since the capture began.
    private var counts: CaptureDevice.Counts {
        let all = device.counts
        // libpcap counts in 32 bits, and from the beginning again behind these.
        return .init(
            received: all.received - min(before.received, all.received), dropped: all.dropped - min(before.dropped, all.dropped))
    }

    private func end(_ lifter: inout PacketLifter, _ sink: (any ConnectionSink)?) throws(ImportError) -> Summary {
        let counts = counts
        summary.dropped = counts.dropped
        if file != nil {
            PcapngBlocks.statistics(received: counts.received, dropped: counts.dropped, at: last, into: &held)
            try flush()
            file?.sync()
        }
        if counts.dropped > 0 {
            try sink?.note(
                nil,
                "\(options.interface): \(counts.dropped) packets were dropped because nobody was fast enough to take them"
            )
        }
        try keys?.conclude()
        try lifter.conclude()
        summary.connections = lifter.connections
        return summary
    }

    // MARK: The file

    private func openFile() throws(ImportError) {
        guard let path = options.write else { return }
        do { file = try FileDescriptor.create(path) } catch { throw LiveCapture.unwritable(error) }
        PcapngBlocks.section(program: options.program, comment: "raw: packets as they are, nothing is redacted", into: &held)
        PcapngBlocks.interface(
            link: device.link, name: options.interface, filter: options.filter ?? "", into: &held)
        try flush()
    }

    private func flush() throws(ImportError) {
        flushed = ContinuousClock.now
        guard !held.isEmpty, file != nil else { return }
        var failure: RecordingError?
        unsafe held.withUnsafeBytes { bytes in
            do throws(RecordingError) { unsafe try file?.write(bytes) } catch { failure = error }
        }
        if let failure { throw LiveCapture.unwritable(failure) }
        held.removeAll(keepingCapacity: true)
    }

    private static func unwritable(_ error: RecordingError) -> ImportError {
        // Its other remedies are good for files; of this name a recording would be a directory.
        let isThere = error.found == KeyLogFollower.reason(EEXIST)
        return ImportError(
            place: error.place, sentence: "the capture cannot be written", found: error.found,
            remedy: isThere ? "name a file that is not there yet" : error.remedy.isEmpty ? nil : error.remedy)
    }
}

/// For captures that are only written.
private final class NobodyListens: ConnectionSink {
    func opened(_ connection: Connection, at time: WallTime) {}
    func bytes(_ id: Connection.ID, from side: Side, _ bytes: ByteBuffer, at time: WallTime) {}
    func gap(_ id: Connection.ID, from side: Side, count: UInt64, at time: WallTime) {}
    func ended(_ id: Connection.ID, from side: Side, _ style: EndStyle, at time: WallTime) {}
    func gone(_ id: Connection.ID, at time: WallTime) {}
    func note(_ id: Connection.ID?, _ sentence: String) {}
}
