import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// What each fault on frames writes, byte for byte, in both directions; its neighbours are what came.
@Suite struct FrameFaultTests {
    private static let both = Direction.allCases

    /// Puts bytes together by hand, so that no writer of ours is believed.
    private static func wire(_ first: UInt8, _ length: [UInt8], _ key: [UInt8]?, _ payload: [UInt8]) -> ByteBuffer {
        var bytes = [first] + length
        if let key {
            bytes[1] |= 0x80
            bytes += key + payload.enumerated().map { $0.element ^ key[$0.offset % 4] }
        } else {
            bytes += payload
        }
        return ByteBuffer(bytes: bytes)
    }

    private static func key(_ direction: Direction) -> [UInt8]? { direction.masked ? [0x12, 0x34, 0x56, 0x78] : nil }

    /// The second of three messages, `hello`, as exactly these bytes.
    private static func expect(
        _ kind: String, _ settings: [String: [String]], _ direction: Direction, _ wanted: [ByteBuffer], text: String = "hello"
    ) {
        var flow = Flow(kind, settings, direction, nth: 2)
        let (first, last) = (flow.frame("first"), flow.frame("last"))
        flow.send(first, flow.frame(text), last)
        #expect(flow.taken() == Sample.joined([first] + wanted + [last]), "\(kind) \(settings)")
        #expect(flow.net.faults(flow.id).map(\.applied) == [true])
        #expect(flow.net.differences(.raw) == [])
        let (entries, differences) = flow.net.conclude()
        #expect(differences == [])
        let frames = entries.compactMap { if case .frame(let frame) = $0.body { frame } else { nil } }
        let made = frames.filter { $0.provenance.faults == ["f1"] }
        #expect(made.map(\.wireSize) == wanted.map { UInt64($0.readableBytes) })
        #expect(made.allSatisfy { $0.passage.in == nil && $0.provenance.source != nil })
    }

    private static let hello = Array("hello".utf8)

    @Test(arguments: both) func opcodes(_ direction: Direction) {
        for opcode in [0, 2, 3, 7, 8, 9, 10, 11, 15] as [UInt8] {
            Self.expect(
                "opcode", ["opcode": ["\(opcode)"]], direction, [Self.wire(0x80 | opcode, [5], Self.key(direction), Self.hello)])
        }
    }

    @Test(arguments: both) func reservedBits(_ direction: Direction) {
        Self.expect("rsv", ["bits": ["rsv1"]], direction, [Self.wire(0xc1, [5], Self.key(direction), Self.hello)])
        Self.expect("rsv", ["bits": ["rsv2", "rsv3"]], direction, [Self.wire(0xb1, [5], Self.key(direction), Self.hello)])
        var flow = Flow("rsv", ["bits": ["rsv3"], "on": ["last"]], direction)
        flow.send(flow.frame("a", fin: false), flow.frame("b", opcode: .continuation))
        #expect(flow.taken() == Sample.joined(flow.frame("a", fin: false), Self.wire(0x90, [1], Self.key(direction), [0x62])))
        #expect(flow.differences() == [])
    }

    @Test(arguments: both) func beginningsAndEnds(_ direction: Direction) {
        let key = Self.key(direction)
        Self.expect("fin", [:], direction, [Self.wire(0x01, [5], key, Self.hello)])
        Self.expect("fin", ["how": ["orphan"]], direction, [Self.wire(0x80, [5], key, Self.hello)])
        Self.expect(
            "fin", ["how": ["early"]], direction,
            [Self.wire(0x81, [2], key, Array("he".utf8)), Self.wire(0x80, [3], key, Array("llo".utf8))])
    }

    @Test func masksToTheServer() {
        Self.expect("mask", [:], .toServer, [Self.wire(0x81, [5], nil, Self.hello)])
        Self.expect("mask", ["how": ["zero"]], .toServer, [Self.wire(0x81, [5], [0, 0, 0, 0], Self.hello)])
        var flow = Flow("mask", ["how": ["wrong"]], .toServer)
        flow.send(flow.frame("hello"))
        let bytes = flow.taken()
        let got = Flow.frames(bytes)
        #expect(got.map(\.maskKey) == [0x1234_5678])
        #expect(bytes.readableBytes == 11 && got[0].payload != ByteBuffer(bytes: Self.hello))
        #expect(flow.differences() == [])
    }

