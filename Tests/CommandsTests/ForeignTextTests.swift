import Journaling
import NIOCore
import Oracles
import ProxyRuntime
import Reporting
import Testing
import Wire

@testable import Commands

/// Nothing that a peer sends reaches the terminal raw: control, bidi and broken UTF-8 (trust.md T38).
@Suite struct ForeignTextTests {
    static let evil = "x\u{1b}[2J\u{202e}\u{7}\u{9b}\n\r\u{2028}y"

    private func expectHarmless(_ text: String, lines: Int, _ what: String) {
        #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count == lines + 1, "\(what): \(text)")
        for scalar in text.unicodeScalars where scalar != "\n" {
            let harmless = scalar.value >= 0x20 && !(0x7f..<0xa0).contains(scalar.value)
            #expect(harmless && ![0x202e, 0x2028].contains(scalar.value), "\(what)")
        }
    }

    static let kinds: [(name: String, kind: RuntimeEvent.Kind)] = [
        ("open", .open(total: .milliseconds(38), server: nil, peer: "10.0.4.17:50412", path: evil)),
        ("opaque", .opaque(evil, peer: "10.0.4.17:50412")),
        ("refused", .refused(status: 401, total: .milliseconds(12), faults: [], path: evil, isExpected: false)),
        ("failed", .failed(evil, peer: "10.0.4.17:50412", path: evil)),
        (
            "fault",
            .fault(
                FaultRecord(
                    id: "f1", kind: "drop", influence: Influence(.message, []), tap: .clientOut, on: nil, detail: evil))
        ),
        ("violation", .violation(finding())),
        ("recording", .recordingFailed(evil)), ("deletion", .segmentDeleted(evil)),
    ]

    static func finding() -> Finding {
        let at = Instant(nanoseconds: 416_000_000)
        let payload = ByteBuffer(bytes: Array(evil.utf8) + [0xff, 0xc0])
        let frame = FrameRecord(
            passage: Passage(.toClient, in: at, out: at), frame: Frame(opcode: .text, payload: payload),
            message: MessageRecord(opcode: .text, payload: payload, ordinal: 1))
        let entry = Entry(
            number: 7, instant: at, loop: 0, sequence: 7, ref: EntryRef(session: SessionID(2), ordinal: 7),
            body: .frame(frame))
        return Finding(
            property: "I2", also: ["E3"], fingerprint: "7c1e44", sentence: evil, requirement: evil, expected: evil,
            found: evil, offending: entry.ref, witness: [entry], sessions: [SessionID(1), SessionID(2)],
            users: [evil, evil], instant: at, caret: .init(text: "x", label: evil), faults: [],
            contractFile: evil, contractLine: 1)
    }

    @Test(arguments: kinds) func rowsOfTheProxyStayOneLine(name: String, kind: RuntimeEvent.Kind) {
        let event = RuntimeEvent(instant: .zero, session: SessionID(31), user: Self.evil, kind: kind)
        expectHarmless(ProxyRow(event).text(Style(), clock: "14:02:11.118"), lines: 1, name)
    }

    @Test func findingsStayHarmless() {
        let text = FindingBlock(Self.finding(), stage: "x", replay: nil).text(Style())
        expectHarmless(text, lines: text.split(separator: "\n", omittingEmptySubsequences: false).count - 1, "finding")
        #expect(text.contains("\\x1b[2J") && text.contains("\\xff"))
    }

    @Test func rowsKeepTheColumnsOfTheMockUp() {
        func row(_ user: String?, _ kind: RuntimeEvent.Kind) -> String {
            let event = RuntimeEvent(instant: .zero, session: SessionID(31), user: user, kind: kind)
            return ProxyRow(event).text(Style(), clock: "14:02:11.118")
        }
        #expect(
            row("alice", .open(total: .milliseconds(38), server: .milliseconds(31), peer: "10.0.4.17:50412", path: "/ws"))
                == "14:02:11.118  s31  alice    open     101 in 38 ms, server 31 ms     10.0.4.17:50412 /ws\n")
        #expect(
            row("mallory", .close(.init(
                code: 4401, by: .server, lasted: .milliseconds(8_200), messagesToServer: 3, messagesToClient: 5, bytes: 2_100)))
                == "14:02:11.118  s31  mallory  close    4401 by server after 8.2 s     3 ▸ 5 ◂, 2.1 kB\n")
        #expect(row("bartholomew", .opaque("x", peer: "p")).hasPrefix("14:02:11.118  s31  barthol… opaque   x"))
        #expect(row(nil, .opaque("x", peer: "p")).hasPrefix("14:02:11.118  s31  –        opaque   x"))
    }
}
