import Contracts
import Glibc
import Journaling
import NIOCore
import Oracles
import Peers
import Plans
import Profiles
import Testing
import Wire

@testable import Fuzzing

/// A journal written by hand.
private struct Book {
    var entries: [Entry] = []

    mutating func add(_ session: UInt32, _ body: Entry.Body) {
        let number = UInt64(entries.count + 1)
        entries.append(
            Entry(
                number: number, instant: Instant(nanoseconds: Int64(entries.count) * 1_000), loop: 0, sequence: number,
                ref: EntryRef(session: SessionID(session), ordinal: UInt32(number)), body: body))
    }

    mutating func open(_ session: UInt32, _ user: String) {
        add(session, .facts(Facts(tap: .serverOut, user: user, place: "header authorization", state: .intact)))
        add(session, .became(.accepted(subprotocol: nil, deflate: false)))
    }

    mutating func message(_ session: UInt32, _ direction: Direction, _ text: String, opcode: Opcode = .text) {
        let payload = ByteBuffer(string: text)
        let at = Instant(nanoseconds: Int64(entries.count) * 1_000)
        let message = MessageRecord(opcode: opcode, payload: payload, ordinal: 1)
        add(
            session,
            .frame(
                FrameRecord(
                    passage: Passage(direction, in: at, out: at), frame: Frame(opcode: opcode, payload: payload),
                    message: message)))
    }

    mutating func close(_ session: UInt32, _ code: UInt16) {
        let payload = CloseBody(code: code).payload
        let at = Instant.zero
        add(
            session,
            .frame(
                FrameRecord(
                    passage: Passage(.toClient, in: at, out: at), frame: Frame(opcode: .close, payload: payload),
                    message: MessageRecord(opcode: .close, payload: payload, ordinal: 0))))
    }

    var run: CaseRun { CaseRun(steps: [], judgement: Judgement(), entries: entries, took: .zero) }
}

@Suite struct FeedbackTests {
    private static let contract = Result { try ContractLoader().load("agent-chat") }

    private func reader() throws -> BehaviourReader {
        let contract = try Self.contract.get()
        return BehaviourReader(contract: contract, recognizer: Recognizer(contract))
    }