    @Test func masksToTheClient() {
        Self.expect("mask", ["how": ["zero"]], .toClient, [Self.wire(0x81, [5], [0, 0, 0, 0], Self.hello)])
        var flow = Flow("mask", [:], .toClient)
        flow.send(flow.frame("hello"))
        let got = flow.frames()
        #expect(got.count == 1 && got[0].maskKey != nil && got[0].payload == ByteBuffer(bytes: Self.hello))
        #expect(flow.differences() == [])
    }

    @Test(arguments: both) func lengths(_ direction: Direction) {
        let key = Self.key(direction)
        let zeros: [UInt8] = [0, 0, 0, 0, 0, 0, 0]
        Self.expect("length", [:], direction, [Self.wire(0x81, [126, 0, 5], key, Self.hello)])
        Self.expect("length", ["how": ["64-bit"]], direction, [Self.wire(0x81, [127] + zeros + [5], key, Self.hello)])
        Self.expect("length", ["how": ["top-bit"]], direction, [Self.wire(0x81, [127, 128] + zeros.dropFirst() + [5], key, Self.hello)])
        Self.expect("length", ["how": ["longer"], "by": ["121"]], direction, [Self.wire(0x81, [126, 0, 126], key, Self.hello)])
        Self.expect("length", ["how": ["longer"], "by": ["70000"]], direction, [Self.wire(0x81, [127, 0, 0, 0, 0, 0, 1, 17, 117], key, Self.hello)])
        Self.expect("length", ["how": ["shorter"], "by": ["4"]], direction, [Self.wire(0x81, [1], key, Self.hello)])
    }

    @Test(arguments: both) func fragments(_ direction: Direction) {
        let key = Self.key(direction)
        Self.expect(
            "fragment", ["size": ["2B"]], direction,
            [Self.wire(0x01, [2], key, [0x68, 0x65]), Self.wire(0x00, [2], key, [0x6c, 0x6c]), Self.wire(0x80, [1], key, [0x6f])])
        Self.expect(
            "fragment", ["how": ["byte"]], direction,
            Self.hello.enumerated().map { Self.wire($0.offset == 0 ? 1 : $0.offset == 4 ? 0x80 : 0, [1], key, [$0.element]) })
        Self.expect(
            "fragment", ["how": ["character"]], direction,
            [Self.wire(0x01, [2], key, [0x61, 0xc3]), Self.wire(0x80, [2], key, [0xa9, 0x62])], text: "aéb")
        Self.expect(
            "fragment", ["how": ["empty"], "count": ["2"]], direction,
            [Self.wire(0x01, [0], key, []), Self.wire(0, [0], key, []), Self.wire(0, [5], key, Self.hello), Self.wire(0, [0], key, []), Self.wire(0x80, [0], key, [])])
    }

    @Test(arguments: both) func fragmentsJoined(_ direction: Direction) {
        var flow = Flow("defragment", [:], direction)
        let ping = flow.frame("p", opcode: .ping)
        flow.send(flow.frame("hel", fin: false), ping, flow.frame("lo", opcode: .continuation), flow.frame("one"))
        #expect(flow.taken() == Sample.joined(ping, flow.frame("hello"), flow.frame("one")))
        #expect(flow.details == ["2 fragments joined", "not applied: the message is one frame"])
        #expect(flow.differences() == [])
    }

    @Test(arguments: both, ["ping", "pong", "text", "binary"]) func framesBetweenFragments(_ direction: Direction, _ what: String) {
        var flow = Flow("interleave", ["what": [what], "count": ["2"], "payload": ["x"]], direction)
        flow.send(flow.frame("a", fin: false), flow.frame("b", opcode: .continuation))
        let got = flow.frames()
        #expect(got.map { String(buffer: $0.payload) } == ["a", "x", "x", "b"])
        let opcode: UInt8 = what == "ping" ? 9 : what == "pong" ? 10 : what == "text" ? 1 : 2
        #expect(got.map(\.firstByte) == [0x01, 0x80 | opcode, 0x80 | opcode, 0x80])
        #expect(got.allSatisfy { ($0.maskKey != nil) == direction.masked })
        flow.send(flow.frame("cd"))
        #expect(flow.frames().map { String(buffer: $0.payload) } == ["c", "x", "x", "d"])
        #expect(flow.differences() == [])
    }

