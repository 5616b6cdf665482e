import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// What no fault selects leaves byte for byte as it came, however it is cut, in either lane.
@Suite struct TransparencyTests {
    /// No profile (scan lane); a rule that never holds, so that everything is lifted; one that holds off for its message.
    static let profiles: [Profile?] = [
        nil,
        Sample.profile(Sample.rule("drop") { $0.message = .share(0) }),
        Sample.profile(Sample.rule("drop") { $0.match = Sample.pattern("type", "nothing") }),
        Sample.profile(Sample.rule("json-mutate") { $0.connection = .nth(99) }),
    ]

    @Test(arguments: 0..<4, [1, 2, 3, 4, 5, 6])
    func bytesAreTheSame(profile: Int, seed: UInt64) {
        var net = Net(profile: Self.profiles[profile])
        let id = net.upgraded(1, user: "alice")
        #expect(String(buffer: net.takeServer(id)) == Sample.request(user: "alice"))
        #expect(String(buffer: net.takeClient(id)) == Sample.response())
        let up = Sample.traffic(masked: true, seed: seed)
        let down = Sample.traffic(masked: false, seed: seed &+ 100)
        let upChunks = Sample.chunks(up, seed: seed)
        let downChunks = Sample.chunks(down, seed: seed &+ 1)
        for index in 0..<max(upChunks.count, downChunks.count) {
            if index < upChunks.count { net.client(id, upChunks[index]) }
            if index < downChunks.count { net.server(id, downChunks[index]) }
        }
        #expect(net.takeServer(id) == up)
        #expect(net.takeClient(id) == down)
        #expect(net.faults(id).isEmpty)
        let (entries, differences) = net.conclude()
        #expect(differences == [])
        #expect(entries.contains { if case .frame = $0.body { true } else { false } })
    }

    @Test(arguments: 0..<3) func everyBytePasses(profile: Int) {
        var net = Net(profile: Self.profiles[profile])
        let id = net.open(1)
        net.send(.connected, to: id)
        let request = Sample.joined(
            ByteBuffer(string: Sample.request()), Sample.frame("early", masked: true))
        let response = Sample.joined(
            ByteBuffer(string: Sample.response()), Sample.frame("greeting", masked: false))
        for byte in request.readableBytesView { net.client(id, ByteBuffer(bytes: [byte])) }
        for byte in response.readableBytesView { net.server(id, ByteBuffer(bytes: [byte])) }
        #expect(net.takeServer(id) == request)
        #expect(net.takeClient(id) == response)
        #expect(net.became(id) == [.accepted(subprotocol: nil, deflate: false)])
        #expect(net.conclude().differences == [])
    }

    @Test func oneWriteAReadInBothLanes() {
        let frames = Sample.joined((0..<50).map { Sample.frame("message \($0)", masked: true) })
        for profile in Self.profiles {
            var net = Net(profile: profile)
            let id = net.upgraded(1)
            net.sessions[id]?.writes = 0
            net.client(id, frames)
            #expect(net.sessions[id]?.writes == 1)
        }
    }

    /// Illegal framing is data: it is relayed, in every lane, and nothing traps.
    @Test(arguments: 0..<3) func illegalFramesPass(profile: Int) {
        let bad: [[UInt8]] = [
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5],
            [0x83, 0x00, 0x80, 0x80, 0, 0, 0, 0],
            [0x01, 0x01, 0x41, 0x01, 0x01, 0x42, 0x80, 0x00],
            [0x09, 0x7e, 0x00, 0x01, 0x41],
            Array("HTTP/1.1 200 OK\r\n\r\n".utf8),
        ]
        for bytes in bad {
            var net = Net(profile: Self.profiles[profile])
            let id = net.upgraded(1)
            _ = net.takeServer(id)
            _ = net.takeClient(id)
            for byte in bytes { net.client(id, ByteBuffer(bytes: [byte])) }
            net.server(id, ByteBuffer(bytes: bytes))
            let (_, differences) = net.conclude()
            #expect(net.takeServer(id) == ByteBuffer(bytes: bytes))
            #expect(net.takeClient(id) == ByteBuffer(bytes: bytes))
            #expect(differences == [])
        }
    }

    @Test func nothingIsRecordedWhenNobodyReads() {
        var net = Net(record: false)
        let id = net.upgraded(1)
        net.client(id, Sample.frame("hello", masked: true))
        #expect(net.sessions[id]?.entries.allSatisfy { if case .value = $0.body { true } else { false } } == true)
    }
}