    /// One run of one user, and an error; everything that may differ from run to run is an argument.
    private func story(_ session: UInt32, user: String, run: String, thread: String, say: String) -> Book {
        var book = Book()
        book.open(session, user)
        let ids = #""user_id":"\#(user)","thread_id":"\#(thread)","run_id":"\#(run)""#
        book.message(session, .toClient, #"{"type":"connected","user_id":"\#(user)","connection_id":"\#(run)c"}"#)
        book.message(
            session, .toServer, #"{"type":"agent_started","user_id":"\#(user)","agent_name":"assistant","message":"\#(say)"}"#)
        for type in ["agent_started", "tool_executing", "tool_completed", "agent_completed"] {
            book.message(session, .toClient, #"{"type":"\#(type)",\#(ids)}"#)
        }
        book.message(session, .toServer, #"{"type":"invalid_type","x":"\#(say)"}"#)
        book.message(
            session, .toClient,
            #"{"type":"error","error":"message_processing_error","message":"cannot do \#(say) for '\#(user)' in room 17","timestamp":17}"#)
        book.close(session, 1000)
        return book
    }

    @Test func valuesNamesAndIdsMakeNoFeature() throws {
        let reader = try reader()
        let one = story(1, user: "alice", run: "8f14e45f-ceea-467f", thread: "t1", say: "aaaa")
        let two = story(9, user: "bob-17", run: "c9f0f895-fb98-4b91", thread: "t2", say: "zzzz")
        let features = reader.features(of: one.run)
        #expect(features == reader.features(of: one.run))
        #expect(features == reader.features(of: two.run))
        #expect(features == Array(Set(features)).sorted() && features.count > 20)
        #expect((5..<features.count).contains(reader.edges(of: features)))
    }

    /// Equal in every process and on every machine: corpora are compared by it.
    @Test func hashesAreFixed() {
        #expect(FeatureHash.text("agent_started") == FeatureHash.text("agent" + "_started"))
        #expect(FeatureHash.mixed(0) == 0xe220_a839_7b1d_cdaf)
        #expect(FeatureHash.isEdge(FeatureHash.feature(.edge, 1)) && !FeatureHash.isEdge(FeatureHash.feature(.close, 1)))
        #expect([0, 1, 2, 3, 4, 7, 8].map { FeatureHash.bucket($0) } == [0, 1, 2, 2, 3, 3, 4])
    }

    @Test func whatTheServerDoesOtherwiseIsSeen() throws {
        let reader = try reader()
        let base = story(1, user: "alice", run: "r", thread: "t", say: "x")
        let known = Set(reader.features(of: base.run))
        func news(_ change: (inout Book) -> Void) -> Int {
            var book = base
            change(&book)
            return Set(reader.features(of: book.run)).subtracting(known).count
        }
        #expect(news { _ in } == 0)
        // Another order, a lost event, another close code, another sentence, another shape.
        #expect(news { $0.entries.swapAt(5, 6) } > 0)
        #expect(news { $0.entries.remove(at: 7) } > 0)
        #expect(news { $0.entries.removeLast(); $0.close(1, 1011) } > 0)
        #expect(news { $0.message(1, .toClient, #"{"type":"error","error":"connection_error","message":"bad luck","timestamp":1}"#) } > 0)
        #expect(news { $0.message(1, .toClient, #"{"type":"connected","user_id":"a","connection_id":"c","extra":[1]}"#) } > 0)
        // What we send is no news as long as nothing comes back.
        #expect(news { $0.message(1, .toServer, #"{"type":"whatever"}"#) } == 0)
    }

    @Test func usersAreSeenToInterleave() throws {
        let reader = try reader()
        func pair(_ order: [UInt32]) -> [UInt64] {
            var book = Book()
            book.open(1, "alice")
            book.open(2, "bob")
            for session in order {
                book.message(session, .toServer, #"{"type":"agent_started","user_id":"u"}"#)
                book.message(session, .toClient, #"{"type":"agent_started","user_id":"u","thread_id":"t","run_id":"r\#(session)"}"#)
            }
            return reader.features(of: book.run)
        }
        #expect(pair([1, 2]) == pair([2, 1]))
        #expect(pair([1, 1]) != pair([1, 2]))
    }

    @Test func aFloodIsBounded() throws {
        var book = Book()
        book.open(1, "alice")
        for index in 0..<3_000 {
            var name = ""
            var rest = index
            for _ in 0..<4 {
                name += ["a", "b", "c", "d", "e", "f", "g", "h"][rest % 8]
                rest /= 8
            }
            book.message(1, .toClient, #"{"type":"q\#(name)x","z\#(name)":{}}"#)
        }
        let first = try reader().features(of: book.run)
        #expect(first.count == 4_096)
        #expect(try reader().features(of: book.run) == first)
    }

    @Test(arguments: [
        ("no agent \"x7\" in room 12", "no agent `b b` in room 999"),
        ("failed at 12:04:11.23 ", "failed at 03:59:01.99"),
        ("run 8f14e45fceea467f is over", "run c9f0f895fb984b91 is over"),
        ("it's 'a b' gone", "it's 'c' gone"),
    ])
    func templates(one: String, two: String) {
        #expect(TextTemplate.hash(of: one) == TextTemplate.hash(of: two))
        #expect(TextTemplate.hash(of: one) != TextTemplate.hash(of: "it is another sentence"))
    }

    @Test func shapesHaveNoValuesAndNoEnd() throws {
        func shape(_ text: String) throws -> UInt64 { ShapeReader.hash(of: try JSON.parse(text)) }
        #expect(try shape(#"{"a":1,"b":[1,2]}"#) == shape(#"{"b":[7],"a":-3.5}"#))
        #expect(try shape(#"{"a":1}"#) != shape(#"{"a":"1"}"#))
        #expect(try shape(#"{"id1":{}}"#) == shape(#"{"id2":{}}"#))
        let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(try shape(deep) == shape("[" + deep + "]"))
    }

    /// Microseconds a message; printed where somebody asks.
    @Test(.enabled(if: unsafe getenv("MISWIRE_MEASURE") != nil)) func cost() throws {
        let reader = try reader()
        let run = story(1, user: "alice", run: "r", thread: "t", say: "x").run
        let rounds = 2_000
        let took = ContinuousClock().measure { for _ in 0..<rounds { _ = reader.features(of: run) } }
        let each = took / (rounds * 8)
        print("features: \(each) a message")
        #expect(each < .milliseconds(5))
    }
}