    @Test(arguments: both) func controlFrames(_ direction: Direction) {
        let rows: [(settings: [String: [String]], first: [UInt8], sizes: [Int])] = [
            ([:], [0x8a, 0x81], [7, 5]), (["how": ["oversize"], "opcode": ["close"], "size": ["200B"]], [0x88, 0x81], [200, 5]),
            (["how": ["fragmented"]], [0x09, 0x80, 0x81], [0, 7, 5]), (["how": ["oversize"], "place": ["behind"]], [0x81, 0x89], [5, 126]),
            (["how": ["flood"], "count": ["3"]], [0x89, 0x89, 0x89, 0x81], [1, 1, 1, 5]),
        ]
        for row in rows {
            var flow = Flow("control", row.settings, direction)
            flow.send(flow.frame("hello"))
            let bytes = flow.taken()
            let got = Flow.frames(bytes)
            #expect(got.map(\.firstByte) == row.first)
            #expect(got.map(\.payload.readableBytes) == row.sizes)
            #expect(got.allSatisfy { ($0.maskKey != nil) == direction.masked })
            // The message itself is what came.
            #expect(got.contains { FrameWriter.bytes($0) == flow.frame("hello") })
            #expect(flow.differences() == [])
        }
    }

    @Test(arguments: both) func closes(_ direction: Direction) {
        let rows: [(settings: [String: [String]], bodies: [[UInt8]?])] = [
            ([:], [nil, [3, 0xea]]), (["code": ["999"], "reason": ["no"]], [nil, [3, 0xe7, 0x6e, 0x6f]]), (["how": ["empty"]], [nil, []]),
            (["how": ["one-byte"]], [nil, [3]]), (["how": ["bad-reason"]], [nil, [3, 0xea, 0xc3, 0x28]]), (["how": ["twice"]], [nil, [3, 0xea], [3, 0xea]]),
            (["how": ["data-after"]], [[3, 0xea], nil]), (["place": ["instead"]], [[3, 0xea]]),
            (["how": ["long-reason"]], [nil, [3, 0xea] + Array(repeating: 0x78, count: 124)]),
        ]
        for row in rows {
            var flow = Flow("close", row.settings, direction)
            flow.send(flow.frame("hello"))
            let got = flow.frames()
            #expect(got.map(\.firstByte) == row.bodies.map { $0 == nil ? 0x81 : 0x88 })
            #expect(got.map { Array($0.payload.readableBytesView) } == row.bodies.map { $0 ?? Self.hello })
            #expect(flow.differences() == [])
        }
    }

    @Test(arguments: both, ["invalid", "overlong", "surrogate", "above", "truncated"]) func textThatIsNone(_ direction: Direction, _ how: String) {
        for place in ["end", "start", "drawn"] {
            var flow = Flow("utf8", ["how": [how], "place": [place]], direction)
            let neighbour = flow.frame("bytes", opcode: .binary)
            flow.send(neighbour, flow.frame("hello"), neighbour)
            let got = flow.frames()
            #expect(got.count == 3 && FrameWriter.bytes(got[0]) == neighbour && FrameWriter.bytes(got[2]) == neighbour)
            #expect(!UTF8Validator.isValid(got[1].payload))
            #expect(flow.details == ["not applied: the message is no text"] + flow.details[1...1] + ["not applied: the message is no text"])
            #expect(flow.differences() == [])
        }
    }

    @Test(arguments: both, ["header", "mask", "payload", "any"]) func bits(_ direction: Direction, _ place: String) {
        var flow = Flow("bit-flip", ["in": [place], "bits": ["3"]], direction, nth: 2)
        let (first, second, last) = (flow.frame("first"), flow.frame("hello"), flow.frame("last"))
        flow.send(first, second, last)
        let bytes = Array(flow.taken().readableBytesView)
        let whole = Array(Sample.joined(first, second, last).readableBytesView)
        #expect(bytes.count == whole.count)
        let changed = whole.indices.filter { whole[$0] != bytes[$0] }.map { $0 - first.readableBytes }
        #expect(changed.reduce(0) { $0 + (whole[$1 + first.readableBytes] ^ bytes[$1 + first.readableBytes]).nonzeroBitCount } == (direction.masked || place != "mask" ? 3 : 0))
        let header = direction.masked ? 6 : 2
        let range = place == "header" ? 0..<2 : place == "mask" ? 2..<header : place == "payload" ? header..<header + 5 : 0..<header + 5
        #expect(changed.allSatisfy(range.contains))
        #expect(flow.differences() == [])
    }

