import Contracts
import Journaling
import NIOCore
import Testing
import Wire

@testable import Oracles

extension Transcript {
    /// A connection of that user on which these numbers of one thread come, as events of one run.
    mutating func numbered(
        _ session: Int, _ user: String, _ numbers: [Int], thread: String = "t1", at ms: Double, ends: Bool = false
    ) {
        enter(session, user, at: ms)
        send(session, Say.start(user, "q-\(thread)"), at: ms + 1)
        for (index, number) in numbers.enumerated() {
            let type = index == 0 ? "agent_started" : ends && index == numbers.count - 1 ? "agent_completed" : "agent_thinking"
            self.number(session, user, number, type: type, thread: thread, at: ms + 2 + Double(index))
        }
    }

    mutating func numbers(_ session: Int, _ user: String, _ numbers: [Int], thread: String = "t1", at ms: Double) {
        for (index, number) in numbers.enumerated() {
            self.number(session, user, number, type: "agent_thinking", thread: thread, at: ms + Double(index))
        }
    }

    mutating func number(
        _ session: Int, _ user: String, _ number: Int, type: String, thread: String = "t1", run: String? = nil, at ms: Double,
        out: Double?? = .none
    ) {
        let request = run.map { "q\($0)" } ?? "q-\(thread)"
        let text = Say.event(type, user, run: run ?? "r-\(thread)", thread: thread, request: request, more: #","seq":\#(number)"#)
        event(session, text, at: ms, out: out)
    }

    mutating func truncated(_ session: Int, _ user: String, thread: String? = "t1", at ms: Double) {
        let name = thread.map { #","thread_id":"\#($0)""# } ?? ""
        event(session, #"{"type":"history_truncated","user_id":"\#(user)"\#(name)}"#, at: ms)
    }

    /// Comes back with a cursor.
    mutating func resume(_ session: Int, _ user: String, _ cursor: String, at ms: Double) {
        open(session, user, at: ms, path: "/ws?cursor=\(cursor)&x=")
        event(session, #"{"type":"connected","user_id":"\#(user)","connection_id":"ws_\#(session)"}"#, at: ms)
    }

    /// The client leaves in order.
    mutating func leave(_ session: Int, at ms: Double) {
        close(session, by: .client, 1000, at: ms)
        close(session, by: .server, 1000, at: ms)
        end(session, .server, at: ms)
        end(session, .client, at: ms)
        closed(session, at: ms)
    }

    mutating func isCut(_ session: Int, at ms: Double) {
        cut(session, .reset, [.client, .server], at: ms)
        closed(session, at: ms)
    }
}

/// D1 and D2 against the numbers that a server gives its events: what is its doing, and what is not.
@Suite struct DeliveryTests {
    /// Before runs that go on must have ended.
    private func judge(_ contract: Contract = AgentChat.contract, _ tell: (inout Transcript) -> Void) -> Judgement {
        OraclesTests.judge(contract, until: 2_000, tell)
    }

    // MARK: Planted

    @Test func aGapIsToldOnceWithItsRun() {
        let judgement = judge { $0.numbered(1, "alice", [1, 2, 5, 6, 7], at: 0) }
        #expect(judgement.heads == ["D1"])
        #expect(judgement.counts("D1") == [4, 3, 0, 0, 1])
        #expect(judgement.findings.first?.sentence == "events of alice's thread are lost, and nothing says so")
        #expect(judgement.findings.first?.found.contains("number 5 (agent_thinking)") == true)
    }

    /// B18: the end of the run is lost as well; the next run of the thread shows it, and nobody else is blamed.
    @Test func whatAFullQueueDropsHeadsWhatItBroke() {
        let judgement = judge { story in
            story.numbered(1, "alice", [1, 2, 3], at: 0)
            story.send(1, Say.start("alice", "qr2", thread: "t1"), at: 10)
            story.number(1, "alice", 4, type: "agent_started", run: "r2", at: 11)
            story.hold(1, true, .server, .fault, at: 12)
            story.hold(1, false, .server, .fault, at: 400)
            story.send(1, Say.start("alice", "qr3", thread: "t1"), at: 410)
            for (index, type) in ["agent_started", "agent_thinking", "agent_completed"].enumerated() {
                story.number(1, "alice", 20 + index, type: type, run: "r3", at: 411 + Double(index))
            }
        }
        #expect(judgement.heads == ["D1"], "\(judgement.sentences)")
    }

    @Test func aLateNumberIsOutOfOrder() {
        let judgement = judge { story in
            story.numbered(1, "alice", [5, 6], at: 0)
            story.numbers(1, "alice", [4], at: 20)
        }
        #expect(judgement.sentences.count == 1 && judgement.findings.first?.sentence == "events of alice's thread come out of order")
        let swapped = judge { $0.numbered(1, "alice", [1, 3, 2, 4], at: 0) }
        #expect(swapped.heads == ["D1"] && swapped.findings.first?.repeats == 1)
    }

    @Test func twiceOnOneConnectionIsADuplicateAndMovesNoRun() {
        let judgement = judge { story in
            story.numbered(1, "alice", [1, 2, 3], at: 0, ends: true)
            story.number(1, "alice", 3, type: "agent_completed", at: 20)
        }
        #expect(judgement.heads == ["D1"], "\(judgement.sentences)")
        #expect(judgement.findings.first?.sentence == "events of alice's thread are delivered twice")
    }

    /// B20: what nobody heard comes twice on the new connection.
    @Test func twiceBehindACursor() {
        let judgement = judge { story in
            story.numbered(1, "alice", [1, 2], at: 0)
            story.isCut(1, at: 20)
            story.resume(2, "alice", "2", at: 40)
            story.numbers(2, "alice", [3, 4, 3, 4], at: 50)
        }
        #expect(judgement.heads == ["D1"], "\(judgement.sentences)")
    }

    @Test func whatTheCursorNamesComesAgain() {
        let judgement = judge { story in
            story.numbered(1, "alice", [1, 2, 3], at: 0)
            story.isCut(1, at: 20)
            story.resume(2, "alice", "2", at: 40)
            story.numbers(2, "alice", [2, 3], at: 50)
        }
        #expect(judgement.heads == ["D1"])
    }

    /// B19.
    @Test func aResumeThatSkipsOne() {
        for first in [3, 5] {
            let judgement = judge { story in
                story.numbered(1, "alice", [1, 2, 3, 4, 5], at: 0)
                story.isCut(1, at: 20)
                story.resume(2, "alice", "1", at: 40)
                story.numbers(2, "alice", Array(first...5), at: 50)
            }
            #expect(judgement.heads == ["D2"], "\(judgement.sentences)")
            #expect(judgement.counts("D2") == [1, 0, 0, 0, 1])
            #expect(judgement.findings.first?.witness.contains { if case .head = $0.body { true } else { false } } == true)
        }
    }

    /// Nothing was on its way when the connection went, and what came next is not there.
    @Test func aHoleBehindTheLatestNumber() {
        let judgement = judge { story in
            story.numbered(1, "alice", [1, 2], at: 0)
            story.isCut(1, at: 20)
            story.resume(2, "alice", "2", at: 600)
            story.numbers(2, "alice", [4], at: 610)
        }
        #expect(judgement.heads == ["D2"])
    }

    // MARK: Excused, or nobody's fault

    /// Each story accuses nobody and leaves nothing undecided but what it says.
    @Test(arguments: [
        "cut by us, resumed", "said to be truncated", "said without a thread", "dropped by us", "repeated by us", "crossed",
        "two connections at once", "one stream on two connections", "restarted", "no cursor", "older cursor", "another thread's",
        "new count", "silent cut", "no numbers", "replay without asking", "closed with 1013",
        "a run goes on unheard", "reordered by us",
    ])
    func accusesNobody(name: String) {
        let judgement = judge { tell(name, &$0) }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.summary("D1").inconclusive == 0 && judgement.summary("D2").inconclusive == 0, "\(judgement.properties)")
        if ["cut by us, resumed", "said to be truncated", "said without a thread", "older cursor"].contains(name) {
            #expect(judgement.summary("D2").verdict == .pass)
        }
        if name == "dropped by us" {
            #expect(judgement.summary("D1").excuses == ["D1 events that f1 drop changed behind the server"])
        }
        if name == "closed with 1013" { #expect(judgement.summary("E1").verdict == .excused, "\(judgement.counts("E1"))") }
    }

    private func tell(_ name: String, _ story: inout Transcript) {
        switch name {
        case "cut by us, resumed":
            story.numbered(1, "alice", [1, 2, 3], at: 0)
            story.isCut(1, at: 20)
            story.resume(2, "alice", "1", at: 40)
            story.numbers(2, "alice", [2, 3, 4, 5], at: 50)
        case "said to be truncated", "said without a thread":
            story.numbered(1, "alice", [1, 2, 3, 4, 5], at: 0)
            story.isCut(1, at: 20)
            story.resume(2, "alice", "1", at: 40)
            story.truncated(2, "alice", thread: name == "said without a thread" ? nil : "t1", at: 45)
            story.numbers(2, "alice", [4, 5, 6], at: 50)
        case "dropped by us", "repeated by us":
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q-t1"), at: 1)
            for (index, type) in ["agent_started", "agent_thinking", "agent_completed"].enumerated() {
                let isLost = name == "dropped by us" && index == 1
                story.number(1, "alice", index + 1, type: type, at: 2 + Double(index), out: isLost ? .some(nil) : .none)
                if isLost { story.fault(1, "drop", Influence(.message, [.delivery]), tap: .clientOut, on: story.last, at: 3) }
            }
            if name == "repeated by us" {
                story.inject(1, Say.event("agent_completed", "alice", run: "r-t1", thread: "t1", more: #","seq":3"#), at: 10)
            }
        case "crossed":
            story.numbered(1, "alice", [1, 2, 3], thread: "ta", at: 0)
            story.numbered(2, "bob", [1, 2, 3], thread: "tb", at: 1)
            story.inject(1, Say.event("agent_thinking", "bob", run: "r-tb", thread: "tb", more: #","seq":9"#), at: 20)
            story.numbers(2, "bob", [4], thread: "tb", at: 30)
        default: tellMore(name, &story)
        }
    }

    private func tellMore(_ name: String, _ story: inout Transcript) {
        switch name {
        case "two connections at once":
            // Each gets all of it.
            story.numbered(1, "alice", [1, 2], at: 0)
            story.enter(2, "alice", at: 20)
            for number in 3...6 {
                story.numbers(1, "alice", [number], at: Double(number) * 10)
                story.numbers(2, "alice", [number], at: Double(number) * 10 + 1)
            }
        case "one stream on two connections":
            story.numbered(1, "alice", [1, 2], at: 0)
            story.enter(2, "alice", at: 20)
            for (index, number) in [4, 3, 5, 7, 6, 8].enumerated() {
                story.numbers(index % 2 + 1, "alice", [number], at: 30 + Double(index))
            }
        case "restarted":
            // It forgot everything, and counts anew.
            story.numbered(1, "alice", [1, 2, 3], at: 0)
            story.isCut(1, at: 20)
            story.resume(2, "alice", "3", at: 40)
            story.truncated(2, "alice", thread: nil, at: 41)
            story.send(2, Say.start("alice", "qr9", thread: "t1"), at: 50)
            for (index, type) in ["agent_started", "agent_thinking", "agent_completed"].enumerated() {
                story.number(2, "alice", index + 1, type: type, run: "r9", at: 51 + Double(index))
            }
        case "no cursor":
            story.numbered(1, "alice", [1, 2, 3], at: 0)
            story.isCut(1, at: 20)
            story.enter(2, "alice", at: 40)
            story.numbers(2, "alice", [7, 8], at: 50)
        case "older cursor":
            story.numbered(1, "alice", [1, 2, 3, 4], at: 0)
            story.isCut(1, at: 20)
            story.resume(2, "alice", "1", at: 40)
            story.fault(2, "resume-stale", Influence(.connection, [.delivery]), tap: .serverOut, at: 40)
            story.numbers(2, "alice", [2, 3, 4, 5], at: 50)
        case "another thread's":
            // Both have a number 2: nobody knows which the server went on with.
            story.numbered(1, "alice", [1, 2, 3], thread: "ta", at: 0)
            story.send(1, Say.start("alice", "q-tb"), at: 10)
            for (index, type) in ["agent_started", "agent_thinking", "agent_thinking"].enumerated() {
                story.number(1, "alice", index + 1, type: type, thread: "tb", at: 11 + Double(index))
            }
            story.isCut(1, at: 20)
            story.resume(2, "alice", "2", at: 40)
            story.numbers(2, "alice", [3, 4], thread: "ta", at: 50)
            story.numbers(2, "alice", [5], thread: "tb", at: 60)
        default: tellMost(name, &story)
        }
    }

    private func tellMost(_ name: String, _ story: inout Transcript) {
        switch name {
        case "new count":
            story.numbered(1, "alice", [1, 2, 3], at: 0)
            story.send(1, Say.start("alice", "qr2", thread: "t1"), at: 20)
            for (index, type) in ["agent_started", "agent_thinking", "agent_completed"].enumerated() {
                story.number(1, "alice", index + 1, type: type, run: "r2", at: 21 + Double(index))
            }
        case "silent cut":
            // The server still talks to the dead connection when the client is back.
            story.numbered(1, "alice", [1, 2], at: 0)
            story.cut(1, nil, [], at: 20)
            story.resume(2, "alice", "2", at: 40)
            story.numbers(2, "alice", [3, 6], at: 50)
            story.closed(1, at: 90)
            story.numbers(2, "alice", [9, 10], at: 100)
        case "no numbers":
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 1)
            story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: 2)
        case "replay without asking":
            story.numbered(1, "alice", [1, 2, 3], at: 0)
            story.leave(1, at: 20)
            story.enter(2, "alice", at: 40)
            story.numbers(2, "alice", [1, 2, 3, 4], at: 50)
        case "reordered by us":
            story.numbered(1, "alice", [1, 2], at: 0)
            story.number(1, "alice", 3, type: "agent_thinking", at: 10, out: 20)
            story.number(1, "alice", 4, type: "agent_completed", at: 11)
            story.fault(1, "reorder", Influence(.message, [.delivery]), tap: .clientOut, on: story.last, at: 11)
        case "a run goes on unheard":
            story.numbered(1, "alice", [1, 2], at: 0)
            story.isCut(1, at: 20)
            story.enter(2, "alice", at: 600)
            story.send(2, Say.start("alice", "qr2", thread: "t1"), at: 610)
            for (index, number) in [3, 6, 8].enumerated() {
                let type = ["agent_started", "agent_thinking", "agent_completed"][index]
                story.number(2, "alice", number, type: type, run: "r2", at: 611 + Double(index))
            }
        case "closed with 1013":
            story.numbered(1, "alice", [1, 2, 3], at: 0)
            story.send(1, Say.start("alice", "qr2", thread: "t1"), at: 10)
            story.number(1, "alice", 4, type: "agent_started", run: "r2", at: 11)
            story.fault(1, "stall-reads", Influence(.connection, [.deadline]), tap: .serverIn, at: 12)
            story.hold(1, true, .server, .fault, at: 12)
            story.hold(1, false, .server, .fault, at: 400)
            story.close(1, by: .server, 1013, at: 410)
            story.end(1, .server, at: 411)
            story.end(1, .client, at: 411)
            story.closed(1, at: 411)
            story.resume(2, "alice", "4", at: 700)
            story.number(2, "alice", 5, type: "agent_completed", run: "r2", at: 710)
        default: Issue.record("no such story: \(name)")
        }
    }

    // MARK: Names of single events

    private static let named = AgentChat.with(#"{"delivery": {"id": "event_id"}}"#)

    @Test func aNameComesOnce() {
        func story(_ again: Int) -> Judgement {
            judge(Self.named) { story in
                story.enter(1, "alice", at: 0)
                story.send(1, Say.start("alice", "q1"), at: 1)
                for (index, type) in ["agent_started", "agent_thinking", "agent_completed"].enumerated() {
                    let name = #","event_id":"e\#(index)""#
                    story.event(1, Say.event(type, "alice", run: "r1", thread: "t1", request: "q1", more: name), at: 2 + Double(index))
                }
                story.enter(2, "alice", at: 20)
                let name = #","event_id":"e2""#
                story.event(again, Say.event("agent_completed", "alice", run: "r1", thread: "t1", request: "q1", more: name), at: 30)
            }
        }
        #expect(story(1).heads == ["D1"])
        #expect(story(2).sentences.isEmpty, "another connection of hers may get it too")
        #expect(story(2).counts("D1") == [3, 3, 0, 0, 0])
    }

    /// What ended well on an earlier connection stands in the answer of a history that is asked for by messages.
    @Test(arguments: [("[]", ["D2"]), (#"[{"run_id":"r1"}]"#, []), (#"[{"run_id":"r0"},{"run_id":"r2"}]"#, ["D2"])])
    func aHistoryKnowsWhatEndedWell(items: String, heads: [String]) {
        let contract = AgentChat.with(
            #"""
            {"delivery": {"history": {"request": "cancel", "event": "final_report", "items": "items[*]", "key": "run_id", "per": "thread"}}}
            """#)
        let judgement = judge(contract) { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 1)
            story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: 2)
            story.send(1, Say.start("alice", "q2"), at: 20)
            story.event(1, Say.event("agent_started", "alice", run: "r2", thread: "t1", request: "q2"), at: 21)
            story.isCut(1, at: 30)
            story.enter(2, "alice", at: 40)
            story.send(2, #"{"type":"cancel","run_id":"r2","thread_id":"t1"}"#, at: 50)
            story.event(2, #"{"type":"final_report","user_id":"alice","thread_id":"t1","run_id":"r2","items":\#(items)}"#, at: 51)
        }
        #expect(judgement.heads == heads, "\(judgement.sentences)")
        #expect(judgement.summary("D2").checked == 1 && judgement.summary("D1").notApplicable == "delivery.sequence")
    }

    @Test func numbersAreKeptAsRanges() {
        var numbers = Numbers()
        for number in [5, 6, 9, 7, 1, 8, 3] { numbers.insert(number) }
        #expect(numbers.ranges == [1...1, 3...3, 5...9])
        #expect(numbers.missing(in: 0...10).ranges == [0...0, 2...2, 4...4, 10...10])
        numbers.remove(7)
        numbers.insert(2)
        #expect(numbers.ranges == [1...3, 5...6, 8...9])
        #expect(numbers.contains(6) && !numbers.contains(7) && numbers.last == 9)
        for number in 0..<200 { numbers.insert(100 + number * 2) }
        #expect(numbers.ranges.count == 64 && numbers.last == 498)
    }

    @Test func manyStreamsAreForgottenOldestFirst() {
        var streams = Streams(capacity: 4)
        var transcript = Transcript()
        transcript.enter(1, "alice", at: 0)
        guard let entry = transcript.entries.last else { return }
        for index in 0..<10 {
            let key = StreamKey(user: .named("alice"), name: "t\(index)")
            streams.take(1, of: key, on: SessionID(1), entry, at: .zero)
        }
        #expect(streams[StreamKey(user: .named("alice"), name: "t5")] == nil)
        #expect(streams[StreamKey(user: .named("alice"), name: "t9")]?.seen.last == 1)
        #expect(streams.standing(2, of: StreamKey(user: .named("alice"), name: "t0"), on: SessionID(1)).last == nil)
    }
}
