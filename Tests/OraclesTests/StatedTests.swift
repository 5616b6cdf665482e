import Contracts
import Journaling
import NIOCore
import Testing
import Wire

@testable import Oracles

/// What a profile expects of the far side (X1), judged for each word, and never to the blame of a server for what a fault,
/// a limit or a client did.
@Suite struct StatedTests {
    private static let quiet = Influence(.connection, [.success])

    private func outcome(
        _ what: Journaling.Expectation.What, _ codes: [Int] = [], influence: Influence = Self.quiet, tap: Tap = .serverOut,
        on: EntryRef? = nil, held: Duration = .zero, until end: Double = 100_000, _ story: (inout Transcript) -> Void
    ) -> String {
        let judgement = judge(until: end) { transcript in
            transcript.enter(1, "alice", at: 0)
            transcript.fault(
                1, "control", influence, tap: tap, on: on, held: held,
                expect: Journaling.Expectation(what: what, codes: codes, within: .seconds(1)), at: 10)
            story(&transcript)
        }
        let summary = judgement.summary("X1")
        let ended = [("kept", summary.passed), ("excused", summary.excused), ("failed", summary.failed)]
            .filter { $0.1 > 0 }.map(\.0) + summary.reasons
        return ended.joined(separator: ", ")
    }

    private static func ask(_ story: inout Transcript, _ session: Int = 1, at ms: Double, answered: Bool = true) {
        story.send(session, Say.start("alice", "q\(Int(ms))"), at: ms)
        if answered { story.wholeRun(session, "alice", run: "r\(Int(ms))", thread: "t1", request: "q\(Int(ms))", at: ms + 1) }
    }

    @Test func refused() {
        #expect(outcome(.refused) { $0.close(1, by: .server, 4401, at: 300) } == "kept")
        #expect(outcome(.refused) { _ in } == "failed")
        #expect(outcome(.refused) { $0.close(1, by: .server, 1011, at: 300) } == "failed")
        #expect(outcome(.refused) { $0.close(1, by: .server, 1001, at: 300) } == "the server goes away")
        #expect(outcome(.refused) { $0.close(1, by: .client, 1000, at: 300) } == "the client left before the deadline")
        #expect(outcome(.refused) { Self.ask(&$0, at: 20) } == "failed", "it is served")
        #expect(outcome(.refused, until: 900) { _ in } == "the recording ends before the deadline")
    }

    @Test func refusedAtTheUpgrade() {
        let judgement = judge { story in
            story.fault(1, "drop-auth", Self.quiet, tap: .serverOut, expect: Journaling.Expectation(what: .refused, within: .seconds(1)), at: 0)
            story.upgrade(1, "alice", at: 0, state: .forged, faults: ["f1"])
            story.refuse(1, 401, at: 5)
        }
        #expect(judgement.summary("X1").passed == 1 && judgement.failed.isEmpty)
    }

    @Test func closed() {
        #expect(outcome(.closed) { $0.close(1, by: .server, 1000, at: 300) } == "kept")
        #expect(outcome(.closed, [1002, 1008]) { $0.close(1, by: .server, 1008, at: 300) } == "kept")
        #expect(outcome(.closed, [1002]) { $0.close(1, by: .server, 1011, at: 300) } == "failed")
        #expect(outcome(.closed) { $0.close(1, by: .server, 1000, at: 1_300) } == "failed", "too late")
        #expect(outcome(.closed, held: .seconds(1)) { $0.close(1, by: .server, 1000, at: 1_300) } == "kept", "held by the fault")
        // What the fault did to the client, the client is to answer.
        #expect(outcome(.closed, tap: .clientOut) { $0.close(1, by: .client, 1002, at: 300) } == "kept")
    }

    /// A fault after which the far side may end is no cut by itself: what it states is still asked for.
    @Test(arguments: [Journaling.Expectation.What.refused, .closed, .errorEvent])
    func aFaultThatMayEndItStillStates(_ what: Journaling.Expectation.What) {
        let ending = Influence(.connection, [.ending, .success, .completion, .delivery])
        #expect(outcome(what, influence: ending) { _ in } == "failed")
        #expect(outcome(what, influence: ending) { $0.fault(1, "control", ending, tap: .serverOut, at: 300) } == "failed", "again")
        let cut = Influence(.openOperations, [.ending, .completion, .delivery])
        #expect(outcome(what, influence: ending) { $0.fault(1, "cut", cut, tap: .serverOut, at: 300) } == "excused")
    }

    @Test func errorEvent() {
        let error = Say.error("message_processing_error")
        #expect(outcome(.errorEvent) { $0.event(1, error, at: 300) } == "kept")
        #expect(outcome(.errorEvent) { _ in } == "failed")
        #expect(outcome(.errorEvent) { story in
            story.enter(2, "alice", at: 20)
            story.event(2, error, at: 300)
        } == "kept", "on another connection of the user")
        #expect(outcome(.errorEvent) { story in
            story.enter(2, "bob", at: 20)
            story.event(2, error, at: 300)
        } == "failed", "to another user")
    }

    @Test func recovers() {
        #expect(outcome(.recovers) { Self.ask(&$0, at: 5_000) } == "kept", "its bound begins with the question")
        #expect(outcome(.recovers) { Self.ask(&$0, at: 5_000, answered: false) } == "failed")
        #expect(outcome(.recovers) { _ in } == "alice asked for nothing after f1 control")
        #expect(outcome(.recovers) { story in
            story.close(1, by: .server, 1001, at: 20)
            story.closed(1, at: 21)
            story.enter(2, "alice", at: 2_000)
            Self.ask(&story, 2, at: 2_100)
        } == "kept", "on the next connection")
    }

    @Test func limitsOfOursAreNobodysFault() {
        for what in Journaling.Expectation.What.allCases where what != .recovers {
            let said = outcome(what) { $0.end(1, .server, .reset, by: .tool, at: 300) }
            #expect(said.hasPrefix("miswire ended the connection"), "\(what): \(said)")
        }
    }

    @Test func nothingLost() {
        func end(_ story: inout Transcript, undelivered: UInt64) {
            story.end(1, .client, .reset, by: .peer, undelivered: undelivered, at: 300)
            story.closed(1, at: 400)
        }
        #expect(outcome(.nothingLost) { end(&$0, undelivered: 0) } == "kept")
        #expect(outcome(.nothingLost) { end(&$0, undelivered: 9) } == "failed")
    }

    /// One finding for each fault and expectation, however often it acted, with the fault's entry in its evidence.
    @Test func oneFindingEach() throws {
        let judgement = judge { story in
            for number in 1...3 {
                story.enter(number, "user\(number)", at: Double(number))
                story.fault(
                    number, "control", Self.quiet, tap: .serverOut, expect: Journaling.Expectation(what: .closed, within: .seconds(1)), at: 10)
            }
        }
        #expect(judgement.heads == ["X1"] && judgement.findings.first?.repeats == 3)
        let finding = try #require(judgement.findings.first)
        #expect(finding.expected == "closed within 1 s")
        #expect(finding.sentence.hasPrefix("missing recovery: user1's server does not do what f1 control expects"))
        #expect(finding.witness.contains { if case .fault = $0.body { true } else { false } })
        #expect(finding.faults.map(\.id) == ["f1"])
    }

    @Test func whatDidNotActExpectsNothing() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.idleFault(1, "control", Self.quiet, at: 10)
        }
        #expect(judgement.summary("X1").verdict == nil)
    }
}
