import Contracts
import Journaling
import NIOCore
import Testing
import Wire

@testable import Plans

/// Writes a journal by hand, one line an entry, a millisecond apart.
struct HandJournal {
    private(set) var entries: [Entry] = []
    private var ordinals: [UInt32: UInt32] = [:]
    private var milliseconds: Int64 = 0

    mutating func pass(_ milliseconds: Int64) { self.milliseconds += milliseconds }

    mutating func add(_ session: UInt32, _ body: (Instant) -> Entry.Body) {
        milliseconds += 1
        let at = Instant(nanoseconds: milliseconds * 1_000_000)
        ordinals[session, default: 0] += 1
        entries.append(
            Entry(
                number: UInt64(entries.count + 1), instant: at, loop: 0, sequence: UInt64(entries.count),
                ref: EntryRef(session: SessionID(session), ordinal: ordinals[session] ?? 0), body: body(at)))
    }

    /// Transport, request, credential and 101.
    mutating func open(
        _ session: UInt32, _ user: String? = nil, head: String = "GET /ws HTTP/1.1\r\nHost: h\r\n",
        place: String? = nil,
        state: Facts.State = .intact, tag: String? = nil, status: Int = 101
    ) {
        add(session) { _ in .opened(Opened(transport: TransportID(session), peer: "127.0.0.1:1")) }
        add(session) { at in
            .head(HeadRecord(passage: Passage(.toServer, in: at, out: at), bytes: ByteBuffer(string: head + "\r\n")))
        }
        add(session) { _ in .facts(Facts(tap: .clientIn, user: user, place: place, state: state, tag: tag)) }
        add(session) { _ in
            status == 101 ? .became(.accepted(subprotocol: nil, deflate: false)) : .became(.refused(status: status))
        }
    }

    mutating func frame(_ session: UInt32, _ direction: Direction, _ frame: Frame, whole: String? = nil) {
        let message =
            frame.fin
            ? MessageRecord(
                opcode: frame.opcode, payload: whole.map { ByteBuffer(string: $0) } ?? frame.payload, ordinal: 1) : nil
        add(session) { at in
            .frame(FrameRecord(passage: Passage(direction, in: at, out: at), frame: frame, message: message))
        }
    }

    /// An upgrade that nobody is known to have answered.
    mutating func ask(_ session: UInt32) {
        add(session) { _ in .opened(Opened(transport: TransportID(session), peer: "127.0.0.1:1")) }
        add(session) { at in
            let head = ByteBuffer(string: "GET /ws HTTP/1.1\r\nHost: h\r\n\r\n")
            return .head(HeadRecord(passage: Passage(.toServer, in: at, out: at), bytes: head))
        }
    }

    /// A gap, of unknown length unless it is told.
    mutating func lack(_ session: UInt32, _ direction: Direction, _ count: UInt64 = 0) {
        add(session) { at in
            let passage = Passage(direction, in: at, out: at)
            return .bytes(BytesRecord(passage: passage, kind: .missing, bytes: ByteBuffer(), wireSize: count))
        }
    }

    /// A message too large or too broken to be held.
    mutating func getsUnheld(_ session: UInt32) {
        add(session) { at in
            .frame(
                FrameRecord(
                    passage: Passage(.toClient, in: at, out: at), frame: Frame(opcode: .text, payload: ByteBuffer()),
                    message: MessageRecord(opcode: .text, payload: nil, unlifted: "L4", ordinal: 1)))
        }
    }

    mutating func says(_ session: UInt32, _ text: String) {
        frame(session, .toServer, Frame(opcode: .text, maskKey: 1, payload: ByteBuffer(string: text)))
    }

    mutating func gets(_ session: UInt32, _ text: String) {
        frame(session, .toClient, Frame(opcode: .text, payload: ByteBuffer(string: text)))
    }

