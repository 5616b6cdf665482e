import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// `early-frames`: which bytes stand together on the wire, and when.
@Suite struct HandshakeEarlyTests {
    private static let greeting = Sample.frame("hello", masked: false)
    private static let request = Sample.frame("{\"type\":\"message\"}", masked: true)

    private func begun(_ settings: [String: [String]]) -> (Net, SessionID) {
        var net = Net(profile: Sample.profile(Sample.rule("early-frames", settings)))
        let id = net.open(1)
        net.send(.connected, to: id)
        return (net, id)
    }

    @Test func the101WaitsForTheFramesBehindIt() {
        var (net, id) = begun(["frames": ["2"]])
        net.client(id, Sample.request())
        let before = net.sessions[id]?.writes ?? 0
        net.server(id, Sample.response())
        net.pass(.milliseconds(20))
        net.server(id, Self.greeting)
        #expect(net.takeClient(id).readableBytes == 0)
        net.server(id, Self.greeting)
        #expect(net.takeClient(id) == Sample.joined(ByteBuffer(string: Sample.response()), Self.greeting, Self.greeting))
        #expect(net.sessions[id]?.writes == before + 1)
        net.server(id, Self.greeting)
        #expect(net.takeClient(id) == Self.greeting)
        #expect(net.faults(id).map(\.held) == [.milliseconds(500)])
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }

    @Test func the101DoesNotWaitForEver() {
        var (net, id) = begun(["hold": ["50ms"]])
        net.client(id, Sample.request())
        net.server(id, Sample.response())
        net.pass(.milliseconds(49))
        #expect(net.takeClient(id).readableBytes == 0)
        net.pass(.milliseconds(2))
        #expect(String(buffer: net.takeClient(id)) == Sample.response())
        net.server(id, Self.greeting)
        #expect(net.takeClient(id) == Self.greeting)
        #expect(net.sessions[id]?.machine.toClient.mode == .scan)
        #expect(net.conclude().differences == [])
    }

    @Test(arguments: [512, 20]) func byteByByte(bytes: Int) {
        var (net, id) = begun(["form": ["per-byte"], "gap": ["2ms"], "bytes": ["\(bytes)"]])
        net.client(id, Sample.request())
        let before = net.sessions[id]?.writes ?? 0
        net.server(id, Sample.response())
        net.server(id, Self.greeting)
        let whole = Sample.joined(ByteBuffer(string: Sample.response()), Self.greeting)
        #expect(net.takeClient(id) == whole.getSlice(at: 0, length: 1))
        net.pass(.milliseconds(11))
        #expect(net.takeClient(id) == whole.getSlice(at: 1, length: 5))
        net.pass(.seconds(2))
        #expect(net.takeClient(id) == whole.getSlice(at: 6, length: whole.readableBytes - 6))
        #expect(net.sessions[id]?.writes == before + min(whole.readableBytes, bytes + 1))
        net.server(id, Self.greeting)
        #expect(net.takeClient(id) == Self.greeting)
        let raw = net.differences(.raw)
        let (entries, differences) = net.conclude()
        #expect(raw == [] && differences == [])
        // However it leaves, the head is one entry, so that what is secret in it can be found.
        let heads = entries.compactMap { if case .head(let head) = $0.body, head.passage.direction == .toClient { head } else { nil } }
        #expect(heads.map { String(buffer: $0.bytes) } == [Sample.response(), Sample.response()])
    }

