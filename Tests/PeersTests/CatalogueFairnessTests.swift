import Faults
import Journaling
import Oracles
import Peers
import Profiles
import ReferenceBackend
import Testing

/// Whatever kind of fault acts on whatever way: a clean server is blamed for none of it, every byte is explained, and the
/// journal judged again says the same.
@Suite struct CatalogueFairnessTests {
    /// Profiles of the program that no other test plays against a server.
    static let shipped = [
        "everything", "flaky-network", "hostile-deflate", "hostile-frames", "interleaved-users", "lossy-events", "mobile-3g",
        "mutated-frames", "reconnect-storm", "slow-reader", "zombie",
    ]

    @Test(arguments: shipped) func shippedProfiles(name: String) async throws {
        let wrong = try await Workshop.run(lane: name.count) {
            try Seeds.list(1...(5 * Self.plays)).flatMap { seed -> [String] in
                let run = try Scenario(seed: seed, profile: name).run(breaks: seed % 3 == 0)
                return try Self.wrong(run, seed)
            }
        }
        #expect(wrong == [])
    }

    /// Settings of one fault, as they stand below `faults`, a line each. Each is played towards the server and towards the
    /// client, for all connections and messages or for every third.
    static let transport = [
        ["fault: latency", "latency: 80ms", "jitter: 60ms"], ["fault: bandwidth", "rate: 2KiB/s"],
        ["fault: slow_close", "delay: 300ms"], ["fault: timeout"], ["fault: timeout", "timeout: 200ms"], ["fault: reset_peer"],
        ["fault: reset_peer", "timeout: 150ms"], ["fault: slicer", "average_size: 20B", "size_variation: 10B", "delay: 1ms"],
        ["fault: limit_data", "bytes: 150B"], ["fault: half-close"], ["fault: stall-reads", "time: 700ms"], ["fault: blackhole"],
        ["fault: chop"], ["fault: coalesce"],
    ]
    static let messages = [
        ["fault: duplicate", "copies: 2", "gap: 5ms"], ["fault: delay", "delay: 120ms", "jitter: 80ms"],
        ["fault: reorder", "window: 2", "most: 300ms"], ["fault: replay-stale"], ["fault: replace", #"payload: '{"type":"nothing"}'"#],
        ["fault: inject"], ["fault: inject", "side: client"], ["fault: inject", "side: server"], ["fault: truncate"],
        ["fault: retype"], ["fault: oversize"], ["fault: regex-replace", "pattern: '[a-z]+'", "with: x"], ["fault: corrupt-id"],
        ["fault: bit-flip"], ["fault: bit-flip", "in: any", "bits: 3"], ["fault: opcode"], ["fault: opcode", "opcode: 0"],
        ["fault: rsv"], ["fault: fin"], ["fault: fin", "how: orphan"], ["fault: fin", "how: early"], ["fault: mask"],
        ["fault: mask", "how: wrong"], ["fault: mask", "how: zero"], ["fault: length"], ["fault: length", "how: top-bit"],
        ["fault: length", "how: longer"], ["fault: length", "how: shorter"], ["fault: fragment", "size: 9B"],
        ["fault: fragment", "how: byte"], ["fault: fragment", "how: character"], ["fault: fragment", "how: empty"],
        ["fault: defragment"], ["fault: interleave"], ["fault: interleave", "what: text"], ["fault: control"],
        ["fault: control", "how: oversize"], ["fault: control", "how: fragmented"], ["fault: control", "how: flood", "count: 50"],
        ["fault: close"], ["fault: close", "code: 1000"], ["fault: close", "how: one-byte"], ["fault: close", "how: data-after"],
        ["fault: utf8"], ["fault: utf8", "how: truncated"], ["fault: deflate"], ["fault: deflate", "how: rsv1-plain"],
    ]

    /// What acts beyond its own session, with its conditions.
    static let sessions = [
        ["fault: takeover", "when: { connection: share 50% }"], ["fault: takeover", "count: 3", "hold: 300ms"],
        ["fault: takeover", "at: message", "send: last", "when: { to: server, message: every 3 }"],
        ["fault: takeover", "at: message", "send: last", "hold: 200ms", "when: { to: client, message: nth 2 }"],
        ["fault: reconnect-storm", "times: 2", "every: 200ms", "when: { to: server, message: nth 2 }"],
        ["fault: reconnect-storm", "style: half", "when: { to: client, message: nth 3 }"],
        ["fault: reconnect-storm", "style: close", "when: { to: client, message: share 20% }"],
        ["fault: reconnect-storm", "from: proxy", "times: 6", "every: 50ms", "when: { to: server, message: nth 1 }"],
        ["fault: zombie", "hold: 5s", "when: { to: server, message: nth 2 }"],
        ["fault: zombie", "hold: 5s", "reads: nothing", "when: { to: client, message: nth 2 }"],
        ["fault: zombie", "side: client", "when: { to: client, message: nth 2 }"],
        ["fault: barrier", "when: { to: server, message: share 50% }"],
        ["fault: barrier", "users: 3", "within: 300ms", "when: { to: client }"],
        ["fault: barrier", "of: sessions", "when: { message: every 3 }"],
        ["fault: late-user", "most: 400ms"], ["fault: late-user", "awaits: users", "stage: upgrade-response", "most: 1s"],
        ["fault: resume-stale"], ["fault: replay-stale", "from: before"], ["fault: close", "how: no-reply"], ["fault: close", "how: other-code", "code: 4009"],
        ["fault: drop", "when: { opcode: close }"], ["fault: delay", "when: { opcode: 8 }"],
    ]

    @Test(arguments: 0..<sessions.count) func ofSessions(row: Int) async throws {
        let when = Self.sessions[row].last { $0.hasPrefix("when: ") }.map { String($0.dropFirst(6)) }
        let fault = Self.sessions[row].filter { !$0.hasPrefix("when: ") }
        try await aCleanServerIsNeverBlamed(fault, [when ?? "{ connection: share 70% }", when ?? "{ connection: every 1 }"], row)
    }

    /// Nobody compresses here, or sends fragments, or says what is not ASCII.
    static let idle = [["fault: deflate"], ["fault: fragment", "how: character"], ["fault: defragment"], ["fault: resume-stale"]]
    /// Not everybody comes back, or says goodbye.
    static let rare = [["fault: replay-stale", "from: before"]]
    /// Of each setting on each way: a few here, hundreds when a kind is new.
    static let plays: UInt64 = 2

    @Test(arguments: 0..<transport.count) func ofTransport(row: Int) async throws {
        let whens = ["{ to: server, connection: share 50% }", "{ to: client, connection: share 50% }", "{ after: 50ms }"]
        try await aCleanServerIsNeverBlamed(Self.transport[row], whens, row)
    }

    @Test(arguments: 0..<messages.count) func ofMessagesAndFrames(row: Int) async throws {
        let whens = ["{ to: server, message: every 3 }", "{ to: client, message: every 3 }", "{ message: share 20% }"]
        try await aCleanServerIsNeverBlamed(Self.messages[row], whens, row)
    }

    private func aCleanServerIsNeverBlamed(_ fault: [String], _ whens: [String], _ row: Int) async throws {
        let profiles = try whens.map { when in
            let text = "miswire: 1\nname: t\nfaults:\n  - " + (fault + ["when: \(when)"]).joined(separator: "\n    ") + "\n"
            return try ProfileLoader.parse(text: text, file: "t.yaml")
        }
        let (wrong, acted) = try await Workshop.run(lane: row) {
            var acted = 0
            var wrong: [String] = []
            for (place, profile) in profiles.enumerated() {
                for seed in Seeds.list(1...Self.plays) {
                    let scenario = Scenario(seed: seed &* 31 &+ UInt64(place), profile: "transparent")
                    var simulator = Simulator(
                        seed: scenario.seed, contract: try Shipped.contract(), profile: profile, key: Array(Scenario.key.utf8))
                    simulator.breaks = seed % 2 == 0
                    let run = simulator.run(scenario.plan, on: SimulatedBackend(bugs: [], key: Scenario.key, seed: scenario.seed))
                    acted += run.judgement.faultsActed
                    wrong += try Self.wrong(run, seed).map { "\(whens[place]) \($0)" }
                }
            }
            return (wrong, acted)
        }
        #expect(wrong == [], "\(fault)")
        if !Self.rare.contains(fault) { #expect((acted > 0) != Self.idle.contains(fault), "\(fault)") }
    }

    private static func wrong(_ run: SimulationRun, _ seed: UInt64) throws -> [String] {
        var wrong = [run.stalled].compactMap { $0 }
        wrong += run.judgement.findings.map { "\($0.property): \($0.sentence)" }
        wrong += run.judgement.toolErrors.map { "tool error: \($0.sentence)" }
        if try run.judgedAgain(by: Shipped.contract()) != run.judgement { wrong.append("live and offline differ") }
        return wrong.map { "seed \(seed): \($0)" }
    }
}
