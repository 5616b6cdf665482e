import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// Streams that no rule allows, cut anywhere, through every transport fault and chains of them, with ends and times at
/// random: nothing traps, what comes out is a beginning of what came in, and every byte is explained.
@Suite struct TransportNonsenseTests {
    static let kinds = FaultRegistry.all.filter { $0.actsOnBytes }.map { $0.name }

    private static func settings(_ kind: any Fault.Type, _ dice: inout Dice) -> [String: [String]] {
        var settings: [String: [String]] = [:]
        for parameter in kind.parameters where dice.below(4) > 0 {
            switch parameter.unit {
            case .duration: settings[parameter.name] = [["0", "1us", "3ms", "40ms", "2s"][dice.below(5)]]
            case .rate: settings[parameter.name] = [["0", "9B/s", "1KB/s", "64KiB/s", "90MiB/s"][dice.below(5)]]
            case .bytes: settings[parameter.name] = [["1", "2", "7", "60", "500B"][dice.below(5)]]
            default: break
            }
        }
        return settings
    }

    private static func rule(_ name: String, _ number: Int, _ dice: inout Dice) -> FaultRule? {
        guard let kind = FaultRegistry.kind(name) else { return nil }
        let settings = settings(kind, &dice)
        guard (try? kind.init(Settings(settings.map { (name: $0.key, values: $0.value) }))) != nil else { return nil }
        let side: Side? = [nil, .client, .server][dice.below(3)]
        let times = [Duration.zero, .nanoseconds(6), .milliseconds(2), .milliseconds(30)]
        let after: Trigger.Bound? = dice.below(2) == 0 ? nil : .time(times[dice.below(4)])
        let until: Trigger.Bound? = dice.below(3) > 0 ? nil : .time(times[dice.below(4)] + .milliseconds(3))
        return Sample.rule(name, settings, id: "t\(number)") {
            $0.to = side
            $0.after = after
            $0.until = until
        }
    }

    @Test(arguments: kinds) func everyByteIsExplained(kind: String) {
        // The last ones found something once.
        for seed in Array(1...250) + [782, 824] as [UInt64] {
            var dice = Dice(DiceKey(seed: seed, profile: kind, user: "", connection: 3), direction: nil, message: 0, fault: "nonsense")
            var rules = [Self.rule(kind, 0, &dice)].compactMap { $0 }
            while dice.below(2) == 0, rules.count < 5 {
                if let rule = Self.rule(Self.kinds[dice.below(Self.kinds.count)], rules.count, &dice) { rules.append(rule) }
            }
            let hasMessageFault = dice.below(3) == 0
            if hasMessageFault {
                let nth = 1 + dice.below(4)
                let name = ["drop", "json-mutate", "cut"][dice.below(3)]
                rules.insert(Sample.rule(name, id: "m") { $0.message = .nth(nth) }, at: dice.below(rules.count + 1))
            }
            var profile = Sample.profile()
            profile.faults = rules
            var net = Net(profile: profile, seed: seed)
            let id = net.upgraded(1, user: "alice", extensions: dice.below(4) == 0 ? "permessage-deflate" : nil)
            var sent: [Side: ByteBuffer] = [.client: ByteBuffer(), .server: ByteBuffer()]
            var chunks: [(Side, ByteBuffer)] = []
            for masked in [true, false] {
                let bytes = NonsenseTests.nonsense(&dice, masked: masked)
                for chunk in Sample.chunks(bytes, seed: dice.next()) { chunks.append((masked ? .client : .server, chunk)) }
            }
            for index in chunks.indices { chunks.swapAt(index, index + dice.below(chunks.count - index)) }
            for (side, chunk) in chunks {
                sent[side]?.writeImmutableBuffer(chunk)
                if side == .client { net.client(id, chunk) } else { net.server(id, chunk) }
                if dice.below(3) == 0 { net.pass([.nanoseconds(3), .milliseconds(1), .milliseconds(35)][dice.below(3)]) }
                switch dice.below(60) {
                case 0: net.send(.writable(.client, false), to: id)
                case 1: net.send(.faultsOff, to: id)
                default: break
                }
            }
            switch dice.below(6) {
            case 0: net.send(.ended(.client, .finish), to: id)
            case 1: net.send(.ended(.server, .finish), to: id)
            case 2: net.send(.ended(.server, .reset), to: id)
            default: break
            }
            if dice.below(2) == 0 { net.pass(.seconds(5)) }
            if !hasMessageFault { expectBeginnings(net, id, sent, "\(kind) seed \(seed)") }
            let raw = net.differences(.raw)
            let redacted = net.conclude().differences
            #expect(raw == [] && redacted == [], "\(kind) seed \(seed): \(raw), \(redacted)")
        }
    }

    /// The far side got the first so many bytes, each of them the same.
    private func expectBeginnings(_ net: Net, _ id: SessionID, _ sent: [Side: ByteBuffer], _ place: String) {
        guard let session = net.sessions[id], let up = sent[.client], let down = sent[.server] else { return }
        for (got, bytes) in [(session.toServer, up), (session.toClient, down)] {
            let text = got.getBytes(at: got.readerIndex, length: got.readableBytes) ?? []
            // Behind the head, as far as that came.
            guard let end = text.indices.first(where: { $0 + 4 <= text.count && text[$0..<($0 + 4)].elementsEqual([13, 10, 13, 10]) })
            else { continue }
            let body = text[(end + 4)...]
            #expect(bytes.readableBytesView.prefix(body.count).elementsEqual(body), "\(place)")
        }
    }
}