    @Test(arguments: [EndStyle.finish, .reset]) func anEndAmongTheBytes(style: EndStyle) {
        for side in Side.allCases {
            var (net, id) = begun(["form": ["per-byte"]])
            net.client(id, Sample.request())
            net.server(id, Sample.joined(ByteBuffer(string: Sample.response()), Self.greeting))
            net.pass(.milliseconds(10))
            net.send(.ended(side, style), to: id)
            net.pass(.milliseconds(10))
            #expect(net.differences(.raw) == [])
            net.send(.faultsOff, to: id)
            let whole = Sample.joined(ByteBuffer(string: Sample.response()), Self.greeting)
            if style == .finish { #expect(net.takeClient(id) == whole) }
            #expect(net.conclude().differences == [])
        }
    }

    @Test func framesReachTheServerBeforeIts101() {
        var (net, id) = begun(["form": ["before-101"], "frames": ["2"]])
        net.client(id, Sample.request(extensions: "permessage-deflate", fields: "Sec-WebSocket-Protocol: chat, v2\r\n"))
        let ours = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Accept: \(AcceptKey.compute(Sample.key))\r\nSec-WebSocket-Protocol: chat\r\n\r\n"
        #expect(String(buffer: net.takeClient(id)) == ours)
        net.client(id, Self.request)
        #expect(net.takeServer(id).readableBytes == 0)
        let before = net.sessions[id]?.writes ?? 0
        net.client(id, Self.request)
        // The offer of an extension is taken out: the client was told of none.
        let head = Sample.request(fields: "Sec-WebSocket-Protocol: chat, v2\r\n")
        #expect(net.takeServer(id) == Sample.joined(ByteBuffer(string: head), Self.request, Self.request))
        #expect(net.sessions[id]?.writes == before + 1)
        #expect(net.became(id) == [])
        net.server(id, Sample.joined(ByteBuffer(string: Sample.response()), Self.greeting))
        #expect(net.takeClient(id) == Self.greeting)
        #expect(net.became(id) == [.accepted(subprotocol: nil, deflate: false)])
        net.client(id, Self.request)
        net.server(id, Self.greeting)
        #expect(net.takeServer(id) == Self.request && net.takeClient(id) == Self.greeting)
        #expect(net.faults(id).count == 2)
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }

    @Test func aClientThatSaysNothingIsNotWaitedForLong() {
        var (net, id) = begun(["form": ["before-101"], "hold": ["50ms"]])
        net.client(id, Sample.request())
        net.pass(.milliseconds(51))
        #expect(String(buffer: net.takeServer(id)) == Sample.request())
        net.server(id, Sample.response())
        net.server(id, Self.greeting)
        #expect(String(buffer: net.takeClient(id)).hasPrefix("HTTP/1.1 101 "))
        #expect(net.conclude().differences == [])
    }

    @Test(arguments: [
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno", "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 403 No\r\n\r\n",
    ])
    func aServerThatRefusesWhoWasAccepted(answer: String) {
        var (net, id) = begun(["form": ["before-101"]])
        net.client(id, Sample.request())
        net.client(id, Self.request)
        _ = net.takeClient(id)
        _ = net.commands(id)
        net.server(id, answer)
        #expect(net.takeClient(id).readableBytes == 0)
        #expect(net.commands(id) == ["finish client", "finish server"])
        net.server(id, "more")
        guard case .refused? = net.became(id).first else { return #expect(Bool(false), "not refused") }
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }

    /// No second answer goes to a client that was accepted.
    @Test func aServerThatNeverAnswers() {
        for how in 0..<4 {
            var net = Net(profile: Sample.profile(Sample.rule("early-frames", ["form": ["before-101"]])))
            let id = net.open(1)
            if how != 0 { net.send(.connected, to: id) }
            net.client(id, Sample.request())
            net.client(id, Self.request)
            _ = net.takeClient(id)
            switch how {
            case 0: net.send(.connectFailed("connection refused"), to: id)
            case 1: net.pass(.seconds(40))
            case 2: net.server(id, "HTTP/1.1 101 A\nB\r\n\r\n")
            default: net.send(.ended(.server, .reset), to: id)
            }
            #expect(net.takeClient(id).readableBytes == 0)
            #expect(net.differences(.raw) == [], "\(how)")
            #expect(net.conclude().differences == [], "\(how)")
        }
    }

    @Test func anUnofferedExtensionIsUnknownToTheClient() throws {
        let drop = Sample.rule("drop", id: "f2") { $0.to = .client }
        var net = Net(profile: Sample.profile(Sample.rule("early-frames", ["form": ["before-101"]]), drop))
        let id = net.open(1)
        net.send(.connected, to: id)
        net.client(id, Sample.request())
        net.client(id, Self.request)
        net.server(id, Sample.response(extensions: "permessage-deflate"))
        _ = net.takeClient(id)
        let small = try DeflateParameters().deflater(.toClient).deflate(ByteBuffer(string: "small"))
        let frame = Sample.frame(small, rsv: 4, masked: false)
        net.server(id, frame)
        #expect(net.takeClient(id) == frame)
        #expect(net.faults(id).last?.detail == "not liftable: a fault altered what was negotiated about compression")
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }

    @Test(arguments: [["frames": ["0"]], ["bytes": ["65537"]], ["form": ["late"]], ["hold": ["long"]]])
    func settingsThatMakeNoSense(settings: [String: [String]]) {
        #expect(throws: SettingsError.self) { try EarlyFrames(Settings(settings.map { (name: $0.key, values: $0.value) })) }
    }
}
