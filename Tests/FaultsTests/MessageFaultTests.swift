import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// What each fault on messages does to the bytes at the far side, in both directions.
@Suite struct MessageFaultTests {
    private static let both = Direction.allCases

    @Test(arguments: both) func duplicatesAreTheVerySameFrames(_ direction: Direction) {
        var flow = Flow("duplicate", ["copies": ["2"]], direction, nth: 2)
        let first = flow.frame("first")
        let message = Sample.joined(flow.frame("sec", fin: false), flow.frame("ond", opcode: .continuation))
        let last = flow.frame("last")
        flow.send(first, message, last)
        #expect(flow.taken() == Sample.joined(first, message, message, message, last))
        #expect(flow.details == ["sent 3 times"])
        #expect(flow.differences() == [])
    }

    @Test(arguments: both) func copiesComeLaterAndNothingOvertakes(_ direction: Direction) {
        var flow = Flow("duplicate", ["gap": ["10ms"]], direction, nth: 1)
        let frames = (1...2).map { flow.frame("message \($0)") }
        flow.send(frames[0], frames[1])
        #expect(flow.taken() == frames[0])
        flow.net.pass(.milliseconds(9))
        #expect(flow.taken().readableBytes == 0)
        flow.net.pass(.milliseconds(2))
        #expect(flow.taken() == Sample.joined(frames[0], frames[1]))
        #expect(flow.net.faults(flow.id).map(\.held) == [.milliseconds(10)])
        #expect(flow.differences() == [])
    }

    @Test(arguments: both) func whatIsBehindADelayedMessageWaits(_ direction: Direction) {
        var flow = Flow("delay", ["delay": ["20ms"]], direction, nth: 2)
        let frames = (1...3).map { flow.frame("message \($0)") }
        flow.send(frames[0], frames[1], frames[2], flow.frame("p", opcode: .ping))
        #expect(flow.taken() == frames[0])
        flow.net.pass(.milliseconds(19))
        #expect(flow.taken().readableBytes == 0)
        flow.net.pass(.milliseconds(2))
        #expect(flow.taken() == Sample.joined(frames[1], frames[2], flow.frame("p", opcode: .ping)))
        #expect(flow.net.faults(flow.id).map(\.held) == [.milliseconds(20)])
        #expect(flow.differences() == [])
    }

    @Test(arguments: both) func laterMessagesOvertake(_ direction: Direction) {
        var flow = Flow("reorder", ["window": ["2"], "most": ["1s"]], direction, nth: 1)
        let frames = (1...4).map { flow.frame("message \($0)") }
        let fragments = [flow.frame("me", fin: false), flow.frame("p", opcode: .ping), flow.frame("ss", opcode: .continuation)]
        flow.send(frames[0], frames[1])
        #expect(flow.taken() == frames[1])
        // It goes between two messages and never among fragments.
        flow.send(fragments[0], fragments[1])
        #expect(flow.taken() == Sample.joined(fragments[0], fragments[1]))
        flow.send(fragments[2], frames[3])
        #expect(flow.taken() == Sample.joined(fragments[2], frames[0], frames[3]))
        #expect(flow.details == ["put behind the next 2, at most 1000 ms"])
        #expect(flow.differences() == [])
    }

    @Test(arguments: both, ["time", "close", "end", "off", "broken"]) func whatIsOvertakenGoesInTheEnd(_ direction: Direction, _ why: String) {
        var flow = Flow("reorder", ["window": ["9"], "most": ["30ms"]], direction, nth: 1)
        let frame = flow.frame("held")
        flow.send(frame)
        #expect(flow.taken().readableBytes == 0)
        switch why {
        case "time":
            flow.net.pass(.milliseconds(29))
            #expect(flow.taken().readableBytes == 0)
            flow.net.pass(.milliseconds(2))
            #expect(flow.taken() == frame)
        case "close":
            flow.send(flow.frame("", opcode: .close))
            #expect(flow.taken() == Sample.joined(frame, flow.frame("", opcode: .close)))
        case "end":
            flow.net.send(.ended(direction.source, .finish), to: flow.id)
            #expect(flow.taken() == frame)
        case "off":
            flow.net.send(.faultsOff, to: flow.id)
            #expect(flow.taken() == frame)
        default:
            let broken = ByteBuffer(bytes: [0x81, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4])
            flow.send(broken)
            #expect(flow.taken() == Sample.joined(frame, broken))
        }
        #expect(flow.differences() == [])
    }

