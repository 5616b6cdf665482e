import Journaling
import NIOCore
import Testing
import Wire

@testable import Oracles

/// One journal, one judgement: live, later, and from a recording.
@Suite struct LiveOfflineTests {
    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func judgedLiveLaterAndFromARecording(seed: UInt64) throws {
        let entries = RandomJournal(seed: seed).entries
        let end = (entries.map(\.instant).max() ?? .zero).advanced(by: .milliseconds(Int64(seed % 3) * 700))
        for contract in [AgentChat.contract, nil] {
            var offline = Judge(contract: contract)
            for entry in entries { offline.observe(entry) }
            let judgement = offline.conclude(at: end)

            var live = Judge(contract: contract)
            var dice = Dice(DiceKey(seed: seed, profile: "live", user: "", connection: 0), direction: .toServer, message: 0, fault: "")
            var now = Instant.zero
            for (index, entry) in entries.enumerated() {
                // As far as the promise of `advance` allows: nothing earlier comes any more.
                let horizon = entries[index...].prefix(64).map(Reader.horizon).min() ?? entry.instant
                while horizon > now, dice.below(3) > 0 {
                    let gap = UInt64(clamping: horizon.nanoseconds - now.nanoseconds)
                    now = now.advanced(by: .nanoseconds(Int64(clamping: dice.below(gap) + 1)))
                    live.advance(to: now)
                }
                if dice.below(16) == 0 { _ = live.conclude(at: max(now, Reader.horizon(of: entry))) }
                if dice.below(8) == 0 { _ = live.newFindings() }
                live.observe(entry)
            }
            #expect(live.conclude(at: end) == judgement)

            var recorded = Judge(contract: contract)
            for entry in entries { recorded.observe(try roundTrip(entry)) }
            #expect(recorded.conclude(at: end) == judgement)
        }
    }

