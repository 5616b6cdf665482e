import Plans
import ReferenceBackend
import Testing

@testable import Peers

/// What a rig waits for once the plan is played.
@Suite struct SettlingTests {
    /// Waiting ends when nothing can change any more, not when the longest deadline has passed three times.
    @Test func aCleanRunIsNotWaitedFor() async throws {
        let server = try await BackendServer.start(seed: 1)
        let rig = try ReplayTests.rig(server.port)
        // alice leaves before what she asked for is due: that stays undecided for good.
        let plan = try PlanText.parse(
            """
            miswire plan 1
            ---
            user alice credential header
            1 alice connect /ws
            2 alice until open within 60s
            3 alice send {"type":"invalid_type","request_id":"{user}-{n}"}
            4 alice cut reset
            faults none
            """)
        let run = try await rig.run(plan)
        await server.stop()
        #expect(run.judgement.findings == [])
        #expect(run.judgement.pending == 0)
        #expect(run.steps.filter { !$0.isOK } == [])
    }
}
