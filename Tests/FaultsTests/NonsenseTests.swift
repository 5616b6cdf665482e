import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// Streams of frames that no rule of RFC 6455 allows, through every fault that holds messages back: every byte that came is
/// told to have gone, or why it did not.
@Suite struct NonsenseTests {
    static let rules: [(kind: String, settings: [String: [String]])] = [
        ("drop", [:]), ("json-mutate", [:]), ("cut", [:]), ("cross-streams", ["mode": ["divert"]]),
        ("cross-streams", ["mode": ["copy"]]), ("cross-streams", ["mode": ["swap"]]),
    ]

    /// Mostly text, in pieces that may belong together or not, and sometimes bytes that are no frame.
    static func nonsense(_ dice: inout Dice, masked: Bool) -> ByteBuffer {
        let parts = (0..<(4 + dice.below(12))).map { _ in
            let opcode = [Opcode.text, .continuation, .continuation, .text, .ping, .pong, .binary][dice.below(7)]
            let words = ["", "{}", #"{"type":"a","n":1}"#, "\u{e9}", "{\"x\":"][dice.below(5)]
            let isBroken = dice.below(30) == 0
            if isBroken { return ByteBuffer(bytes: (0..<(1 + dice.below(9))).map { _ in UInt8(truncatingIfNeeded: dice.next()) }) }
            var frame = Sample.frame(
                words, opcode: opcode, fin: opcode.isControl ? dice.below(9) > 0 : dice.below(2) == 0,
                rsv: dice.below(12) == 0 ? UInt8(dice.below(8)) : 0, masked: dice.below(20) == 0 ? !masked : masked)
            // It says that it is of another length, and eats what comes behind it.
            if dice.below(8) == 0 { frame.setInteger(UInt8(truncatingIfNeeded: dice.next()) & 0xbf, at: 1) }
            return frame
        }
        return Sample.joined(parts)
    }

    @Test(arguments: 0..<6) func everyByteIsExplained(row: Int) {
        let (kind, settings) = Self.rules[row]
        for seed in 1...600 as ClosedRange<UInt64> {
            var dice = Dice(DiceKey(seed: seed, profile: "", user: "", connection: 3), direction: nil, message: 0, fault: "nonsense")
            let nth = 1 + dice.below(4)
            let rule = Sample.rule(kind, settings) {
                $0.message = .nth(nth)
                $0.to = dice.below(2) == 0 ? .server : nil
            }
            var net = Net(profile: Sample.profile(rule), seed: seed)
            let isAlone = dice.below(3) == 0
            if dice.below(3) == 0 { net.unanswered = [] }
            let ids = (1...(isAlone ? 1 : 2)).map { net.upgraded(UInt32($0), user: "user\($0)") }
            for id in ids {
                for masked in [true, false] {
                    for chunk in Sample.chunks(Self.nonsense(&dice, masked: masked), seed: dice.next()) {
                        if masked { net.client(id, chunk) } else { net.server(id, chunk) }
                    }
                }
                if net.unanswered != nil, dice.below(2) == 0 { net.answer() }
                switch dice.below(5) {
                case 0: net.send(.ended(.client, .finish), to: id)
                case 1: net.send(.ended(.server, .finish), to: id)
                case 2: net.send(.ended(.server, .reset), to: id)
                default: break
                }
            }
            if net.unanswered != nil, dice.below(2) == 0 { net.answer() }
            let raw = net.differences(.raw)
            let redacted = net.conclude().differences
            #expect(raw == [] && redacted == [], "seed \(seed): \(raw), \(redacted)")
        }
    }
}
