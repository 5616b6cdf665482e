import Journaling

/// What a seed's network is like: how far, how it cuts what is written into segments, how much it takes at once, and which
/// clients it loses; and when our own machine stands still.
struct Weather: Sendable {
    private enum Cutting: Sendable { case whole, pieces, bytes }

    private let cutting: Cutting
    /// One way, the shortest.
    private let distance: Int
    private let jitter: Int
    /// Of 1,000 writes, how many stand still for a moment.
    private let jams: Int
    /// Bytes under way in one direction; more waits at the sender.
    let window: Int
    /// Segments that are there together are read together, so often of 100.
    private let joins: Int
    /// Event loops of the proxy.
    let loops: Int
    /// A loop hands over to the recorder after one of so many events.
    private let laziness: Int
    /// When the network loses a client for good: connection number and instant.
    let losses: [(line: Int, at: Instant)]
    /// When proxy and users get no processor. The server has its own.
    let stalls: [Range<Instant>]
    private var dice: Dice

    /// - Parameters:
    ///   - breaks: connections may be lost.
    ///   - stalls: our own machine may stand still.
    init(seed: UInt64, breaks: Bool, stalls: Bool) {
        var dice = Dice(
            DiceKey(seed: seed, profile: "simulator", user: "", connection: 0), direction: nil, message: 0, fault: "network")
        cutting = [.whole, .whole, .pieces, .pieces, .pieces, .bytes][dice.below(6)]
        window = [65_536, 65_536, 65_536, 4_096, 512][dice.below(5)]
        // A far peer that takes little at once would be slow beyond every deadline, and nobody's fault.
        distance = [5, 50, 500, 4_000][dice.below(window < 4_096 ? 2 : 4)]
        jitter = dice.below(distance) + 1
        jams = window < 4_096 ? 0 : [0, 0, 5, 10][dice.below(4)]
        joins = [0, 50, 100][dice.below(3)]
        loops = 1 + dice.below(3)
        laziness = [1, 4, 30][dice.below(3)]
        var losses: [(line: Int, at: Instant)] = []
        if breaks, dice.below(4) == 0 {
            for _ in 0...dice.below(2) {
                losses.append((dice.below(6), Instant(nanoseconds: Int64(clamping: dice.below(150_000_000)))))
            }
        }
        self.losses = losses
        self.dice = dice
        self.stalls = stalls ? Self.stalls(seed) : []
    }

    /// One to three, of 50 ms to 4 s.
    private static func stalls(_ seed: UInt64) -> [Range<Instant>] {
        var dice = Dice(
            DiceKey(seed: seed, profile: "simulator", user: "", connection: 0), direction: nil, message: 0, fault: "stalls")
        var at = Instant.zero
        return (0...dice.below(3)).map { _ in
            let from = at.advanced(by: .microseconds(dice.below([2_000, 20_000, 400_000][dice.below(3)])))
            let to = from.advanced(by: .milliseconds(50 + dice.below([200, 1_500, 3_950][dice.below(3)])))
            at = to.advanced(by: .milliseconds(1))
            return from..<to
        }
    }

    /// When what is due at `instant` is done by a machine that may stand still.
    func awake(at instant: Instant) -> Instant {
        stalls.first { $0.contains(instant) }?.upperBound ?? instant
    }

    /// How long a segment travels.
    mutating func latency() -> Duration { .microseconds(distance + dice.below(jitter)) }

    /// What comes on top for a whole write.
    mutating func jam() -> Duration { dice.below(1_000) < jams ? .milliseconds(1 + dice.below(20)) : .zero }

    mutating func hop() -> Duration { .microseconds(dice.below(200)) }

    /// Length of the next segment of `count` bytes, `sent` bytes after the beginning. Byte by byte is for the beginning
    /// only, which holds all the parsing there is.
    mutating func segment(of count: Int, after sent: UInt64) -> Int {
        switch cutting {
        case .whole: count
        case .bytes where sent < 400: min(count, 1 + dice.below(2))
        case .pieces, .bytes: min(count, 1 + dice.below(400))
        }
    }

    mutating func joinsSegments() -> Bool { dice.below(100) < joins }
    mutating func handsOver() -> Bool { dice.below(laziness) == 0 }
    mutating func loop() -> Int { dice.below(loops) }
}