    @Test(arguments: [
        ("fragment", [:], "hello"), ("fragment", ["how": ["character"]], "hello"), ("fragment", ["how": ["byte"]], "h"), ("bit-flip", [:], ""),
        ("opcode", ["opcode": ["1"]], "hello"), ("length", ["how": ["shorter"], "by": ["6"]], "hello"), ("fin", ["how": ["early"]], "h"),
        ("deflate", [:], "hello"), ("deflate", ["how": ["bomb"]], "hello"), ("defragment", [:], "hello"),
    ]) func whatCannotActLeavesTheBytes(_ row: (kind: String, settings: [String: [String]], text: String)) {
        for direction in Self.both {
            var flow = Flow(row.kind, row.settings, direction)
            flow.send(flow.frame(row.text))
            #expect(flow.taken() == flow.frame(row.text))
            #expect(flow.details.count == 1 && flow.details[0].hasPrefix("not applied"))
            #expect(flow.differences() == [])
        }
    }

    /// A fault before it in the file changed the message: the frame is ours then, and says what that one wants.
    @Test(arguments: both) func chained(_ direction: Direction) {
        let rules = [
            Sample.rule("replace", ["payload": ["changed"]], id: "a"), Sample.rule("delay", ["delay": ["5ms"]], id: "b"),
            Sample.rule("opcode", ["opcode": ["11"]], id: "c"),
        ]
        var profile = Sample.profile()
        profile.faults = rules
        var net = Net(profile: profile)
        let id = net.upgraded(1)
        _ = net.take(id, direction)
        net.send(id, direction, Sample.frame("hello", masked: direction.masked))
        #expect(net.take(id, direction).readableBytes == 0)
        net.pass(.milliseconds(6))
        let got = Flow.frames(net.take(id, direction))
        #expect(got.map(\.firstByte) == [0x8b] && got.map(\.payload) == [ByteBuffer(string: "changed")])
        #expect(net.differences(.raw) == [])
        let (entries, differences) = net.conclude()
        #expect(differences == [])
        let made = entries.compactMap { if case .frame(let frame) = $0.body, frame.passage.in == nil { frame.provenance.faults } else { nil } }
        #expect(made == [["a", "b", "c"]])
    }

    /// As below, of an earlier message that comes again and then meets a second fault.
    @Test func tornSecretsOfEarlierMessagesAreNotRecorded() {
        let profile = Sample.profile(
            Sample.rule("replay-stale", id: "a") { $0.message = .nth(2) },
            Sample.rule("truncate", ["size": ["30B"]], id: "b") { $0.message = .nth(2) })
        var net = Net(profile: profile)
        let id = net.upgraded(1)
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLWFsaWNl"
        net.client(id, Sample.frame("secret-token \(token)", masked: true))
        net.client(id, Sample.frame("next", masked: true))
        let (entries, differences) = net.conclude()
        #expect(differences == [])
        let texts = entries.compactMap { if case .frame(let frame) = $0.body { String(buffer: frame.frame.payload) } else { nil } }
        #expect(texts.count == 3 && texts.contains("next") && texts.contains(""))
        #expect(texts.allSatisfy { !$0.contains("eyJ") })
    }

    /// A secret that a fault tore apart stands in no recording that hides secrets.
    @Test func tornSecretsAreNotRecorded() {
        for (kind, settings) in [
            ("truncate", ["size": ["50B"]]), ("truncate", ["size": ["30B"]]), ("bit-flip", [:]), ("mask", ["how": ["wrong"]]), ("length", ["how": ["shorter"]]), ("opcode", [:]),
            ("fragment", ["size": ["4B"]]), ("fin", [:]), ("fin", ["how": ["early"]]),
        ] as [(String, [String: [String]])] {
            var flow = Flow(kind, settings, .toServer)
            let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLWFsaWNl"
            flow.send(flow.frame(#"secret-token \#(token)"#))
            let (entries, differences) = flow.net.conclude()
            #expect(differences == [])
            for case .frame(let frame) in entries.map(\.body) where frame.passage.in == nil {
                for payload in [frame.frame.payload, frame.message?.payload ?? ByteBuffer()] {
                    let text = String(decoding: payload.readableBytesView, as: UTF8.self)
                    let pieces = stride(from: 0, to: token.count - 4, by: 4).map { token.dropFirst($0).prefix(4) }
                    #expect(pieces.allSatisfy { !text.contains($0) }, "\(kind) \(settings): \(text)")
                }
            }
        }
    }
}
