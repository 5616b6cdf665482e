import Faults
import Journaling
import Oracles
import Peers
import Profiles
import ReferenceBackend
import Testing

/// Openings that were altered are nobody's defect: a clean server is blamed for none, and every byte is explained.
@Suite struct HandshakeFairnessTests {
    /// Settings of one fault, as they stand below `faults`, a line each.
    static let faults = [
        ["fault: refuse", "when: { connection: share 50% }"],
        ["fault: refuse", "close: 4401", "when: { connection: share 50% }"],
        ["fault: refuse", "close: 1013"],
        ["fault: handshake-mutate", "op: [wrong-accept, no-accept, no-upgrade, two-upgrades, no-connection, body]", "in: response"],
        ["fault: handshake-mutate", "op: [unoffered-subprotocol, two-subprotocols, unoffered-extension, obs-fold]", "in: response"],
        ["fault: handshake-mutate", "op: [many-fields, long-field]"],
        ["fault: handshake-mutate", "op: [no-upgrade, two-upgrades, no-connection, two-connections, obs-fold]", "in: request"],
        ["fault: handshake-mutate", "op: [origin-absent, origin-null, origin-foreign, origin-suffix, version, no-version]"],
        ["fault: early-frames"],
        ["fault: early-frames", "form: per-byte", "gap: 100us"],
        ["fault: early-frames", "form: before-101", "hold: 30ms"],
        ["fault: offer-deflate", "op: force"],
        ["fault: offer-deflate", "op: force", "in: response"],
        ["fault: offer-deflate", "op: force", "server-max-window-bits: 99"],
        ["fault: drop-auth", "how: expire", "when: { connection: share 50% }"],
        ["fault: drop-auth", "how: swap", "among: [alice, bob, carol]"],
        ["fault: drop-auth", "in: first-message"],
    ]

    /// Profiles of the program that no other test plays against a server.
    @Test(arguments: ["forged-credential", "staging-safe"]) func shippedProfiles(name: String) async throws {
        let wrong = try await Workshop.run(lane: name.count) {
            try (1...30).flatMap { seed -> [String] in
                let run = try Scenario(seed: UInt64(seed), profile: name).run()
                return run.judgement.findings.map { "seed \(seed): \($0.property): \($0.sentence)" }
                    + run.judgement.toolErrors.map { "seed \(seed): tool error: \($0.sentence)" }
            }
        }
        #expect(wrong == [])
    }

    @Test(arguments: 0..<17) func aCleanServerIsNeverBlamed(row: Int) async throws {
        let text = "miswire: 1\nname: t\nfaults:\n  - " + Self.faults[row].joined(separator: "\n    ") + "\n"
        let profile = try ProfileLoader.parse(text: text, file: "t.yaml")
        let (wrong, acted) = try await Workshop.run(lane: row) {
            var acted = 0
            let wrong = try (1...20).flatMap { seed -> [String] in
                let scenario = Scenario(seed: UInt64(seed), profile: "transparent")
                let simulator = Simulator(
                    seed: scenario.seed, contract: try Shipped.contract(), profile: profile, key: Array(Scenario.key.utf8))
                let run = simulator.run(scenario.plan, on: SimulatedBackend(bugs: [], key: Scenario.key, seed: scenario.seed))
                acted += run.judgement.faultsActed
                var wrong = [run.stalled].compactMap { $0 }
                wrong += run.judgement.findings.map { "\($0.property): \($0.sentence)" }
                wrong += run.judgement.toolErrors.map { "tool error: \($0.sentence)" }
                return wrong.map { "seed \(seed): \($0)" }
            }
            return (wrong, acted)
        }
        #expect(wrong == [], "\(Self.faults[row])")
        // The demo's users bring their credentials in the head alone.
        #expect((acted > 0) == (Self.faults[row].last != "in: first-message"), "\(Self.faults[row])")
    }
}
