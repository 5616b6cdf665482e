import Journaling
import Wire

/// Fills in the variables of one user's messages: the same seed, user and order of uses give the same texts.
package struct Variables: Sendable {
    /// Who the user is to the server.
    package let user: String
    package let credential: String
    /// Seconds since 1970.
    package let epoch: Int64
    private let seed: UInt64
    private let canaries: CanaryKey
    private var uses: UInt64 = 0
    private var count = 0

    package init(seed: UInt64, user: String, credential: String, epoch: Int64) {
        self.seed = seed
        canaries = CanaryKey(seed: seed)
        self.user = user
        self.credential = credential
        self.epoch = epoch
    }

    package mutating func text(of variable: Variable) -> String {
        switch variable {
        case .user: return user
        case .credential: return credential
        case .now(let shift): return String(epoch.addingReportingOverflow(shift).partialValue)
        case .n:
            count &+= 1
            return String(count)
        case .canary:
            uses &+= 1
            return canaries.canary(of: user, number: uses).text
        case .uuid:
            var dice = draw("uuid")
            let digits = Array("0123456789abcdef")
            var text = (0..<32).map { _ in digits[dice.below(16)] }
            text[12] = "4"
            text[16] = digits[8 + dice.below(4)]
            for position in [20, 16, 12, 8] { text.insert("-", at: position) }
            return String(text)
        }
    }

    private mutating func draw(_ purpose: String) -> Dice {
        uses &+= 1
        return Dice(
            DiceKey(seed: seed, profile: "plan", user: user, connection: 0), direction: nil, message: uses,
            fault: purpose)
    }
}

/// Randomness that a client needs on the wire (keys and masks), by counters alone, so that the same seed sends the same
/// bytes.
package struct WireDice: Sendable {
    private var dice: Dice

    package init(seed: UInt64, user: String, connection: UInt64) {
        dice = Dice(
            DiceKey(seed: seed, profile: "plan", user: user, connection: connection), direction: .toServer, message: 0,
            fault: "wire")
    }

    package mutating func word() -> UInt32 { UInt32(truncatingIfNeeded: dice.next() >> 32) }

    package mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<max(0, count)).map { _ in UInt8(truncatingIfNeeded: dice.next() >> 56) }
    }
}