    @Test(arguments: both) func timeThatComesAmongFragmentsWaitsForTheirEnd(_ direction: Direction) {
        var flow = Flow("reorder", ["window": ["9"], "most": ["30ms"]], direction, nth: 1)
        let frame = flow.frame("held")
        flow.send(frame, flow.frame("a", fin: false))
        _ = flow.taken()
        flow.net.pass(.milliseconds(40))
        #expect(flow.taken().readableBytes == 0)
        flow.send(flow.frame("b", opcode: .continuation))
        #expect(flow.taken() == Sample.joined(flow.frame("b", opcode: .continuation), frame))
        #expect(flow.differences() == [])
    }

    @Test func whatIsTooMuchToBeOvertakenKeepsItsPlace() {
        var limits = Limits.standard
        limits.heldBytes = 1_000
        var flow = Flow("reorder", ["window": ["2"]], .toClient, nth: 1, limits: limits)
        let frame = flow.frame(String(repeating: "x", count: 900))
        flow.send(frame, flow.frame("next"))
        #expect(flow.taken() == Sample.joined(frame, flow.frame("next")))
        #expect(flow.net.limits(flow.id) == ["L10"])
        #expect(flow.differences() == [])
    }

    @Test(arguments: both, ["behind", "before", "instead"]) func earlierMessagesComeAgain(_ direction: Direction, _ place: String) {
        var flow = Flow("replay-stale", ["back": ["2"], "place": [place]], direction, nth: 3)
        let frames = (1...4).map { flow.frame("message \($0)") }
        for frame in frames { flow.send(frame) }
        let got = Sample.messages(flow.taken(), direction)
        switch place {
        case "before": #expect(got == [1, 2, 1, 3, 4].map { "message \($0)" })
        case "instead": #expect(got == [1, 2, 1, 4].map { "message \($0)" })
        default: #expect(got == [1, 2, 3, 1, 4].map { "message \($0)" })
        }
        #expect(flow.details == ["message 1 again \(place == "instead" ? "instead of" : place) message 3"])
        #expect(flow.differences() == [])
    }

    @Test func ageIsMeasured() {
        var flow = Flow("replay-stale", ["age": ["10ms"]], .toClient, nth: 3)
        flow.send(flow.frame("old"))
        flow.net.pass(.milliseconds(11))
        flow.send(flow.frame("young"), flow.frame("now"))
        #expect(Sample.messages(flow.taken(), .toClient) == ["old", "young", "now", "old"])
        var none = Flow("replay-stale", ["age": ["10s"]], .toClient, nth: 2)
        none.send(none.frame("a"), none.frame("b"))
        #expect(none.taken() == Sample.joined(none.frame("a"), none.frame("b")))
        #expect(none.details == ["not applied: no message so old is remembered"])
        #expect(flow.differences() + none.differences() == [])
    }

    @Test(arguments: both) func aGivenPayload(_ direction: Direction) {
        var flow = Flow("replace", ["payload": ["00 fF 2b"], "form": ["hex"], "opcode": ["binary"]], direction, nth: 2)
        let frame = flow.frame("neighbour")
        flow.send(frame, flow.frame("text"), frame)
        let got = flow.frames()
        #expect(got.map(\.payload) == ["neighbour", "\u{0}", "neighbour"].map { $0 == "\u{0}" ? ByteBuffer(bytes: [0, 255, 43]) : ByteBuffer(string: $0) })
        #expect(got.map(\.opcode) == [.text, .binary, .text])
        #expect(got.map { $0.maskKey != nil } == Array(repeating: direction.masked, count: 3))
        #expect(flow.details == ["4 bytes replaced by 3"])
        #expect(flow.differences() == [])
    }

    @Test(arguments: both, ["behind", "before"]) func ourMessageOnTheSameSide(_ direction: Direction, _ place: String) {
        var flow = Flow("inject", ["payload": ["ours"], "place": [place]], direction, nth: 2)
        let frames = (1...3).map { flow.frame("message \($0)") }
        for frame in frames { flow.send(frame) }
        let bytes = flow.taken()
        let want = place == "before" ? ["message 1", "ours", "message 2", "message 3"] : ["message 1", "message 2", "ours", "message 3"]
        #expect(Sample.messages(bytes, direction) == want)
        // Everything but ours is what came.
        #expect(bytes.readableBytes == Sample.joined(frames).readableBytes + (direction.masked ? 10 : 6))
        #expect(bytes.getSlice(at: bytes.readerIndex, length: frames[0].readableBytes) == frames[0])
        #expect(flow.differences() == [])
    }

