import Journaling
import NIOCore
import Oracles
import Testing
import Wire

@testable import Reporting

/// The finding of looks.md section 1, built by hand: the block keeps its words, order and columns.
enum Example {
    static func frame(
        _ number: UInt64, _ session: UInt32, _ direction: Direction, at milliseconds: Int64, _ text: String
    ) -> Entry {
        let instant = Instant(nanoseconds: milliseconds * 1_000_000)
        let payload = ByteBuffer(string: text)
        let record = FrameRecord(
            passage: Passage(direction, in: instant, out: instant), frame: Frame(opcode: .text, payload: payload),
            message: MessageRecord(opcode: .text, payload: payload, ordinal: 1))
        return Entry(
            number: number, instant: instant, loop: 0, sequence: number,
            ref: EntryRef(session: SessionID(session), ordinal: UInt32(number)), body: .frame(record))
    }

    static func finding() -> Finding {
        let request = frame(6, 1, .toServer, at: 410, #"{"type":"agent_started","agent_name":"non_existent_agent"}"#)
        let error = frame(
            7, 2, .toClient, at: 416,
            #"{"type":"error","error":"agent_execution_error","user_id":"alice","request_id":"q-6"}"#)
        return Finding(
            property: "I2", also: ["E3"], fingerprint: "7c1e44", sentence: "alice's error is delivered to bob",
            requirement: "each event of a run goes to the user whose connection caused the run",
            expected: "no error for alice in 1 s", found: "error on s2 (bob) at 0.416", offending: error.ref,
            witness: [request, error], sessions: [SessionID(1), SessionID(2)], users: ["alice", "bob"],
            instant: Instant(nanoseconds: 1_410_000_000),
            caret: .init(text: #""user_id":"alice""#, label: "alice's error on bob's connection"), faults: [],
            contractFile: "agent-chat.yaml", contractLine: 88)
    }
}

@Suite struct FindingBlockTests {
    let lines = FindingBlock(Example.finding(), stage: "delayed-accept", replay: "miswire replay I2-7c1e44.plan --exec 'x'")
        .text(Style()).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)

    @Test func headingNamesFindingAndPlace() {
        #expect(lines[0].hasPrefix("✗ fail[I2] alice's error is delivered to bob"))
        #expect(lines[0].contains("also E3") && lines[0].hasSuffix("finding I2-7c1e44"))
        #expect(lines[1] == "  --> delayed-accept, sessions s1 and s2, contract agent-chat.yaml:88")
    }

    @Test func diagramKeepsTheColumnsOfTheMockUp() {
        #expect(lines.contains("           alice             proxy            server             proxy              bob"))
        #expect(lines.contains("   0.410     │─ agent_started ─┼────── #6 ──────▸│                 │                 │"))
        #expect(lines.contains("   0.416     │                 │                 │───── error ─────┼────── #7 ──────▸│ ✗ I2"))
        #expect(lines.contains { $0.hasPrefix("   1.410     ✗ E3 no error for alice in 1 s") })
    }

    @Test func tapsShowWhereEachMessagePassed() {
        #expect(lines.contains { $0.hasPrefix("  #6 request    0.410 s1    0.410 s1    –           –           alice ▸ server") })
        #expect(lines.contains { $0.hasPrefix("  #7 error      –           –           0.416 s2    0.416 s2    server ▸ bob") })
    }

    @Test func caretStandsUnderTheValue() throws {
        let at = try #require(lines.firstIndex { $0.contains("^^^") })
        let column = try #require(lines[at].firstIndex(of: "^"))
        let above = lines[at - 1].index(lines[at - 1].startIndex, offsetBy: lines[at].distance(from: lines[at].startIndex, to: column))
        #expect(lines[at - 1][above...].hasPrefix(#""user_id":"alice""#))
    }

    @Test func foreignBytesStayHarmless() {
        var finding = Example.finding()
        finding.sentence = "\u{1b}]0;owned\u{7}"
        finding.users = ["a\u{1b}[2Jb", "c\nd"]
        finding.witness.append(Example.frame(8, 1, .toServer, at: 420, "\u{1b}[31m\u{202e}"))
        let text = FindingBlock(finding, stage: "x", replay: nil).text(Style())
        #expect(!text.unicodeScalars.contains { $0.value == 0x1b || $0.value == 7 || $0.value == 0x202e })
    }

    @Test func narrowTerminalsGetAList() {
        let text = FindingBlock(Example.finding(), stage: "x", replay: nil).text(Style(width: 60))
        #expect(text.contains("  1. 0.410 alice → server agent_started #6"))
    }
}

@Suite struct PropertyTableTests {
    private func summary(_ id: String, pass: Int = 0, excused: Int = 0, fail: Int = 0, open: Int = 0) -> PropertySummary {
        var summary = PropertySummary(id: id, name: "a run ends once")
        summary.checked = pass + excused + fail + open
        summary.passed = pass
        summary.excused = excused
        summary.failed = fail
        summary.inconclusive = open
        return summary
    }

    @Test func columnsAreThoseOfTheMockUp() {
        let text = PropertyTable([summary("E1", pass: 340, excused: 4)]).text(Style())
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines[0] == "  property                                   checked      pass   excused      fail")
        #expect(lines[1] == "  E1  a run ends once                            344       340         4         –   ~ excused")
    }

    @Test func onlyFailingRowsStandWhenSomethingFails() {
        let text = PropertyTable([summary("E1", pass: 3), summary("E3", pass: 30, fail: 32)]).text(Style())
        #expect(text.contains("E3  ") && text.contains("✗ fail"))
        #expect(!text.contains("  E1  a run"))
        #expect(text.contains("1 other property holds (--verbose lists them)"))
    }

    @Test func notExercisedIsListedAndNeverAPass() {
        let text = PropertyTable([summary("A1"), summary("E1", pass: 1)]).text(Style())
        #expect(text.contains("not exercised: A1") && !text.contains("A1  a run"))
    }
}

@Suite struct ExitReasonTests {
    private func judgement(_ change: (inout Judgement) -> Void) -> Judgement {
        var judgement = Judgement()
        change(&judgement)
        return judgement
    }

    @Test func worstWins() {
        var passed = PropertySummary(id: "E1", name: "")
        passed.passed = 1
        var open = PropertySummary(id: "E3", name: "")
        open.inconclusive = 1
        #expect(ExitReason.of(Judgement()) == .nothingExercised)
        #expect(ExitReason.of(judgement { $0.properties = [passed] }) == .pass)
        #expect(ExitReason.of(judgement { $0.properties = [passed, open] }) == .inconclusive)
        #expect(ExitReason.of(judgement { $0.properties = [open]; $0.findings = [Example.finding()] }) == .violations)
    }
}
