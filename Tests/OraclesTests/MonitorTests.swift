import Contracts
import Journaling
import Testing
import Wire
@testable import Oracles

@Suite struct MonitorTests {
    static let ids = MonitorRegistry.all.map { $0.id }

    private func contract(_ rules: String) -> Contract {
        var members: [JSON.Member] = []
        if case .object(let given) = try? JSON.parse(rules) { members = given }
        for id in Self.ids where !members.contains(where: { $0.key == id }) { members.append(.init(key: id, value: .string("off"))) }
        return AgentChat.with(#"{"monitors": \#(JSON.object(members).text)}"#)
    }

    @Test func everyMonitorHasItsStories() {
        #expect(Set(Self.ids) == Set(MonitorStories.all.keys))
        #expect(Set(Self.ids).count == Self.ids.count)
    }

    @Test(arguments: ids)
    func firesAndClears(id: String) throws {
        let stories = try #require(MonitorStories.all[id])
        let contract = contract(stories.rules)
        let firing = judge(contract, until: 80_000, stories.fires)
        let alert = try #require(firing.alerts.first)
        #expect(firing.alerts.count == 1)
        #expect(alert.words == stories.words)
        #expect((alert.monitor, alert.name, alert.severity) == (id, stories.name, stories.severity))
        #expect(alert.cleared == nil || ["unpaired-events", "invalid-transition"].contains(id))
        #expect(firing.monitors.first { $0.id == id }?.alerts == 1)

        let cleared = judge(contract, until: 92_000) { story in
            stories.fires(&story)
            stories.clears(&story)
        }
        #expect(cleared.alerts.count == 1)
        #expect(cleared.alerts.first?.clearing == stories.clearing)
        #expect(!cleared.monitors.contains { $0.firing > 0 })
    }

    @Test(arguments: ids)
    func isQuietWhereNothingIsWrong(id: String) throws {
        let stories = try #require(MonitorStories.all[id])
        let judgement = judge(contract(stories.rules), until: 40_000, stories.quiet)
        #expect(judgement.alerts.map(\.words) == [])
        #expect(judgement.monitors.filter(\.isOn).map(\.id) == [id])
    }

    @Test(arguments: ids)
    func isSilentWhenItIsOff(id: String) throws {
        let stories = try #require(MonitorStories.all[id])
        let judgement = judge(contract("{}"), until: 92_000, stories.fires)
        #expect(judgement.alerts.isEmpty)
        #expect(!judgement.monitors.contains { $0.isOn })
    }

    /// Alerts are no verdicts.
    @Test(arguments: ids)
    func changesNoVerdict(id: String) throws {
        let stories = try #require(MonitorStories.all[id])
        var with = judge(contract(stories.rules), until: 80_000, stories.fires)
        let without = judge(contract("{}"), until: 80_000, stories.fires)
        (with.alerts, with.monitors) = (without.alerts, without.monitors)
        #expect(with == without)
    }

    @Test func healthyTrafficIsSilentUnderTheDefaults() {
        let judgement = judge(AgentChat.contract, until: 100_000) { story in
            for id in 1...30 {
                story.enter(id, "user\(id)", at: Double(id) * 100)
                story.send(id, Say.start("user\(id)", "q\(id)"), at: Double(id) * 1_000)
                story.wholeRun(id, "user\(id)", run: "r\(id)", thread: "t\(id)", request: "q\(id)", at: Double(id) * 1_000 + 10)
            }
            for (words, kind) in Say.fiveErrors.dropLast() {
                story.send(1, words, at: 60_000)
                story.event(1, Say.error(kind), at: 60_100)
            }
        }
        #expect(judgement.alerts.map(\.words) == [])
        #expect(!judgement.monitors.contains { !$0.isOn })
        #expect((judgement.vitals.runsBegun, judgement.vitals.runsCompleted, judgement.vitals.runsDecided) == (30, 30, 30))
        #expect((judgement.vitals.sessions, judgement.vitals.survivedOrResumed) == (30, 30))
    }

    /// Without a contract those of connections watch, by their defaults.
    @Test func withoutAContract() {
        let judgement = judge(nil, until: 60_000) { story in
            story.upgrade(1, nil, at: 0)
            story.open(2, nil, at: 0)
            story.end(2, .server, at: 100)
            story.closed(2, at: 120)
        }
        let words = judgement.alerts.map { "\($0.name): \($0.words)" }
        #expect(
            words == [
                "invalid transition: open to closed: the server ends the connection without a Close",
                "stuck authentication: no answer to the upgrade for 30 s",
            ])
        #expect(
            judgement.monitors.filter(\.isOn).map(\.id)
                == ["stuck-authentication", "auth-failures", "invalid-transition", "connect-success", "connect-time"])
    }

    /// Time in which miswire itself stood still is nobody's silence.
    @Test func whatNobodySawIsNoSilence() {
        let contract = contract(#"{"silent-failure": "20s"}"#)
        func story(_ story: inout Transcript) {
            story.enter(1, "alice", at: 0)
            story.ticks(from: 0, to: 1_000)
            story.send(1, Say.start("alice", "q1"), at: 1_000)
            story.ticks(from: 50_000, to: 60_000)
        }
        #expect(judge(contract, until: 60_000, story).alerts.isEmpty)
        let later = judge(contract, until: 75_000) { transcript in
            story(&transcript)
            transcript.ticks(from: 60_100, to: 75_000)
        }
        #expect(later.alerts.map(\.began) == [Transcript.instant(69_000)])
    }

    /// A recording of some users lacks what others heard.
    @Test func whatNeedsEveryoneIsOffWhereSomeAreMissing() {
        var story = Transcript()
        story.enter(1, "alice", at: 0)
        story.send(1, Say.start("alice", "q1"), at: 10)
        var judge = Judge(contract: AgentChat.contract, absence: .users)
        for entry in inOrder(story.entries) { judge.observe(entry) }
        let judgement = judge.conclude(at: Transcript.instant(600_000))
        #expect(judgement.alerts.map(\.monitor) == ["unpaired-events", "event-flow-breakdown"])
        #expect(judgement.monitors.first { $0.id == "silent-failure" }?.isOn == false)
    }

    @Test func aFloodOfAlertsIsCounted() {
        let judgement = judge(contract(#"{"stuck-authentication": "1s"}"#), until: 5_000) { story in
            for id in 1...50 { story.upgrade(id, "user\(id)", at: Double(id)) }
        }
        #expect(judgement.alerts.count == AlertBook.mostOpen)
        #expect(judgement.monitors.first { $0.id == "stuck-authentication" }?.untold == 34)
    }

    @Test func whoComesBackHasResumed() {
        let judgement = judge(until: 30_000) { story in
            story.enter(1, "alice", at: 0)
            story.cut(1, .reset, [.server], at: 100)
            story.closed(1, at: 101)
            story.enter(2, "alice", at: 200)
            story.enter(3, "bob", at: 0)
            story.close(3, by: .server, 1011, at: 300)
            story.closed(3, at: 301)
        }
        #expect((judgement.vitals.sessions, judgement.vitals.lost, judgement.vitals.resumed) == (3, 2, 1))
    }

    /// Whoever comes and goes within a second was let in all the same.
    @Test func shortVisitsAreLetIn() {
        func alerts(_ story: @escaping (inout Transcript, Int, Double) -> Void) -> [String] {
            judge(contract(#"{"auth-failures": "5%"}"#), until: 60_000) { transcript in
                for id in 1...100 {
                    transcript.open(id, "alice", at: Double(id) * 10)
                    story(&transcript, id, Double(id) * 10 + 1)
                    transcript.closed(id, at: Double(id) * 10 + 3)
                }
                for id in 101...120 {
                    transcript.upgrade(id, "mallory", at: 5_000, state: .unknown)
                    transcript.refuse(id, 401, at: 5_001)
                    transcript.closed(id, at: 5_002)
                }
            }.alerts.map(\.words)
        }
        let all = ["5.6 %, 6 of 106 in 5 min, at most 5%"]
        #expect(alerts { story, id, at in story.end(id, .client, at: at) } == all)
        #expect(alerts { story, id, at in story.close(id, by: .client, 1000, at: at) } == all)
        let served = alerts { story, id, at in
            story.event(id, #"{"type":"connected","user_id":"alice","connection_id":"ws_1"}"#, at: at)
            story.end(id, .server, at: at + 1)
        }
        #expect(served == all)
        // Whom the server sends away without a word, of him nobody knows.
        #expect(alerts { story, id, at in story.end(id, .server, at: at) } == ["100.0 %, 20 of 20 in 5 min, at most 5%"])
    }

    @Test func aFewBadOnesProveNothing() {
        let few = judge(contract(#"{"auth-failures": "5%", "connect-success": "99%", "connect-time": "200ms"}"#), until: 60_000) { story in
            for id in 1...100 { story.open(id, "alice", at: Double(id)) }
            for id in 101...102 {
                story.upgrade(id, "bob", at: 1_000)
                story.refuse(id, 503, at: 1_001)
                story.upgrade(id + 10, "bob", at: 1_000)
                story.accept(id + 10, at: 1_900)
            }
        }
        #expect(few.alerts.map(\.words) == [])
        let strangers = judge(contract(#"{"auth-failures": "5%"}"#), until: 60_000) { story in
            for id in 1...19 {
                story.upgrade(id, "mallory", at: Double(id), state: .unknown)
                story.refuse(id, 401, at: Double(id) + 0.5)
            }
        }
        #expect(strangers.alerts.map(\.words) == [])
    }

    /// What found no room is told when there is some.
    @Test func whatFoundNoRoomIsToldLater() {
        let contract = contract(#"{"stuck-authentication": "1s", "event-flow-breakdown": "3s"}"#)
        let judgement = judge(contract, until: 7_500) { story in
            for id in 1...50 { story.upgrade(id, "user\(id)", at: Double(id)) }
            for id in 1...16 { story.accept(id, at: 5_000) }
        }
        let status = judgement.monitors.first { $0.id == "stuck-authentication" }
        #expect((status?.alerts, status?.firing, status?.untold) == (32, 16, 18))
        #expect(judgement.alerts.last?.words == "no answer to the upgrade for 5 s", "as long as it is by then")
        let runs = judge(contract, until: 20_000) { story in
            for id in 1...20 {
                story.enter(id, "user\(id)", at: Double(id))
                story.send(id, Say.start("user\(id)", "q\(id)"), at: 100 + Double(id))
                story.event(id, Say.event("agent_started", "user\(id)", run: "r\(id)", thread: "t\(id)", request: "q\(id)"), at: 200 + Double(id))
            }
            for id in 1...16 { story.event(id, Say.event("agent_completed", "user\(id)", run: "r\(id)", thread: "t\(id)"), at: 10_000) }
        }
        let flow = runs.monitors.first { $0.id == "event-flow-breakdown" }
        #expect((flow?.alerts, flow?.firing, flow?.untold) == (20, 4, 0))
    }

    /// It is not told of events that nobody waits for, and knows when the last one was all the same.
    @Test(arguments: [false, true])
    func silenceIsCountedFromTheLastEventOfARun(isHeld: Bool) {
        let judgement = judge(contract(#"{"silent-failure": "2s"}"#), until: 30_000) { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: 11)
            for second in 1...9 {
                story.event(1, Say.event("agent_thinking", "alice", run: "r1", thread: "t1"), at: Double(second) * 1_000)
            }
            // Looked at each time its bound is over, and not read from until then.
            if isHeld {
                story.hold(1, true, at: 10_000)
                story.hold(1, false, at: 12_000)
            }
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "t1"), at: 14_000)
        }
        #expect(judgement.alerts.map(\.began.nanoseconds) == [(isHeld ? 13 : 11) * 1_000_000_000])
        #expect(judgement.alerts.map(\.clearing) == [isHeld ? "an event after 3 s" : "an event after 5 s"])
    }

    /// A server that answers only miswire's own runs is silent.
    @Test func syntheticRunsAreNobodys() {
        func alerts(_ agent: String?) -> [String] {
            judge(contract(#"{"silent-failure": "5s", "event-rate": "1/5s", "auth-failures": "5%"}"#), until: 30_000) { story in
                story.enter(1, "alice", at: 0)
                story.send(1, Say.start("alice", "q1"), at: 1_000)
                story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: 1_001)
                for second in 2...29 {
                    let id = 100 + second
                    story.open(id, "miswire-health", at: Double(second) * 1_000, agent: agent)
                    story.wholeRun(id, "miswire-health", run: "r\(id)", thread: "t\(id)", request: "q\(id)", at: Double(second) * 1_000 + 10)
                    story.close(id, by: .client, 1000, at: Double(second) * 1_000 + 500)
                    story.closed(id, at: Double(second) * 1_000 + 501)
                }
            }.alerts.map(\.monitor)
        }
        #expect(alerts(SyntheticRuns.agent).sorted() == ["event-rate", "silent-failure"])
        #expect(alerts(nil) == [])
        let vitals = judge(until: 5_000) { $0.open(1, "miswire-health", at: 0, agent: SyntheticRuns.agent) }.vitals
        #expect(vitals.sessions == 0)
    }

    /// Only what was up can be lost, and each loss is made good once.
    @Test func onlyWhatWasUpIsLost() {
        let contract = AgentChat.with(#"{"session": {"greeting": "connected", "ready": "connected", "within": "2s"}}"#)
        let judgement = judge(contract, until: 30_000) { story in
            story.enter(1, "alice", at: 0)
            for id in 2...6 {
                story.open(id, "bob", at: 10)
                story.cut(id, .reset, [.server], at: 100)
                story.closed(id, at: 101)
            }
        }
        #expect((judgement.vitals.sessions, judgement.vitals.lost, judgement.vitals.survivedOrResumed) == (1, 0, 1))
        let twice = judge(until: 30_000) { story in
            for id in 1...2 {
                story.enter(id, "alice", at: 0)
                story.cut(id, .reset, [.server], at: 100)
                story.closed(id, at: 101)
            }
            for id in 3...5 { story.enter(id, "alice", at: 1_000) }
        }
        #expect((twice.vitals.sessions, twice.vitals.lost, twice.vitals.resumed) == (5, 2, 2))
    }

    /// However long the oldest of them is open.
    @Test func alertsAreKeptWithinBounds() {
        var book = AlertBook()
        book.enrol(MonitorStatus(id: "x", name: "x", severity: .high, isOn: true))
        func at(_ second: Int) -> Instant { Transcript.instant(Double(second) * 1_000) }
        let isTold = book.open("first", subject: 1, at: at(0))
        for turn in 1...3_000 {
            book.open("\(turn)", subject: 2, at: at(turn))
            book.clear("over", subject: 2, at: at(turn))
            _ = book.takeNews()
        }
        #expect(book.alerts.count == AlertBook.mostKept && book.alerts.last?.words == "3000")
        #expect(book.isOpen(1))
        book.clear("at last", subject: 1, at: at(4_000))
        let news = book.takeNews().map(\.alert.words)
        #expect(isTold && news == ["first"] && book.alerts.first?.clearing == "at last")
        #expect(book.statuses.first?.firing == 0)
    }

    /// A server that had no chance to answer is not gone.
    @Test func shuttingDownBlamesNobody() {
        func alerts(_ end: @escaping (inout Transcript, Int) -> Void) -> [String] {
            judge(contract(#"{"connect-success": "99%"}"#), until: 60_000) { story in
                for id in 1...3 {
                    story.upgrade(id, "alice", at: 0)
                    end(&story, id)
                    story.closed(id, at: 5_000)
                }
            }.alerts.map(\.words)
        }
        let gone = ["0.0 %, 0 of 3 in 5 min, needs 99%"]
        #expect(alerts { _, _ in } == [])
        #expect(alerts { story, id in story.end(id, .client, .reset, by: .tool, at: 4_999) } == [])
        #expect(alerts { story, id in story.end(id, .server, at: 4_999) } == gone)
        #expect(alerts { story, id in story.end(id, .client, at: 4_999) } == gone)
        let refused = alerts { story, id in
            story.end(id, .server, .reset, at: 4_998)
            story.end(id, .client, by: .tool, at: 4_999)
        }
        #expect(refused == gone)
    }

    /// What came about, what did not by the server's doing, and how long it took.
    @Test func connectionsAreCounted() {
        let vitals = judge(until: 60_000) { story in
            for id in 1...10 {
                story.upgrade(id, "alice", at: 0)
                story.accept(id, at: Double(id) * 10)
            }
            for id in 11...15 {
                story.upgrade(id, "alice", at: 0)
                story.refuse(id, 503, at: 10)
                story.upgrade(id + 10, "alice", at: 0)
                story.refuse(id + 10, 401, at: 10)
            }
            for id in 31...32 {
                story.upgrade(id, "alice", at: 0)
                story.opaque(id, at: 20)
                story.end(id, .server, at: 21)
                story.closed(id, at: 22)
            }
            story.upgrade(41, "alice", at: 0)
            story.cut(41, .reset, [.server], at: 10)
            story.closed(41, at: 11)
            story.upgrade(42, "alice", at: 0)
            story.fault(42, "accept-delay", Influence(.handshake, [.greetingDeadline]), tap: .clientOut, held: .seconds(1), at: 1)
            story.accept(42, at: 900)
        }.vitals
        #expect((vitals.connected, vitals.unconnected, vitals.connect.count) == (10, 7, 10))
        #expect(vitals.connect.maximum == .milliseconds(100))
    }
}