    mutating func close(_ session: UInt32, _ direction: Direction = .toServer, _ code: UInt16 = 1000) {
        frame(
            session, direction,
            Frame(
                opcode: .close, maskKey: direction == .toServer ? 1 : nil,
                payload: CloseBody(code: code, reason: "bye").payload))
    }

    mutating func end(_ session: UInt32, _ side: Side = .client, _ style: EndStyle = .finish) {
        add(session) { _ in .ended(EndRecord(side: side, style: style, by: .peer)) }
        add(session) { _ in .closed(Totals(clientIn: 0, clientOut: 0, serverIn: 0, serverOut: 0)) }
    }

    func lift(_ contract: Contract? = nil, epoch: Int64? = nil) throws -> Lift {
        let lift = PlanLift.lift(entries: entries, contract: contract, epoch: epoch)
        for plan in lift.plans { #expect(try PlanText.parse(PlanText.print(plan.plan)) == plan.plan) }
        return lift
    }

    /// The steps of the only plan: `alice send {…}`.
    func steps(epoch: Int64? = nil) throws -> [String] {
        let lift = try lift(epoch: epoch)
        #expect(lift.plans.count == 1)
        #expect(lift.left == [])
        return lift.plans.first?.plan.steps.map { step in
            ((step.user ?? "") + (step.connection.map { "." + $0 } ?? "")) + " " + PlanText.words(of: step.verb)
        } ?? []
    }
}

@Suite struct PlanLiftTests {
    /// What the client said behind a gap is not what it said: nobody plays it as if it were all.
    @Test(arguments: [0, 1_460] as [UInt64]) func aClientsGapLeavesTheSessionOut(_ count: UInt64) throws {
        var journal = HandJournal()
        journal.open(1, "alice")
        journal.says(1, "one")
        journal.lack(1, .toServer, count)
        journal.says(1, "three")
        journal.end(1)
        let lift = try journal.lift()
        #expect(lift.plans.isEmpty)
        #expect(lift.left == [.init(session: SessionID(1), reason: "a part of what the client said is missing in the recording")])
    }

