import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// As `NonsenseTests`, through every fault on messages and frames that the registry holds, each with each of its choices.
@Suite struct FrameNonsenseTests {
    static let rules: [(kind: String, settings: [String: [String]])] = FaultRegistry.all
        .filter { $0.group == .message || $0.group == .frame }
        .flatMap { kind in
            var rows: [(kind: String, settings: [String: [String]])] = [(kind.name, small(kind))]
            for parameter in kind.parameters {
                guard case .choice(let words) = parameter.unit else { continue }
                rows += words.map { word in (kind.name, small(kind).merging([parameter.name: [word]]) { $1 }) }
            }
            return rows
        }

    /// So much that it matters, and not so much that it takes long.
    private static func small(_ kind: any Fault.Type) -> [String: [String]] {
        let sizes = ["oversize": "300B", "deflate": "3000B", "fragment": "2B", "control": "130B"]
        var settings: [String: [String]] = [:]
        for parameter in kind.parameters {
            switch parameter.unit {
            case .bytes where sizes[kind.name] != nil: settings[parameter.name] = [sizes[kind.name] ?? ""]
            case .duration: settings[parameter.name] = ["3ms"]
            case .count where parameter.name == "count": settings[parameter.name] = ["3"]
            case .text where parameter.name == "payload": settings[parameter.name] = ["6d77"]
            default: break
            }
        }
        if kind.name == "replay-stale" { settings["age"] = nil }
        return settings
    }

    @Test(arguments: rules.indices) func everyByteIsExplained(row: Int) {
        let (kind, settings) = Self.rules[row]
        for seed in 1...60 as ClosedRange<UInt64> {
            var dice = Dice(DiceKey(seed: seed, profile: kind, user: "", connection: 3), direction: nil, message: 0, fault: "\(row)")
            let nth = 1 + dice.below(4)
            let rule = Sample.rule(kind, settings) {
                $0.message = dice.below(3) == 0 ? nil : .nth(nth)
                $0.to = dice.below(2) == 0 ? .server : nil
            }
            var net = Net(profile: Sample.profile(rule), seed: seed)
            let id = net.upgraded(1, user: "alice", extensions: dice.below(2) == 0 ? "permessage-deflate" : nil)
            for masked in [true, false, true] {
                for chunk in Sample.chunks(NonsenseTests.nonsense(&dice, masked: masked), seed: dice.next()) {
                    if masked { net.client(id, chunk) } else { net.server(id, chunk) }
                    if dice.below(4) == 0 { net.pass(.milliseconds(2)) }
                }
            }
            switch dice.below(6) {
            case 0: net.send(.ended(.client, .finish), to: id)
            case 1: net.send(.ended(.server, .finish), to: id)
            case 2: net.send(.ended(.server, .reset), to: id)
            case 3: net.send(.faultsOff, to: id)
            default: break
            }
            if dice.below(2) == 0 { net.pass(.milliseconds(20)) }
            let raw = net.differences(.raw)
            let redacted = net.conclude().differences
            #expect(raw == [] && redacted == [], "\(kind) \(settings) seed \(seed): \(raw), \(redacted)")
        }
    }

    /// What acts twice alike acts the same: no fault draws from anything but its dice.
    @Test(arguments: rules.indices) func theSameSeedWritesTheSameBytes(row: Int) {
        let (kind, settings) = Self.rules[row]
        for direction in Direction.allCases {
            let runs = (1...2).map { _ in
                var flow = Flow(kind, settings, direction)
                for number in 1...6 { flow.send(flow.frame(#"{"id":"run-\#(number)","text":"é"}"#)) }
                flow.net.pass(.milliseconds(50))
                return flow.taken()
            }
            #expect(runs[0] == runs[1])
        }
    }
}
