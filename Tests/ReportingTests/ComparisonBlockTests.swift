import Journaling
import Plans
import Testing

@testable import Reporting

/// The replay of a recording reads as in looks.md section 4.
@Suite struct ComparisonBlockTests {
    private static func session() -> SessionComparison {
        var session = SessionComparison(session: SessionID(31), user: "alice")
        (session.messages, session.same, session.changed, session.missing) = (14, 12, 1, 1)
        (session.recordedLength, session.nowLength) = (.milliseconds(2_100), .milliseconds(2_300))
        var changed = Difference(kind: .changed, number: 9, title: "tool_completed", sentence: "source is gone")
        (changed.took, changed.recordedTook) = (.milliseconds(612), .milliseconds(598))
        changed.diff = MessageDiff([
            .init(.both, #"{"type":"tool_completed","tool_name":"search","run_id":$run1,"#),
            .init(.recorded, #""result":{"hits":2,"source":"ledger"}}"#), .init(.now, #""result":{"hits":2}}"#),
        ])
        var missing = Difference(kind: .missing, number: 14, title: "agent_completed", sentence: "")
        (missing.bound, missing.after, missing.recordedTook) = (.milliseconds(3_100), 9, .milliseconds(200))
        missing.property = "E1"
        session.differences = [changed, missing]
        return session
    }

    @Test func itIsTheBlockOfTheMockUp() {
        let text = ComparisonBlock([Self.session()]).text(Style())
        #expect(
            text == """
                  s31 alice   14 messages   SAME 12   CHANGED 1   MISSING 1   EXTRA 0     2.1 s recorded, 2.3 s now
                  CHANGED  #9 tool_completed, 0.612 s after the same request (recorded 0.598)
                      {"type":"tool_completed","tool_name":"search","run_id":$run1,
                    -  "result":{"hits":2,"source":"ledger"}}
                    +  "result":{"hits":2}}                       source is gone; ids and times are not compared
                  MISSING  #14 agent_completed, expected by 3.1 s after #9 (recorded after 0.2 s)   E1 fails

                """)
    }

    @Test func rowsOfSeveralSessionsStandInColumns() {
        var other = SessionComparison(session: SessionID(4), user: "bartholomew")
        (other.messages, other.same) = (1, 1)
        let rows = ComparisonBlock([other, Self.session()]).text(Style()).split(separator: "\n")
        #expect(rows[0].hasPrefix("  s4  bartholomew    1 message    SAME 1    CHANGED 0"))
        #expect(rows[1].hasPrefix("  s31 alice         14 messages   SAME 12   CHANGED 1"))
    }

    @Test func whatAServerSaysReachesNoTerminalRaw() {
        var session = Self.session()
        session.differences[0].title = "x\u{1b}[31m\u{202e}"
        session.differences[0].diff = MessageDiff([.init(.now, "{\"a\":\"\u{1b}]0;\u{7}\"}")])
        let text = ComparisonBlock([session]).text(Style())
        #expect(!text.contains("\u{1b}") && !text.contains("\u{202e}") && !text.contains("\u{7}"))
    }

    @Test func aRefusalAndACloseAreSaid() {
        var refused = Difference(kind: .changed, number: 0, title: "upgrade", sentence: "refused with 401, recorded accepted")
        refused.subject = .upgrade
        refused.status = 401
        #expect(ComparisonBlock.head(refused) == "upgrade: refused with 401, recorded accepted (credential?)")
        var extra = Difference(kind: .extra, number: 3, title: "agent_started", sentence: "")
        extra.took = .milliseconds(2)
        #expect(ComparisonBlock.head(extra) == "agent_started after #3, 0.002 s after its request")
    }
}
