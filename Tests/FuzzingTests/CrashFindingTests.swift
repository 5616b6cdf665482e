import Contracts
import Journaling
import NIOCore
import Peers
import Plans
import Profiles
import Testing
import Wire

@testable import Fuzzing

@Suite struct CrashFindingTests {
    static func contract() throws -> Contract {
        var contract = Contract(name: "small")
        contract.wire.type = try Path("type")
        contract.requests = [MessageRule(name: "agent_started", match: nil, shape: nil, line: 0)]
        contract.file = "small.yaml"
        return contract
    }

    /// One entry a line of the story, in its order, ten milliseconds apart.
    static func journal(_ bodies: [(session: UInt32, body: (Instant) -> Entry.Body)]) -> [Entry] {
        bodies.enumerated().map { index, line in
            let instant = Instant(nanoseconds: Int64(index + 1) * 10_000_000)
            let ordinal = UInt32(index + 1)
            return Entry(
                instant: instant, loop: 0, sequence: UInt64(ordinal),
                ref: EntryRef(session: SessionID(line.session), ordinal: ordinal), body: line.body(instant))
        }
    }

    static func facts(_ user: String) -> (Instant) -> Entry.Body {
        { _ in .facts(Facts(tap: .serverOut, user: user, place: nil, state: .intact)) }
    }

    static func text(_ text: String, _ direction: Direction = .toServer, opcode: Opcode = .text) -> (Instant) -> Entry.Body {
        { instant in
            let payload = ByteBuffer(string: text)
            return .frame(
                FrameRecord(
                    passage: Passage(direction, in: instant, out: instant), frame: Frame(opcode: opcode, payload: payload),
                    message: MessageRecord(opcode: opcode, payload: payload, ordinal: 1)))
        }
    }

    static func gone() -> (Instant) -> Entry.Body {
        { _ in .ended(EndRecord(side: .server, style: .reset, by: .peer)) }
    }

    static func plan(_ users: String...) -> Plan {
        var plan = Plan()
        plan.users = users.map { Plan.User(name: $0, credential: "header") }
        return plan
    }

    let crash = Crash(ending: .signal(11), tail: ["Segmentation fault"], at: .seconds(3))

    @Test func theSentenceNamesTheUserAndTheType() throws {
        var cast = Cast()
        cast.principals["bob"] = "bob-7"
        let contract = try Self.contract()
        let entries = Self.journal([
            (1, Self.facts("alice")), (2, Self.facts("bob-7")), (1, Self.text(#"{"type":"agent_started","n":1}"#)),
            (2, Self.text(#"{"type":"agent_started","secret":"x"}"#)), (1, Self.text("{}", .toClient)), (2, Self.gone()),
            (1, Self.text(#"{"type":"late"}"#)), (1, Self.gone()),
        ])
        let last = try #require(LastInput(in: entries, contract: contract, cast: cast))
        let finding = CrashFinding.make(crash, plan: Self.plan("alice", "bob"), lastInput: last, contract: contract)
        #expect(finding.sentence == "the target ends with signal 11 after bob's agent_started")
        #expect(finding.found == "it ended with signal 11 (SIGSEGV)")
        #expect(finding.property == "R2")
        #expect(finding.users == ["bob", "alice"])
        #expect(finding.sessions == [SessionID(2)])
        #expect(finding.offending == EntryRef(session: SessionID(2), ordinal: 4))
        #expect(finding.witness.map(\.sequence) == [4])
        #expect(finding.contractFile == "small.yaml")
    }

    @Test func theFingerprintIsOverEndingAndTypeOnly() throws {
        let contract = try Self.contract()
        func print(_ payload: String, _ ending: Ending, at: Duration = .zero, user: String = "alice") throws -> String {
            let entries = Self.journal([(1, Self.facts(user)), (1, Self.text(payload)), (1, Self.gone())])
            return CrashFinding.make(
                Crash(ending: ending, tail: [], at: at), plan: Self.plan(user),
                lastInput: LastInput(in: entries, contract: contract), contract: contract
            ).id
        }
        let one = try print(#"{"type":"agent_started","a":1}"#, .signal(11))
        #expect(try print(#"{"type":"agent_started","b":[2]}"#, .signal(11), at: .seconds(9), user: "bob") == one)
        let others = try [
            print(#"{"type":"other"}"#, .signal(11)), print("{", .signal(11)),
            print(#"{"type":"agent_started"}"#, .exit(11)), print(#"{"type":"agent_started"}"#, .refusing),
            print(#"{"type":"agent_started"}"#, .silent),
        ]
        #expect(Set(others + [one]).count == 6)
    }

    @Test func whatIsNoMessageIsNamedToo() throws {
        let contract = try Self.contract()
        func type(_ body: @escaping (Instant) -> Entry.Body) -> String? {
            LastInput(in: Self.journal([(1, body)]), contract: contract)?.type
        }
        #expect(type(Self.text("{")) == "<malformed>")
        #expect(type(Self.text(#"{"type":"x"}"#)) == "<unknown>")
        #expect(type(Self.text("", opcode: .ping)) == "ping")
        #expect(type(Self.text("x", opcode: .binary)) == "binary message")
        #expect(type(Self.text("x", opcode: Opcode(rawValue: 5))) == "frame of a reserved kind")
        #expect(
            type { .bytes(BytesRecord(passage: Passage(.toServer, in: $0, out: $0), kind: .illegal, bytes: ByteBuffer())) }
                == "illegal bytes")
        #expect(
            type { .head(HeadRecord(passage: Passage(.toServer, in: $0, out: $0), bytes: ByteBuffer())) } == "upgrade")
        #expect(type(Self.text("{}", .toClient)) == nil)
    }

    @Test func withoutAnyInputItStillSaysSomething() {
        let finding = CrashFinding.make(
            Crash(ending: .refusing, tail: [], at: .zero), plan: Self.plan(), lastInput: nil, contract: nil)
        #expect(finding.sentence == "the target refuses connections after a connection")
        #expect(finding.offending == nil)
        #expect(finding.instant == .zero)
    }
}
