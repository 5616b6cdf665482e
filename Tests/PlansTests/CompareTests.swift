import Contracts
import Journaling
import NIOCore
import Testing
import Wire

@testable import Plans

/// Stories of what was recorded and what is said now, and what a comparison makes of them.
@Suite struct CompareTests {
    struct Story: CustomTestStringConvertible, Sendable {
        var name: String
        /// `1> {…}` the client of session 1 says, `1< {…}` the server says; `1| 401` it is refused; `1x 4401` closed.
        var recorded: String
        var now: String
        var row: String
        /// Beginnings of the differences, in order.
        var differences: [String] = []
        var testDescription: String { name }
    }

    static let ask = #"1> {"type":"ask","request_id":"a-1","text":"say mwc-aaaaaaaaaaa1"}"#
    static let run = """
        1< {"type":"started","run_id":"run_17_5","request_id":"a-1","timestamp":1795278006.451}
        1< {"type":"call","run_id":"run_17_5","call_id":"call_10","timestamp":1795278006.452}
        1< {"type":"returned","run_id":"run_17_5","call_id":"call_10","hits":2,"timestamp":1795278006.453}
        1< {"type":"done","run_id":"run_17_5","result":"You said: say mwc-aaaaaaaaaaa1","timestamp":1795278006.454}
        """
    static let again = """
        1< {"type":"started","run_id":"run_99_7","request_id":"a-1","timestamp":1795999006.451}
        1< {"type":"call","run_id":"run_99_7","call_id":"call_3","timestamp":1795999006.452}
        1< {"type":"returned","run_id":"run_99_7","call_id":"call_3","hits":2,"timestamp":1795999006.453}
        1< {"type":"done","run_id":"run_99_7","result":"You said: say mwc-zzzzzzzzzzz9","timestamp":1795999006.454}
        """
    static let askAgain = ask.replacing("mwc-aaaaaaaaaaa1", with: "mwc-zzzzzzzzzzz9")

