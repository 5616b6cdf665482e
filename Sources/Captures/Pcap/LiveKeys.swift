import NIOCore

/// The key log of a live capture, read while it is written: between packets, by the one thread that there is.
///
/// Looked at now and then, and before a connection is given up for want of a secret: it may hold few bytes while it waits,
/// and more may come at once.
final class LiveKeys {
    private let follower: KeyLogFollower
    private let layer: TLSLayer
    /// Told at once, because it can be mended at once.
    private let warn: (String) -> Void
    private var polled: ContinuousClock.Instant?
    private var isPolling = false
    /// More can be read without waiting.
    private(set) var hasMore = false

    private static let pause: Duration = .milliseconds(100)
    private static let bytesAPoll = 256 << 10
    /// Of a log that is there already, or of what is left at the end. Whatever is more comes with the polls.
    private static let bytesAtOnce = 64 << 20

    init(_ follower: KeyLogFollower, _ layer: TLSLayer, warn: @escaping (String) -> Void) throws(ImportError) {
        self.follower = follower
        self.layer = layer
        self.warn = warn
        layer.beginFollowing { [weak self] () throws(ImportError) in try self?.poll() }
        try pollAll()
    }

    /// To be called often.
    func look(_ now: ContinuousClock.Instant) throws(ImportError) {
        if hasMore || polled.map({ $0.duration(to: now) >= Self.pause }) ?? true { try poll() }
    }

    /// The capture is over; what was written until now counts.
    func conclude() throws(ImportError) {
        try pollAll()
        try layer.endFollowing(place: follower.path)
    }

    private func pollAll() throws(ImportError) {
        var left = Self.bytesAtOnce
        repeat {
            try poll()
            left -= Self.bytesAPoll
        } while hasMore && left > 0
    }

    private func poll() throws(ImportError) {
        // Who goes on with a secret may be given up for want of the next, which is on its way already.
        guard !isPolling else { return }
        isPolling = true
        defer { isPolling = false }
        hasMore = try follower.poll(Self.bytesAPoll) { (news) throws(ImportError) in
            switch news {
            case .bytes(let bytes): try layer.follow(bytes, place: follower.path)
            case .anew(let voidsRest): try layer.followAnew(voidsRest: voidsRest, place: follower.path)
            case .trouble(let reason): warn("\(follower.path): the key log cannot be read: \(reason)")
            }
        }
        polled = .now
    }
}
