import Contracts
import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// Several users who say what no rule allows, through everything that acts beyond its own session, alone and together, with
/// ends, times and the kill switch at random: nothing traps, and every byte of every session is explained, of those too that
/// faults opened.
@Suite struct SessionNonsenseTests {
    static let kinds = FaultRegistry.all.filter { $0.group == .session }.map { $0.name }

    /// Any value that its parameter admits; a draw that the fault refuses is drawn again.
    private static func rule(_ name: String, _ number: Int, _ dice: inout Dice) -> FaultRule? {
        guard let kind = FaultRegistry.kind(name) else { return nil }
        for _ in 0..<20 {
            var settings: [String: [String]] = [:]
            for parameter in kind.parameters where dice.below(2) == 0 {
                switch parameter.unit {
                case .duration: settings[parameter.name] = [["0", "1ms", "30ms", "2s"][dice.below(4)]]
                case .count: settings[parameter.name] = ["\([1, 2, 3, 16, 1_000, 1_012][dice.below(6)])"]
                case .choice(let words): settings[parameter.name] = [words[dice.below(words.count)]]
                default: continue
                }
            }
            let values = settings.sorted { $0.key < $1.key }.map { (name: $0.key, values: $0.value) }
            guard (try? kind.init(Settings(values))) != nil else { continue }
            let side: Side? = [nil, .client, .server][dice.below(3)]
            let nth = 1 + dice.below(3)
            let isEvery = dice.below(2) == 0
            return Sample.rule(name, settings, id: "s\(number)") {
                $0.to = side
                if kind.acts.contains(.messageToServer), settings["at"] != nil || name != "takeover" {
                    $0.message = isEvery ? .every(nth) : .nth(nth)
                }
            }
        }
        return nil
    }

    @Test(arguments: kinds) func everyByteIsExplained(kind: String) {
        for seed in 1...150 as ClosedRange<UInt64> {
            var dice = Dice(DiceKey(seed: seed, profile: kind, user: "", connection: 3), direction: nil, message: 0, fault: "nonsense")
            var rules = [Self.rule(kind, 0, &dice)].compactMap { $0 }
            while dice.below(2) == 0, rules.count < 4 {
                let others = Self.kinds + ["drop", "delay", "duplicate", "latency", "blackhole", "inject", "fragment"]
                if let rule = Self.rule(others[dice.below(others.count)], rules.count, &dice) { rules.append(rule) }
            }
            var profile = Sample.profile()
            profile.faults = rules
            var net = Net(profile: profile, seed: seed)
            net.mostVisits = 24
            var number: UInt32 = 0
            for _ in 0..<(2 + dice.below(3)) {
                number = (net.sessions.keys.max()?.value ?? 0) + 1
                let id = net.upgraded(number, user: "user\(dice.below(3))", extensions: dice.below(5) == 0 ? "permessage-deflate" : nil)
                talk(&net, id, &dice)
            }
            for id in net.sessions.keys.sorted() where net.sessions[id]?.isVisit == true { serve(&net, id, &dice) }
            if dice.below(2) == 0 { net.pass(.seconds(5)) }
            let raw = net.differences(.raw)
            let redacted = net.conclude().differences
            let words = rules.map { "\($0.kind) \($0.settings.values)" }
            #expect(raw == [] && redacted == [], "\(kind) seed \(seed), \(words): \(raw), \(redacted)")
        }
    }

    private func talk(_ net: inout Net, _ id: SessionID, _ dice: inout Dice) {
        // What a client of ours says nobody else does.
        let isVisit = net.sessions[id]?.isVisit == true
        for masked in isVisit ? [false] : [true, false] {
            let bytes = NonsenseTests.nonsense(&dice, masked: masked)
            for chunk in Sample.chunks(bytes, seed: dice.next()) {
                if masked { net.client(id, chunk) } else { net.server(id, chunk) }
                if dice.below(6) == 0 { net.pass([.nanoseconds(3), .milliseconds(1), .milliseconds(35)][dice.below(3)]) }
                if dice.below(80) == 0 { net.send(.faultsOff, to: id) }
            }
        }
        switch dice.below(8) {
        case 0 where !isVisit: net.send(.ended(.client, .finish), to: id)
        case 3 where !isVisit: net.send(.ended(.client, .reset), to: id)
        case 1: net.send(.ended(.server, .finish), to: id)
        case 2: net.send(.ended(.server, .reset), to: id)
        default: break
        }
    }

    /// A server that is as odd to a client of ours.
    private func serve(_ net: inout Net, _ id: SessionID, _ dice: inout Dice) {
        if dice.below(8) == 0 { return net.send(.connectFailed("refused"), to: id) }
        net.send(.connected, to: id)
        let answers = [Sample.response(), Sample.response(), "HTTP/1.1 403 Forbidden\r\n\r\n", "HTTP/1.1 10", "what?"]
        net.server(id, answers[dice.below(answers.count)])
        talk(&net, id, &dice)
    }
}