    @Test(arguments: both) func ourMessageOnTheOtherSideWaitsForItsTurn(_ direction: Direction) {
        var flow = Flow("inject", ["payload": ["ours"], "side": [direction.source.rawValue]], direction, nth: 1)
        let other = direction.other
        let parts = [
            Sample.frame("a", fin: false, masked: other.masked), Sample.frame("b", opcode: .continuation, masked: other.masked),
        ]
        flow.net.send(flow.id, other, parts[0])
        flow.send(flow.frame("trigger"))
        #expect(flow.taken() == flow.frame("trigger"))
        #expect(flow.net.take(flow.id, other) == parts[0])
        flow.net.send(flow.id, other, parts[1])
        let got = Flow.frames(flow.net.take(flow.id, other))
        #expect(got.map(\.payload) == [ByteBuffer(string: "b"), ByteBuffer(string: "ours")])
        #expect(got.last?.maskKey != nil || !other.masked)
        #expect(flow.differences() == [])
    }

    @Test(arguments: both) func theEndIsCutOff(_ direction: Direction) {
        let rows: [(text: String, settings: [String: [String]], left: [UInt8]?)] = [
            ("abcdefgh", [:], Array("abcd".utf8)), ("abcdefgh", ["size": ["3B"]], Array("abc".utf8)), ("abc", ["size": ["3B"]], nil),
            ("", [:], nil), ("aé", ["size": ["2B"]], Array("a".utf8)), ("aé", ["size": ["2B"], "at": ["byte"]], [0x61, 0xc3]),
            ("abc", ["share": ["0%"]], []),
        ]
        for row in rows {
            var flow = Flow("truncate", row.settings, direction)
            flow.send(flow.frame(row.text))
            let bytes = flow.taken()
            #expect(Flow.frames(bytes).map { Array($0.payload.readableBytesView) } == [row.left ?? Array(row.text.utf8)])
            if row.left == nil { #expect(bytes == flow.frame(row.text)) }
            #expect(flow.details.contains { $0.hasPrefix("not applied") } == (row.left == nil))
            #expect(flow.differences() == [])
        }
    }

    @Test(arguments: both) func textAsBinaryAndBack(_ direction: Direction) {
        var flow = Flow("retype", [:], direction)
        flow.send(flow.frame("text"), flow.frame("bytes", opcode: .binary))
        #expect(flow.frames().map(\.opcode) == [.binary, .text])
        var none = Flow("retype", ["as": ["text"]], direction)
        none.send(none.frame("text"))
        #expect(none.taken() == none.frame("text"))
        #expect(none.details == ["not applied: the message is text already"])
        #expect(flow.differences() + none.differences() == [])
    }

    @Test(arguments: both, [("space", " "), ("letter", "x"), ("zero", "\u{0}")]) func padding(_ direction: Direction, _ row: (String, String)) {
        var flow = Flow("oversize", ["size": ["100KiB"], "with": [row.0]], direction)
        flow.send(flow.frame("{}"))
        #expect(Sample.messages(flow.taken(), direction) == ["{}" + String(repeating: row.1, count: 102_398)])
        let long = Sample.frame(ByteBuffer(repeating: 1, count: 102_400), opcode: .binary, masked: direction.masked)
        flow.send(long)
        #expect(flow.taken() == long)
        #expect(flow.differences() == [])
    }

    @Test(arguments: both) func expressionsFindAndReplace(_ direction: Direction) {
        let rows: [(settings: [String: [String]], text: String, want: String?)] = [
            ([:], "run 12 of 34", "run  of 34"), (["with": ["N"], "most": ["9"]], "run 12 of 34", "run N of N"),
            (["pattern": ["(?<a>[a-z]+)=(?<b>[a-z]+)"], "with": ["$<b>=$<a>$<c>"]], "x key=value", "x value=key$<c>"),
            (["pattern": ["^a"], "most": ["9"], "with": ["b"]], "aaa", "baa"), (["pattern": [#"\bid"#], "with": ["ID"], "most": ["5"]], "id bid id", "ID bid ID"),
            (["pattern": ["x*"], "with": ["-"], "most": ["9"]], "axb", "-a--b-"), (["pattern": ["z"]], "abc", nil), (["pattern": ["é$"], "with": ["e"]], "éé", "ée"),
            (["pattern": ["a|ab"], "with": ["-"]], "ab", "-b"), (["pattern": ["ab|a"], "with": ["-"]], "ab", "-"), (["pattern": ["a+?"], "with": ["-"]], "aa", "-a"),
        ]
        for row in rows {
            var flow = Flow("regex-replace", row.settings, direction)
            flow.send(flow.frame(row.text))
            #expect(Sample.messages(flow.taken(), direction) == [row.want ?? row.text], "\(row.settings)")
            #expect(flow.details.contains { $0.hasPrefix("not applied") } == (row.want == nil))
            #expect(flow.differences() == [])
        }
    }

    /// The pattern that makes backtracking engines explode, and one whose steps are many.
    @Test(arguments: ["(a+)+b", "((a{0,9}){0,9}){0,4}b"]) func noExpressionTakesLong(_ pattern: String) {
        var flow = Flow("regex-replace", ["pattern": [pattern], "most": ["1000"]], .toClient)
        let frame = flow.frame(String(repeating: "a", count: 60_000))
        let clock = ContinuousClock()
        let took = clock.measure { flow.send(frame) }
        #expect(took < .seconds(20))
        #expect(flow.taken() == frame)
        #expect(flow.details.count == 1 && flow.details[0].hasPrefix("not applied"))
    }

    @Test(arguments: both) func identifiersPointElsewhere(_ direction: Direction) throws {
        let text = #"{"run_id":"run-1","thread_id":"th-22","n":5,"user":{"id":77}}"#
        var changed = Flow("corrupt-id", ["field": ["user.id"]], direction)
        changed.send(changed.frame(text))
        let got = try #require(Sample.messages(changed.taken(), direction).first)
        #expect(got.utf8.count == text.utf8.count && got != text && got.hasPrefix(text.dropLast(4)))
        #expect(changed.details == ["changed id"])
        var swapped = Flow("corrupt-id", ["field": ["run_id", "thread_id"], "how": ["swap"]], direction)
        swapped.send(swapped.frame(text))
        #expect(Sample.messages(swapped.taken(), direction) == [#"{"run_id":"th-22","thread_id":"run-1","n":5,"user":{"id":77}}"#])
        var earlier = Flow("corrupt-id", ["field": ["run_id"], "how": ["earlier"]], direction, nth: 2)
        earlier.send(earlier.frame(#"{"run_id":"run-0"}"#), earlier.frame(text))
        #expect(Sample.messages(earlier.taken(), direction).last == text.replacing("run-1", with: "run-0"))
        #expect(changed.differences() + swapped.differences() + earlier.differences() == [])
    }

    @Test(arguments: [
        ("corrupt-id", [:], "no json"), ("corrupt-id", [:], #"{"n":1}"#), ("corrupt-id", ["how": ["swap"]], #"{"id":1}"#),
        ("corrupt-id", ["how": ["earlier"]], #"{"id":1}"#), ("corrupt-id", [:], #"{"id":"--"}"#), ("truncate", [:], ""),
        ("replay-stale", [:], "first"), ("retype", ["as": ["text"]], "text"), ("replace", ["payload": ["same"]], "same"),
        ("oversize", ["size": ["1B"]], "long"),
    ]) func whatCannotActLeavesTheBytes(_ row: (kind: String, settings: [String: [String]], text: String)) {
        for direction in Self.both {
            var flow = Flow(row.kind, row.settings, direction)
            flow.send(flow.frame(row.text))
            #expect(flow.taken() == flow.frame(row.text))
            #expect(flow.details.count == 1 && flow.details[0].hasPrefix("not applied"))
            #expect(flow.differences() == [])
        }
    }

    @Test(arguments: [
        ("duplicate", ["copies": ["0"]], "copies"), ("duplicate", ["copies": ["65"]], "copies"), ("delay", ["delay": ["11m"]], "delay"),
        ("reorder", ["window": ["0"]], "window"), ("replay-stale", ["back": ["99"]], "back"), ("replace", ["form": ["hex"], "payload": ["0"]], "payload"),
        ("replace", ["form": ["hex"], "payload": ["+1"]], "payload"), ("inject", ["form": ["hex"], "payload": ["zz"]], "payload"),
        ("oversize", ["size": ["17MiB"]], "size"), ("regex-replace", ["pattern": ["("]], "pattern"), ("regex-replace", ["pattern": [#"(a)\1"#]], "pattern"),
        ("regex-replace", ["most": ["1001"]], "most"), ("control", ["size": ["125B"]], "size"), ("close", ["code": ["65536"]], "code"),
        ("opcode", ["opcode": ["16"]], "opcode"), ("bit-flip", ["bits": ["0"]], "bits"), ("fragment", ["size": ["0"]], "size"),
        ("interleave", ["count": ["65"]], "count"), ("deflate", ["size": ["65MiB"]], "size"), ("length", ["by": ["0"]], "by"),
    ]) func valuesOutOfBoundsAreRefused(_ row: (kind: String, settings: [String: [String]], parameter: String)) {
        let error = #expect(throws: SettingsError.self) {
            _ = try FaultRegistry.make(row.kind, Settings(row.settings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
        }
        #expect(error?.parameter == row.parameter)
    }
}