    @Test func aSessionBecomesConnectGuardsSendsAndClose() throws {
        var journal = HandJournal()
        journal.open(
            1, "alice", head: "GET /ws?token=‹jwt:a1›&v=2 HTTP/1.1\r\nHost: h\r\nOrigin: http://a\r\nUser-Agent: x\r\n",
            place: "query token", tag: "jwt:a1")
        journal.gets(1, #"{"type":"connected","user_id":"alice"}"#)
        journal.says(1, #"{"type":"go","user_id":"alice","n":1}"#)
        journal.pass(1_000)
        journal.gets(1, #"{"type":"done"}"#)
        journal.says(1, "not json")
        journal.close(1, .toServer, 1001)
        journal.end(1)
        #expect(
            try journal.steps()
                == [
                    "alice connect /ws?v=2 header Origin: http://a", "alice until open within 1s",
                    "alice until connected within 1s", #"alice send {"type":"go","user_id":$alice.id,"n":1}"#,
                    "alice until done within 3.1s", #"alice send text "not json""#, #"alice close 1001 "bye""#,
                ].map { $0.replacing("3.1s", with: "3100ms") })
        #expect(try journal.lift().plans[0].plan.users == [Plan.User(name: "alice", credential: "query")])
    }

    @Test func whatTheServerMadeIsBoundToWhereItCameFrom() throws {
        var journal = HandJournal()
        journal.open(1, "alice")
        journal.open(2, "bob")
        journal.gets(1, #"{"type":"started","run_id":"r-1","thread_id":"t-77","o":{"a":[1],"id":"x-12"},"k":"common"}"#)
        journal.gets(2, #"{"type":"started","run_id":"r-9","thread_id":"t-99","seq":4096}"#)
        journal.gets(1, #"{"type":"started","run_id":"r-2"}"#)
        journal.gets(1, #"{"type":"note","conn":"c-1001"}"#)
        journal.says(1, #"{"a":"t-77","b":"r-2","c":"common","d":["x-12"],"e":"c-1001"}"#)
        journal.says(1, #"{ "thread_id" : "t-99", "seq": 4096, "n": 77 }"#)
        let steps = try journal.steps()
        // Three signs prove nothing.
        #expect(
            steps.contains(#"alice send {"a":$run1.thread_id,"b":"r-2","c":"common","d":[$run1.o.id],"e":$alice.conn}"#)
        )
        #expect(steps.contains(#"alice send { "thread_id" : $bob.run1.thread_id, "seq": $bob.run1.seq, "n": 77 }"#))
        // bob has seen it before alice says it.
        let seen = try #require(steps.firstIndex { $0.hasPrefix("bob until started") })
        #expect(seen < (steps.firstIndex { $0.contains("$bob.run1") } ?? 0))
    }

    @Test func identifiersOfFourSignsAreBound() throws {
        var journal = HandJournal()
        journal.open(1, "alice")
        journal.gets(1, #"{"type":"started","run_id":"run-1","thread_id":"thr-77"}"#)
        journal.gets(1, #"{"type":"started","run_id":"run-2","thread_id":"thr-78"}"#)
        journal.says(1, #"{"run_id":"run-1","thread_id":"thr-78"}"#)
        #expect(try journal.steps().last == #"alice send {"run_id":$run1.run_id,"thread_id":$run2.thread_id}"#)
    }

    @Test func aValueThatBindingNoLongerGivesStaysAsItIs() throws {
        var journal = HandJournal()
        journal.open(1, "alice")
        journal.gets(1, #"{"type":"a","cursor":"c-1000"}"#)
        journal.gets(1, #"{"type":"a","cursor":"c-2000"}"#)
        journal.says(1, #"{"from":"c-1000","to":"c-2000"}"#)
        #expect(try journal.steps().last == #"alice send {"from":"c-1000","to":$alice.cursor}"#)
    }

    @Test func whatChangesFromPlayToPlayBecomesAVariable() throws {
        var journal = HandJournal()
        journal.open(
            1, "alice", head: "GET /ws HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ‹jwt:a1›\r\n",
            place: "header authorization", tag: "jwt:a1")
        journal.open(
            2, "bob", head: "GET /ws HTTP/1.1\r\nHost: h\r\nCookie: token=‹jwt:b2›\r\n", place: "cookie token",
            tag: "jwt:b2")
        journal.says(
            1,
            #"{"m":"say mwc-a1b2c3d4e5f6!","r":"alice-1","u":"123e4567-e89b-42d3-a456-426614174000","t":"‹jwt:a1›","f":"‹jwt:b2›","ts":"1790000000","w":"bob"}"#
        )
        journal.says(
            1,
            #"{"u":"00000000-e89b-42d3-a456-426614174000","v":"00000000-e89b-42d3-a456-426614174000","m":"malice alices"}"#
        )
        journal.says(1, #"say mwc-a1b2c3d4e5f6 ‹jwt:a1›"#)
        let lift = try journal.lift(epoch: 1_790_000_000)
        #expect(lift.plans.first?.plan.users.map(\.credential) == ["header", "cookie"])
        let steps = try journal.steps(epoch: 1_790_000_000)
        #expect(
            steps.contains(
                #"alice send {"m":"say {canary}!","r":"{user}-1","u":"{uuid}","t":"{credential}","f":"$bob.credential","ts":"{now}","w":$bob.id}"#
            ))
        #expect(
            steps.contains(
                #"alice send {"u":"00000000-e89b-42d3-a456-426614174000","v":"00000000-e89b-42d3-a456-426614174000","m":"malice alices"}"#
            ))
        #expect(steps.contains(#"alice send text "say {canary} {credential}""#))
    }

    @Test func whatOnlyLooksLikeATemplateSaysWhatItSaid() throws {
        var journal = HandJournal()
        journal.open(1, "alice")
        journal.says(1, #"{"a":"$run1.id {canary} {x} $","b":"$$","{user}":"$x.y\n"}"#)
        journal.says(1, "costs $run1.id")
        journal.says(1, "is {canary}")
        let steps = try journal.steps()
        #expect(
            steps[2] == #"alice send {"a":"$$run1.id \u007bcanary} \u007bx} $$","b":"$$$$","\u007buser}":"$$x.y\n"}"#)
        #expect(steps[3] == #"alice send text "costs $$run1.id""#)
        #expect(steps[4] == "alice frames op=1 hex 69 73 20 7b 63 61 6e 61 72 79 7d")
    }

    @Test func whatIsNoPlainMessageBecomesFramesAndBytes() throws {
        var journal = HandJournal()
        journal.open(1, "alice")
        journal.frame(1, .toServer, Frame(fin: false, opcode: .text, maskKey: 1, payload: ByteBuffer(string: "ab")))
        journal.frame(
            1, .toServer, Frame(opcode: .continuation, maskKey: 1, payload: ByteBuffer(string: "c")), whole: "abc")
        journal.frame(1, .toServer, Frame(opcode: .binary, payload: ByteBuffer(bytes: [0, 255])))
        journal.frame(1, .toClient, Frame(opcode: .ping, payload: ByteBuffer(string: "p")))
        journal.frame(1, .toServer, Frame(opcode: .pong, maskKey: 1, payload: ByteBuffer(string: "p")))
        journal.frame(
            1, .toServer,
            Frame(
                firstByte: 0xc1, lengthForm: .sixteen, declaredLength: 1, maskKey: 1, payload: ByteBuffer(string: "x")))
        journal.add(1) { at in
            .bytes(
                BytesRecord(
                    passage: Passage(.toServer, in: at, out: nil), kind: .illegal, bytes: ByteBuffer(bytes: [0x83, 0])))
        }
        journal.close(1, .toClient)
        journal.close(1)
        journal.end(1)
        #expect(
            try journal.steps() == [
                "alice connect /ws", "alice until open within 1s",
                #"alice frames fin=0 op=1 "ab" ; op=0 "c" ; op=2 mask=none hex 00 ff ; rsv=4 op=1 len=16:1 "x""#,
                "alice send bytes 83 00", "alice until closed within 1s",
            ])
    }

    @Test func endsAreTheClientsOwn() throws {
        for (style, words) in [(EndStyle.finish, "alice cut half"), (.reset, "alice cut reset")] {
            var journal = HandJournal()
            journal.open(1, "alice")
            journal.end(1, .client, style)
            #expect(try journal.steps().last == words)
        }
        var refused = HandJournal()
        refused.open(1, "alice", place: nil, state: .forged, status: 401)
        refused.end(1)
        #expect(try refused.steps().last == "alice until refused within 1s")
    }

    /// Of a credential that only the server could check its answer tells.
    @Test(arguments: [(401, "header forged"), (403, "header forged"), (503, "header"), (101, "header")])
    func aCredentialThatWasRefused(status: Int, credential: String) throws {
        var journal = HandJournal()
        journal.open(
            1, "alice", head: "GET /ws HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ‹jwt:a1›\r\n", place: "header authorization",
            state: .unknown, tag: "jwt:a1", status: status)
        journal.end(1)
        #expect(try journal.lift().plans.first?.plan.users.first?.credential == credential)
    }

    @Test func sessionsThatNeitherOverlapNorShareValuesAreApart() throws {
        var journal = HandJournal()
        journal.open(1, "alice")
        journal.gets(1, #"{"type":"made","doc":"doc-4711","word":"assistant"}"#)
        journal.close(1)
        journal.end(1)
        journal.open(2, "bob")
        journal.says(2, #"{"word":"assistant"}"#)
        journal.close(2)
        journal.end(2)
        journal.open(3, "carol")
        journal.says(3, #"{"doc":"doc-4711"}"#)
        journal.end(3)
        let lift = try journal.lift()
        #expect(lift.plans.map { $0.sessions.map(\.value) } == [[1, 3], [2]])
        #expect(lift.plans.first?.plan.steps.last.map { PlanText.words(of: $0.verb) } == "cut half")
        #expect(lift.plans.first?.plan.steps.contains { $0.verb == .send(#"{"doc":$alice.doc}"#) } == true)
    }

    @Test func oneUserHasSeveralConnectionsAndOthersGetNames() throws {
        var journal = HandJournal()
        journal.open(1, "u@example.org")
        journal.open(2, "u@example.org")
        journal.open(3)
        journal.open(4, "bob", place: "header authorization", state: .forged, tag: "jwt:c")
        for session in UInt32(1)...4 { journal.says(session, #"{"id":\#(session)}"#) }
        journal.close(1)
        journal.end(1)
        journal.open(5, "u@example.org")
        let lift = try journal.lift()
        let plan = try #require(lift.plans.first?.plan)
        #expect(plan.users.map(\.name) == ["alice", "carol", "bob"])
        #expect(plan.users[0].above == ["recorded as u@example.org"])
        let connects = plan.steps.filter(\.verb.opens).map { ($0.user ?? "") + " " + PlanText.words(of: $0.verb) }
        #expect(
            connects == [
                "alice connect /ws", "alice connect /ws as c2", "carol connect /ws", "bob connect /ws",
                "alice connect /ws",
            ])
        #expect(plan.steps.contains { $0.connection == "c2" && $0.verb == .send(#"{"id":2}"#) })
    }

    @Test func whatCannotBeLiftedIsListedWithTheReason() throws {
        var journal = HandJournal()
        journal.add(1) { _ in .opened(Opened(transport: TransportID(1), peer: "p")) }
        journal.add(2) { _ in .became(.opaque("the method is POST, not GET")) }
        journal.open(3, "alice")
        journal.add(3) { at in
            .frame(
                FrameRecord(
                    passage: Passage(.toServer, in: at, out: at),
                    frame: Frame(opcode: .text, maskKey: 1, payload: ByteBuffer()),
                    message: MessageRecord(opcode: .text, payload: nil, unlifted: "larger than 1 MiB", ordinal: 1)))
        }
        journal.open(4, "bob")
        let lift = try journal.lift()
        #expect(lift.plans.map { $0.sessions.map(\.value) } == [[4]])
        #expect(lift.left.map(\.session.value) == [1, 2, 3])
        #expect(lift.left[1].reason == "it is no WebSocket: the method is POST, not GET")
        #expect(lift.left[2].reason.hasSuffix("larger than 1 MiB"))
    }

    @Test func aLongSessionIsCutAndSaysSo() throws {
        var journal = HandJournal()
        journal.open(1, "alice")
        for number in 0..<3_000 { journal.says(1, #"{"n":\#(number)}"#) }
        let plan = try #require(try journal.lift().plans.first?.plan)
        #expect(plan.steps.count <= PlanLift.mostSteps)
        #expect(plan.steps.count > PlanLift.mostSteps - 20)
        #expect(plan.tail.first?.hasPrefix("The session goes on: 1,") == false)
        #expect(plan.tail.first?.hasPrefix("The session goes on: ") == true)
    }

    @Test func everyPrefixOfAJournalLifts() throws {
        var journal = HandJournal()
        journal.open(1, "alice")
        journal.open(2, "bob")
        journal.gets(1, #"{"type":"started","run_id":"run-1"}"#)
        journal.says(2, #"{"run_id":"run-1","m":"mwc-a1b2c3d4e5f6"}"#)
        journal.close(1)
        journal.end(1)
        journal.end(2)
        for end in 0...journal.entries.count {
            let lift = PlanLift.lift(entries: Array(journal.entries.prefix(end)), contract: nil)
            for plan in lift.plans { #expect(try PlanText.parse(PlanText.print(plan.plan)) == plan.plan) }
        }
    }
}