    static let stories: [Story] = [
        Story(
            name: "new ids, times and what the client made up", recorded: ask + "\n" + run, now: askAgain + "\n" + again,
            row: "4 = 4 0 0 0"),
        Story(
            name: "a field has another value", recorded: ask + "\n" + run,
            now: askAgain + "\n" + again.replacing("\"hits\":2", with: "\"hits\":3"), row: "4 = 3 1 0 0",
            differences: ["CHANGED 3 returned: hits is 3, was 2"]),
        Story(
            name: "a field is gone, another is new", recorded: ask + "\n" + run,
            now: askAgain + "\n" + again.replacing("\"hits\":2", with: "\"found\":2"), row: "4 = 3 1 0 0",
            differences: ["CHANGED 3 returned: hits is gone; found is new"]),
        Story(
            name: "a time that is gone is a difference", recorded: ask + "\n" + run,
            now: askAgain + "\n" + again.replacing(#","timestamp":1795999006.454"#, with: ""), row: "4 = 3 1 0 0",
            differences: ["CHANGED 4 done: timestamp is gone"]),
        Story(
            name: "an id that another bore before", recorded: ask + "\n" + run,
            now: askAgain + "\n" + again.replacing(#""call_id":"call_3","hits""#, with: #""call_id":"call_4","hits""#),
            row: "4 = 3 1 0 0", differences: ["CHANGED 3 returned: call_id is \"call_4\", was \"call_10\""]),
        Story(
            name: "the end of a run is missing", recorded: ask + "\n" + run,
            now: askAgain + "\n" + again.split(separator: "\n").dropLast().joined(separator: "\n"), row: "4 = 3 0 1 0",
            differences: ["MISSING 4 done: 3"]),
        Story(
            name: "something twice", recorded: ask + "\n" + run,
            now: askAgain + "\n" + again + "\n" + again.split(separator: "\n").suffix(1).joined(), row: "4 = 4 0 0 1",
            differences: ["EXTRA 4 done: nothing of the kind was recorded"]),
        Story(
            name: "another outcome of the same request",
            recorded: ask + "\n" + #"1< {"type":"error","error":"refused","request_id":"a-1","timestamp":1795278006.1}"#,
            now: askAgain + "\n" + again, row: "1 = 0 1 0 3",
            differences: [
                "CHANGED 1 error: type is \"started\", was \"error\"", "EXTRA 1 call", "EXTRA 1 returned", "EXTRA 1 done",
            ]),
        Story(
            name: "events of two runs may cross",
            recorded: """
                1> {"type":"ask","request_id":"a-1"}
                1> {"type":"ask","request_id":"a-2"}
                1< {"type":"started","run_id":"run_1","request_id":"a-1"}
                1< {"type":"started","run_id":"run_2","request_id":"a-2"}
                1< {"type":"done","run_id":"run_1"}
                1< {"type":"done","run_id":"run_2"}
                """,
            now: """
                1> {"type":"ask","request_id":"a-1"}
                1> {"type":"ask","request_id":"a-2"}
                1< {"type":"started","run_id":"run_9","request_id":"a-2"}
                1< {"type":"done","run_id":"run_9"}
                1< {"type":"started","run_id":"run_4","request_id":"a-1"}
                1< {"type":"done","run_id":"run_4"}
                """, row: "4 = 4 0 0 0"),
        Story(
            name: "two calls of a run may end in either order",
            recorded: """
                1> {"type":"ask","request_id":"a-1"}
                1< {"type":"started","run_id":"run_1","request_id":"a-1"}
                1< {"type":"call","run_id":"run_1","call_id":"call_1","tool":"x"}
                1< {"type":"call","run_id":"run_1","call_id":"call_2","tool":"y"}
                1< {"type":"returned","run_id":"run_1","call_id":"call_1","tool":"x"}
                1< {"type":"returned","run_id":"run_1","call_id":"call_2","tool":"y"}
                1< {"type":"done","run_id":"run_1"}
                """,
            now: """
                1> {"type":"ask","request_id":"a-1"}
                1< {"type":"started","run_id":"run_1","request_id":"a-1"}
                1< {"type":"call","run_id":"run_1","call_id":"call_1","tool":"x"}
                1< {"type":"call","run_id":"run_1","call_id":"call_2","tool":"y"}
                1< {"type":"returned","run_id":"run_1","call_id":"call_2","tool":"y"}
                1< {"type":"returned","run_id":"run_1","call_id":"call_1","tool":"x"}
                1< {"type":"done","run_id":"run_1"}
                """, row: "6 = 6 0 0 0"),
        Story(
            name: "the order within a run counts",
            recorded: """
                1> {"type":"ask","request_id":"a-1"}
                1< {"type":"started","run_id":"run_1","request_id":"a-1"}
                1< {"type":"thinking","run_id":"run_1","n":"one"}
                1< {"type":"report","run_id":"run_1","n":"two"}
                """,
            now: """
                1> {"type":"ask","request_id":"a-1"}
                1< {"type":"started","run_id":"run_1","request_id":"a-1"}
                1< {"type":"report","run_id":"run_1","n":"two"}
                1< {"type":"thinking","run_id":"run_1","n":"one"}
                """, row: "3 = 2 1 0 0", differences: ["CHANGED"]),
        Story(
            name: "what differs within the recording as ids do", recorded: """
                1> {"type":"note"}
                1< {"type":"noted","ticket":"T-100"}
                1> {"type":"note"}
                1< {"type":"noted","ticket":"T-104"}
                """,
            now: """
                1> {"type":"note"}
                1< {"type":"noted","ticket":"T-7"}
                1> {"type":"note"}
                1< {"type":"noted","ticket":"T-8"}
                """, row: "2 = 2 0 0 0"),
        Story(
            name: "what does not differ within the recording is no id", recorded: """
                1> {"type":"note"}
                1< {"type":"noted","version":"v-100"}
                1> {"type":"note"}
                1< {"type":"noted","version":"v-100"}
                """,
            now: """
                1> {"type":"note"}
                1< {"type":"noted","version":"v-100"}
                1> {"type":"note"}
                1< {"type":"noted","version":"v-101"}
                """, row: "2 = 1 1 0 0", differences: ["CHANGED 2 noted: version is \"v-101\", was \"v-100\""]),
        Story(
            name: "a form that nothing else has needs no second example",
            recorded: #"1< {"type":"hello","id":"6f1f1f6e-0a4c-4e0e-9a55-0123456789ab","at":"2026-09-21T14:02:16.014Z"}"#,
            now: #"1< {"type":"hello","id":"00000000-0a4c-4e0e-9a55-0123456789ff","at":"2027-01-01T00:00:00Z"}"#,
            row: "1 = 1 0 0 0"),
        Story(
            name: "an id that lost its form",
            recorded: #"1< {"type":"hello","id":"6f1f1f6e-0a4c-4e0e-9a55-0123456789ab"}"#,
            now: #"1< {"type":"hello","id":"none"}"#, row: "1 = 0 1 0 0", differences: ["CHANGED 1 hello: id is \"none\""]),
        Story(
            name: "refused as recorded", recorded: "1| 401", now: "1| 401", row: "1 = 1 0 0 0"),
        Story(
            name: "accepted where it was refused", recorded: "1| 401", now: #"1< {"type":"hello"}"#, row: "1 = 0 1 0 1",
            differences: ["CHANGED 0 upgrade: accepted, recorded refused with 401", "EXTRA 0 hello"]),
        Story(
            name: "another close code", recorded: #"1> {"type":"note"}"# + "\n1x 4401", now: #"1> {"type":"note"}"# + "\n1x 1000",
            row: "1 = 0 1 0 0", differences: ["CHANGED 0 close: closed with 1000, recorded 4401"]),
        Story(
            name: "no JSON on either side", recorded: "1> hello\n1< you said hello", now: "1> hello\n1< you said bye",
            row: "1 = 0 1 0 0", differences: ["CHANGED 1 text: the text differs"]),
    ]

    @Test(arguments: stories) func aStoryIsReadAsItIs(_ story: Story) throws {
        let contract = try Self.contract()
        let (recorded, now) = (talks(story.recorded, contract), talks(story.now, contract))
        var options = TalkComparer.Options(contract: contract)
        (options.recordedEpoch, options.nowEpoch) = (1_795_278_000, 1_795_999_000)
        var comparer = TalkComparer(
            recorded.map { talk in (talk, now.first { $0.session == talk.session }) }, options)
        let session = try #require(comparer.compare().sessions.first)
        let row = "\(session.messages) = \(session.same) \(session.changed) \(session.missing) \(session.extra)"
        let found = session.differences.map { "\($0.kind.rawValue) \($0.number) \($0.title): \($0.kind == .missing ? "\($0.after ?? 0)" : $0.sentence)" }
        #expect(row == story.row, "\(found)")
        #expect(found.count == story.differences.count, "\(found)")
        for (left, right) in zip(found, story.differences) { #expect(left.hasPrefix(right), "\(found)") }
    }

    /// `1?` a part of what the server said is missing, `1!` of what the client said, `1~` a message that is not held.
    static let torn: [Story] = [
        Story(
            name: "behind a gap nothing is extra", recorded: ask + "\n" + run.split(separator: "\n").prefix(2).joined(separator: "\n") + "\n1?",
            now: askAgain + "\n" + again, row: "2 = 2 0 0 0 ? 2"),
        Story(
            name: "what was recorded behind a gap does not count", recorded: ask + "\n1?\n" + run, now: askAgain + "\n" + again,
            row: "0 = 0 0 0 0 ? 4"),
        Story(
            name: "before a gap a difference is one", recorded: #"1> {"type":"note"}"# + "\n" + #"1< {"type":"noted","n":1}"# + "\n1?",
            now: #"1> {"type":"note"}"# + "\n" + #"1< {"type":"noted","n":2}"#, row: "1 = 0 1 0 0 ? 0", differences: ["CHANGED 1 noted"]),
        Story(
            name: "nobody knows how it ended behind a gap", recorded: #"1> {"type":"note"}"# + "\n1?",
            now: #"1> {"type":"note"}"# + "\n1x 4401", row: "0 = 0 0 0 0 ? 0"),
        Story(
            name: "the answer to the upgrade is missing", recorded: "1|?", now: #"1< {"type":"hello"}"#, row: "0 = 0 0 0 0 ? 1"),
        Story(
            name: "a message that is not held stands for any", recorded: "1> hello\n1< one\n1~\n1< three",
            now: "1> hello\n1< one\n1< two\n1< three", row: "3 = 2 0 0 0 ? 1"),
        Story(
            name: "and for one alone", recorded: "1> hello\n1< one\n1~", now: "1> hello\n1< one\n1< two\n1< three",
            row: "2 = 1 0 0 1 ? 1", differences: ["EXTRA"]),
        Story(name: "and may as well not come", recorded: "1> hello\n1< one\n1~", now: "1> hello\n1< one", row: "2 = 1 0 0 0 ? 1"),
    ]

    @Test(arguments: torn) func whatIsNotRecordedIsUndecided(_ story: Story) throws {
        let contract = try Self.contract()
        let (recorded, now) = (talks(story.recorded, contract), talks(story.now, contract))
        var comparer = TalkComparer(recorded.map { ($0, now.first) }, TalkComparer.Options(contract: contract))
        let session = try #require(comparer.compare().sessions.first)
        let row = "\(session.messages) = \(session.same) \(session.changed) \(session.missing) \(session.extra) ? \(session.undecided)"
        let found = session.differences.map { "\($0.kind.rawValue) \($0.number) \($0.title): \($0.sentence)" }
        #expect(row == story.row && session.isUndecided, "\(found)")
        #expect(found.count == story.differences.count && session.isTorn == story.recorded.contains("?"), "\(found)")
        for (left, right) in zip(found, story.differences) { #expect(left.hasPrefix(right), "\(found)") }
    }

    /// As many as a recording may hold, in another order: each is looked up, not searched for.
    @Test(.timeLimit(.minutes(1))) func manyAnswersOutOfOrder() throws {
        let count = 40_000
        func talk(_ texts: [String]) -> Talk {
            var talk = Talk(session: SessionID(1), opened: .zero)
            talk.answer = .accepted(subprotocol: nil)
            talk.answers = texts.enumerated().map { index, text in
                Said(
                    number: index + 1, at: Instant(nanoseconds: Int64(index)), order: index, opcode: .binary,
                    payload: ByteBuffer(string: text), value: nil, name: nil)
            }
            return talk
        }
        let texts = (0..<count).map { "\($0)" }
        var comparer = TalkComparer([(talk(texts), talk(texts.reversed()))], TalkComparer.Options(contract: nil))
        let session = try #require(comparer.compare().sessions.first)
        #expect(session.same == count && session.differences.isEmpty)
    }

    @Test func theDiffNamesIdsAndLeavesOutWhatDoesNotMatter() throws {
        let contract = try Self.contract()
        let story = Self.stories[1]
        let (recorded, now) = (talks(story.recorded, contract), talks(story.now, contract))
        var comparer = TalkComparer([(recorded[0], now[0])], TalkComparer.Options(contract: contract))
        let difference = try #require(comparer.compare().sessions[0].differences.first)
        #expect(
            difference.diff?.lines == [
                .init(.both, #"{"type":"returned","run_id":$run1,"call_id":$call1,"#), .init(.recorded, "\"hits\":2}"),
                .init(.now, "\"hits\":3}"),
            ])
        #expect(difference.took != nil && difference.recordedTook != nil)
    }

    /// The stories as journals, as a proxy writes them.
    private func talks(_ story: String, _ contract: Contract) -> [Talk] {
        var journal = HandJournal()
        var open: Set<UInt32> = []
        for line in story.split(separator: "\n").map({ String($0) }) {
            let session = UInt32(line.prefix(1)) ?? 1
            let text = String(line.dropFirst(3))
            let mark = line.dropFirst().first
            if line.dropFirst() == "|?" {
                journal.ask(session)
                journal.lack(session, .toClient)
                continue
            }
            if open.insert(session).inserted {
                journal.open(session, "alice", status: mark == "|" ? Int(text) ?? 0 : 101)
            }
            switch mark {
            case "?": journal.lack(session, .toClient)
            case "!": journal.lack(session, .toServer)
            case "~": journal.getsUnheld(session)
            case ">": journal.says(session, text)
            case "<": journal.gets(session, text)
            case "x": journal.close(session, .toClient, UInt16(text) ?? 1000)
            default: break
            }
        }
        var reader = TalkReader(contract: contract, at: .server)
        for entry in journal.entries { reader.take(entry) }
        return reader.finish()
    }

    static func contract() throws -> Contract {
        var contract = Contract(name: "chat")
        contract.wire.type = try Path("type")
        var ask = MessageRule(name: "ask", match: nil, shape: nil, line: 0)
        ask.starts = "run"
        contract.requests = [ask, MessageRule(name: "note", match: nil, shape: nil, line: 0)]
        contract.link = [LinkPath(request: try Path("request_id"), event: try Path("request_id"))]
        func name(_ text: String) -> MessageName { MessageName(isRequest: false, glob: Glob(text)) }
        let call = RunRule.Part(
            name: "call", key: [try Path("call_id")], start: name("call"), end: name("returned"), in: ["running"], inside: [],
            before: [name("done")], within: nil, line: 0)
        contract.runs = [
            RunRule(
                name: "run", key: [try Path("run_id")], serverScope: true, unasked: false,
                states: [
                    .init(name: "asked", edges: [.init(name: name("started"), next: "running", line: 0)]),
                    .init(name: "running", edges: [.init(name: name("done"), next: "done", line: 0)]),
                ], hot: [("running", .seconds(3))], kinds: nil, parts: [call], line: 0)
        ]
        contract.errors = ErrorRules(event: ["error"], kind: try Path("error"), kinds: [])
        contract.volatile = [try Path("..timestamp", deep: true)]
        return contract
    }
}
