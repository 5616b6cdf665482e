import Captures
import Contracts
import Foundation
import Journaling
import NIOCore
import Plans
import Testing
import Wire

@testable import Peers

/// Recordings lifted to plans: what was recorded once is done again.
@Suite struct LiftedPlayTests {
    static let recordings = [
        "three-users", "five-errors", "delayed-accept", "crossed-pair", "error-to-the-wrong-user", "silent-error",
    ]

    private func entries(_ name: String) throws -> [Entry] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        var reader = try RecordingReader(root.appending(path: "corpus/recordings/\(name)").path)
        var entries: [Entry] = []
        while let entry = try reader.next() { entries.append(entry) }
        return entries
    }

    /// Type values by user in order, of messages that arrived from that side.
    private func types(_ entries: [Entry], _ direction: Direction) -> [String: [String]] {
        var users: [SessionID: String] = [:]
        var types: [String: [String]] = [:]
        for entry in entries {
            guard let session = entry.session else { continue }
            if case .facts(let facts) = entry.body, facts.tap == .clientIn, let user = facts.user {
                users[session] = user
            }
            guard case .frame(let record) = entry.body, record.passage.direction == direction, record.passage.in != nil,
                let message = record.message, message.opcode == .text, let payload = message.payload
            else { continue }
            types[users[session] ?? "\(session)", default: []].append(
                JSON.decode(payload).value?["type"]?.string ?? "-")
        }
        return types
    }

    @Test(arguments: recordings) func everyRecordingLiftsToAPlanThatReadsBack(_ name: String) throws {
        let lift = PlanLift.lift(entries: try entries(name), contract: try Shipped.contract())
        // Connections by which the recording's maker looked whether the proxy listens.
        #expect(lift.left.allSatisfy { $0.reason.hasPrefix("it is no WebSocket") }, "\(lift.left)")
        #expect(!lift.plans.isEmpty)
        for plan in lift.plans {
            #expect(try PlanText.parse(PlanText.print(plan.plan)) == plan.plan)
            let text = PlanText.print(plan.plan)
            #expect(!text.contains("‹") && !text.contains("mwc-"), "\(text)")
        }
    }

    /// How often a made-up agent thinks is drawn by the server: what comes is compared, not how often.
    @Test(arguments: ["three-users", "five-errors", "crossed-pair"])
    func playedAgainItBringsTheSameMessages(_ name: String) throws {
        let recorded = try entries(name)
        var sent: [String: [String]] = [:]
        var came: [String: Set<String>] = [:]
        for lifted in PlanLift.lift(entries: recorded, contract: try Shipped.contract()).plans {
            var scenario = try Scenario(seed: 7, shipped: "transparent")
            scenario.plan = lifted.plan
            let run = try scenario.run()
            #expect(run.judgement.findings.isEmpty)
            for step in run.steps {
                #expect(step.isOK, "\(step.number): \(step.outcome)\n\(PlanText.print(lifted.plan))")
            }
            sent.merge(types(run.entries, .toServer)) { $0 + $1 }
            came.merge(types(run.entries, .toClient).mapValues { Set($0) }) { $0.union($1) }
        }
        #expect(sent == types(recorded, .toServer))
        #expect(came == types(recorded, .toClient).mapValues { Set($0) })
    }
}