    @Test func randomJournalsReachEverything() {
        var verdicts: Set<String> = []
        for seed in 1...150 as ClosedRange<UInt64> {
            var judge = Judge(contract: AgentChat.contract)
            let entries = RandomJournal(seed: seed).entries
            for entry in entries { judge.observe(entry) }
            for summary in judge.conclude(at: entries.last?.instant ?? .zero).properties {
                if summary.failed > 0 { verdicts.insert("\(summary.id) fail") }
                if summary.inconclusive > 0 { verdicts.insert("\(summary.id) inconclusive") }
                if summary.excused > 0 { verdicts.insert("\(summary.id) excused") }
                if summary.passed > 0 { verdicts.insert("\(summary.id) pass") }
            }
        }
        for id in PropertyRegistry.all.map({ $0.id }) {
            for verdict in ["fail", "inconclusive", "pass"] { #expect(verdicts.contains("\(id) \(verdict)")) }
        }
        for id in ["H1", "E1", "E3", "E4"] { #expect(verdicts.contains("\(id) excused")) }
    }

    private func roundTrip(_ entry: Entry) throws -> Entry {
        var buffer = ByteBuffer()
        EntryCodec.encode(entry, into: &buffer)
        let line = buffer.readSlice(length: max(0, buffer.readableBytes - 1)) ?? ByteBuffer()
        let decoded = try EntryCodec.decode(line, place: "test:1")
        guard case .entry(let copy) = decoded else {
            Issue.record("no entry")
            return entry
        }
        #expect(copy == entry)
        return copy
    }
}

/// Users who talk with a server that is right, wrong, slow or gone by the dice, over two loops that tick or stall.
struct RandomJournal {
    let entries: [Entry]

    struct Teller {
        var story = Transcript()
        var dice: Dice
        var at = 0.0
        var next = 0
        var live: [(session: Int, user: String)] = []
        var runs: [(session: Int, user: String, run: String)] = []
        /// The last number that each user was told.
        var numbers: [String: Int] = [:]

        mutating func below(_ n: UInt64) -> UInt64 { dice.below(n) }
        mutating func id(_ letter: String) -> String {
            next += 1
            return "\(letter)\(next)"
        }
        mutating func pick<Element>(_ items: [Element]) -> Element? {
            items.isEmpty ? nil : items[Int(clamping: below(UInt64(items.count)))]
        }
    }

    init(seed: UInt64) {
        var teller = Teller(
            dice: Dice(
                DiceKey(seed: seed, profile: "journal", user: "", connection: 0), direction: .toClient, message: 0, fault: ""))
        let ticks = seed % 3 > 0
        teller.begin(seed)
        for step in 0..<60 {
            teller.at += [0, 0.5, 3, 40, 240, 1_100][Int(clamping: teller.below(6))]
            teller.story.loop = UInt16(clamping: teller.below(2))
            if ticks, teller.below(8) > 0 { teller.story.tick(at: teller.at) }
            teller.tell(step)
            if teller.below(4) == 0 { teller.count() }
        }
        entries = teller.story.entries.enumerated().map { index, entry in
            var entry = entry
            entry.number = UInt64(index) + 1
            return entry
        }
    }
}

extension RandomJournal.Teller {
    /// What befalls a target as a whole, and a request with a line end in it.
    mutating func begin(_ seed: UInt64) {
        switch seed % 3 {
        case 0: ResourceStories.waiting(&story, beside: 3_000)
        case 1: ResourceStories.waiting(&story, beside: 100)
        default: ResourceStories.waiting(&story, alone: 2, beside: 100)
        }
        for round in 0..<[2, 3, 2][Int(clamping: seed % 3)] {
            story.checkpoint(round, peak: seed % 3 == 0 && round > 0 ? 2 << 30 : nil, at: 3_500 + Double(round))
        }
        if seed % 4 == 0 { story.target(.gone("exit 3"), at: 3_600) }
        story.ask(3, "/ws?a=%0d%0aX-Miswire:%20yes", at: 3_700)
        if seed % 3 < 2 { story.answer(3, 400, seed % 3 == 0 ? ["x-miswire: yes"] : [], at: 3_701) }
        next = 10
        at = 4_000
    }

    mutating func tell(_ step: Int) {
        switch below(16) {
        case 0, 1: arrive()
        case 2, 3, 4: ask()
        case 5, 6: refuse()
        case 7, 8, 9: goOn()
        case 10: stray()
        case 11: end()
        case 12: fault()
        case 13: authenticate()
        case 14: odd()
        case 15: unmask()
        default: break
        }
    }

    private mutating func arrive() {
        next += 1
        let session = next
        let user = ["alice", "bob", "carol"][Int(clamping: below(3))]
        switch below(6) {
        case 0: story.open(session, user, at: at)
        case 1: story.bring(session, user, tag: "jwt:\(user)", at: at)
        default: story.enter(session, user, at: at)
        }
        live.append((session, user))
    }

    /// A frame on which a server must fail the connection; it goes on.
    private mutating func unmask() {
        guard let (session, _) = pick(live) else { return }
        next += 1
        let canary = "mwc-" + String(repeating: "0", count: 12 - "\(next)".count) + "\(next)"
        let text = #"{"type":"notice","text":"\#(canary)"}"#
        story.frame(session, .toServer, Frame(opcode: .text, payload: ByteBuffer(string: text)), at: at)
        story.event(session, text, at: at + 1)
    }

    private mutating func ask() {
        guard let (session, user) = pick(live) else { return }
        let request = below(2) == 0 ? id("q") : nil
        let canary = "mwc-" + String(repeating: ["a", "b", "c"][Int(clamping: below(3))], count: 12)
        story.send(session, Say.start(user, request, text: "say \(canary)"), at: at, faults: below(6) == 0 ? ["f2"] : [])
        guard below(5) > 0 else { return }
        let run = id("r")
        story.event(session, Say.event("agent_started", user, run: run, thread: "t\(user)", request: request), at: at + 0.25)
        at += 0.25
        runs.append((session, user, run))
    }

    private mutating func refuse() {
        guard let (session, user) = pick(live), let (text, kind) = pick(Say.fiveErrors + [("{", "message_processing_error")])
        else { return }
        story.send(session, text, at: at)
        at += 0.125
        switch below(8) {
        case 0: break
        case 1: if let other = pick(live) { story.event(other.session, Say.error(kind, user: user), at: at) }
        case 2: story.event(session, #"{"type":"error","error":"\#(kind)"}"#, at: at)
        case 3:
            let request = below(2) == 0 ? id("q") : nil
            if let request { story.send(session, Say.start(nil, request), at: at) }
            story.event(
                session, Say.event("agent_started", user, run: id("r"), thread: "t\(user)", request: request), at: at)
        case 4:
            at += 1_200
            story.event(session, Say.error(kind), at: at)
        default: story.event(session, Say.error(kind, user: user), at: at)
        }
    }

    private mutating func goOn() {
        guard let index = runs.isEmpty ? nil : Int(clamping: below(UInt64(runs.count))) else { return }
        let (session, user, run) = runs[index]
        let types = ["agent_thinking", "tool_executing", "tool_completed", "agent_completed"]
        let type = types[Int(clamping: below(4))]
        let thread = below(12) == 0 ? "u\(user)" : "t\(user)"
        story.event(session, Say.event(type, user, run: run, thread: thread, more: #","tool_name":"t""#), at: at)
        if type == "agent_completed", below(4) > 0 { runs.remove(at: index) }
    }

    private mutating func stray() {
        guard let to = pick(live), let of = pick(runs) else { return }
        switch below(4) {
        case 0: story.event(to.session, Say.event("agent_thinking", of.user, run: of.run, thread: "t\(of.user)"), at: at)
        case 1: story.event(to.session, #"{"type":"mused","text":"mwc-aaaaaaaaaaaa"}"#, at: at)
        case 2: story.event(to.session, Say.error("agent_execution_error", more: #","run_id":"\#(of.run)""#), at: at)
        default: story.send(to.session, #"{"type":"cancel","run_id":"\#(of.run)"}"#, at: at)
        }
    }

    private mutating func end() {
        guard !live.isEmpty else { return }
        let (session, _) = live.remove(at: Int(clamping: below(UInt64(live.count))))
        switch below(5) {
        case 0: story.close(session, by: .client, 1000, at: at)
        case 1: story.close(session, by: .server, [1000, 1007, 1011, 4401][Int(clamping: below(4))], at: at)
        case 2: story.end(session, .server, .reset, at: at)
        case 3: story.end(session, .client, .finish, at: at)
        default: story.end(session, .client, .finish, by: .tool, at: at)
        }
    }

    private mutating func fault() {
        guard let (session, _) = pick(live) else { return }
        if below(2) == 0 {
            story.fault(session, "cut", Influence(.openOperations, [.ending]), tap: .serverOut, at: at)
            story.end(session, .server, .reset, by: .fault, at: at)
        } else {
            story.fault(
                session, "accept-delay", Influence(.handshake, [.greetingDeadline, .deadline]), tap: .serverOut,
                held: .milliseconds(300), expect: expectation(), at: at)
        }
    }

    private mutating func expectation() -> Journaling.Expectation? {
        let all = Journaling.Expectation.What.allCases
        let what = all[Int(clamping: below(UInt64(all.count)))]
        return below(4) == 0 ? nil : .init(what: what, codes: below(2) == 0 ? [] : [1007, 4401], within: .milliseconds(Int64(below(400))))
    }

    private mutating func authenticate() {
        next += 1
        let states: [Facts.State] = [.forged, .expired, .absent, .corrupt, .unknown]
        let state = states[Int(clamping: below(5))]
        story.upgrade(next, state == .absent ? nil : "alice", at: at, state: state, faults: below(2) == 0 ? ["f3"] : [])
        switch below(4) {
        case 0: story.refuse(next, 401, at: at)
        case 1: story.accept(next, at: at)
        case 2: break
        default:
            story.accept(next, at: at)
            story.close(next, by: .server, 4401, at: at)
        }
    }

    private mutating func odd() {
        guard let (session, user) = pick(live) else { return }
        switch below(6) {
        case 4: story.discloses(session, below(2) == 0 ? "jwt:\(user)" : "jwt:alice", in: "a close reason", at: at)
        case 0: story.unlifted(session, below(2) == 0 ? .toClient : .toServer, at: at)
        case 1: story.bytes(session, .illegal, .toServer, "xxxx", at: at)
        case 2: story.send(session, #"{"type":"agent_started","user_id":"\#(user)","x":NaN}"#, at: at)
        case 3:
            story.send(session, Say.start(user, id("q")), at: at, out: .some(nil), faults: ["f1"])
            if let other = pick(live) { story.cross(other.session, Say.start(user, "qx"), at: at + 1, source: story.last, faults: ["f1"]) }
            at += 1
        default: story.send(session, "\u{0}\u{1}", at: at, opcode: .binary)
        }
    }
}
