import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// `refuse`: what the client is told, and that the server is told nothing.
@Suite struct HandshakeRefuseTests {
    @Test(arguments: [true, false]) func refusesInTheServersStead(isConnected: Bool) {
        let rule = Sample.rule(
            "refuse", ["status": ["429"], "headers": ["X-Reason: too many"], "body": ["full"], "retry-after": ["2500ms"]])
        var net = Net(profile: Sample.profile(rule))
        let id = net.open(1)
        if isConnected { net.send(.connected, to: id) }
        // What came with the request is lost with it, and told.
        net.client(id, Sample.joined(ByteBuffer(string: Sample.request()), Sample.frame("too early", masked: true)))
        #expect(
            String(buffer: net.takeClient(id)) == "HTTP/1.1 429 Too Many Requests\r\nX-Reason: too many\r\nRetry-After: 3\r\n"
                + "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfull")
        #expect(net.takeServer(id).readableBytes == 0)
        #expect(net.commands(id) == ["connect", "close client half", "close server reset"])
        #expect(net.faults(id).map(\.detail) == ["refused with 429"])
        #expect(net.faults(id).map(\.influence.reach) == [.connection])
        #expect(net.ends(id).allSatisfy { $0.by == .fault && $0.cause == "f1" })
        if !isConnected { net.send(.connected, to: id) }
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }

    @Test func saysItsReasonWhenNoBodyIsGiven() {
        var net = Net(profile: Sample.profile(Sample.rule("refuse", ["headers": ["content-type: text/x"]])))
        let id = net.open(1)
        net.send(.connected, to: id)
        net.client(id, Sample.request())
        #expect(
            String(buffer: net.takeClient(id)) == "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/x\r\n"
                + "Content-Length: 29\r\nConnection: close\r\n\r\nmiswire: Service Unavailable\n")
    }

    @Test(arguments: [1000, 1013, 4401, 1005, 65_535]) func closesRightBehindThe101(code: Int) {
        var net = Net(profile: Sample.profile(Sample.rule("refuse", ["close": ["\(code)"], "reason": ["go away"]])))
        let id = net.open(1)
        net.send(.connected, to: id)
        net.client(id, Sample.request())
        #expect(String(buffer: net.takeServer(id)) == Sample.request())
        let greeting = Sample.frame("hello", masked: false)
        net.server(id, Sample.joined(ByteBuffer(string: Sample.response()), greeting))
        net.server(id, greeting)
        var close = ByteBuffer(bytes: [0x88, 9, UInt8(code >> 8), UInt8(code & 0xff)])
        close.writeString("go away")
        #expect(net.takeClient(id) == Sample.joined(ByteBuffer(string: Sample.response()), close))
        #expect(net.commands(id) == ["connect", "finish client", "finish server"])
        // The reply to that Close is nobody's.
        net.client(id, Sample.frame(CloseBody(code: 1000).payload, opcode: .close, masked: true))
        #expect(net.takeServer(id).readableBytes == 0)
        #expect(net.became(id) == [.accepted(subprotocol: nil, deflate: false)])
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }

    @Test func othersAreNotRefused() {
        var net = Net(profile: Sample.profile(Sample.rule("refuse") { $0.connection = .nth(2) }))
        let ids = (1...3).map { net.upgraded($0) }
        #expect(ids.map { net.became($0).count } == [1, 0, 1])
        for id in [ids[0], ids[2]] {
            #expect(String(buffer: net.takeServer(id)) == Sample.request())
            #expect(String(buffer: net.takeClient(id)) == Sample.response())
        }
        #expect(net.conclude().differences == [])
    }

    @Test(arguments: [
        (["status": ["399"]], "status"), (["status": ["600"]], "status"), (["close": ["65536"]], "close"),
        (["headers": ["no colon"]], "headers"), (["headers": ["A b: c"]], "headers"), (["headers": ["A: b\r\nC: d"]], "headers"),
        (["close": ["1000"], "status": ["500"]], "status"), (["close": ["1000"], "body": ["x"]], "body"),
        (["reason": ["x"]], "reason"), (["retry-after": ["soon"]], "retry-after"),
    ])
    func settingsThatMakeNoSense(settings: [String: [String]], wrong: String) {
        let values = settings.sorted { $0.key < $1.key }.map { (name: $0.key, values: $0.value) }
        #expect(throws: SettingsError.self) { try Refuse(Settings(values)) }
        do throws(SettingsError) { _ = try Refuse(Settings(values)) } catch { #expect(error.parameter == wrong) }
    }
}
