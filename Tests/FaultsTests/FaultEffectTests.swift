import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// What each fault does to the bytes, and what the journal then says.
@Suite struct FaultEffectTests {
    // MARK: accept-delay

    @Test func delayedAnswer() {
        var net = Net(profile: Sample.profile(Sample.rule("accept-delay", ["delay": ["400ms"]])))
        let id = net.upgraded(1)
        let greeting = Sample.frame("{\"type\":\"connected\"}", masked: false)
        net.server(id, greeting)
        #expect(net.takeClient(id).readableBytes == 0)
        net.pass(.milliseconds(399))
        #expect(net.takeClient(id).readableBytes == 0)
        net.pass(.milliseconds(2))
        #expect(net.takeClient(id) == Sample.joined(ByteBuffer(string: Sample.response()), greeting))
        #expect(net.faults(id).map(\.detail) == ["101 held 400 ms"])
        #expect(net.faults(id).map(\.held) == [.milliseconds(400)])
        #expect(net.faults(id).map(\.tap) == [.clientOut])
        // Later traffic goes by the short way again.
        let frame = Sample.frame("later", masked: false)
        net.server(id, frame)
        net.server(id, frame)
        #expect(net.takeClient(id) == Sample.joined(frame, frame))
        #expect(net.sessions[id]?.machine.toClient.mode == .scan)
        let (entries, differences) = net.conclude()
        #expect(differences == [])
        let heads = entries.compactMap { if case .head(let head) = $0.body, head.passage.direction == .toClient { head } else { nil } }
        #expect(heads.map { $0.passage.out != nil } == [false, true])
        #expect(heads.last?.provenance.faults == ["f1"])
    }

    @Test func delayedRequest() {
        let rule = Sample.rule("accept-delay", ["stage": ["upgrade-request"], "delay": ["20ms"]])
        var net = Net(profile: Sample.profile(rule))
        let id = net.open(1)
        net.send(.connected, to: id)
        net.client(id, Sample.request())
        #expect(net.commands(id) == ["connect"])
        #expect(net.takeServer(id).readableBytes == 0)
        net.pass(.milliseconds(21))
        #expect(String(buffer: net.takeServer(id)) == Sample.request())
        net.server(id, Sample.response())
        #expect(net.conclude().differences == [])
    }

    @Test func delayedAccept() {
        let rule = Sample.rule("accept-delay", ["stage": ["tcp-accept"], "delay": ["20ms"]])
        var net = Net(profile: Sample.profile(rule))
        let id = net.open(1)
        #expect(net.commands(id).isEmpty)
        net.client(id, Sample.request())
        net.pass(.milliseconds(19))
        #expect(net.commands(id).isEmpty)
        net.pass(.milliseconds(2))
        #expect(net.commands(id) == ["connect"])
        net.send(.connected, to: id)
        #expect(String(buffer: net.takeServer(id)) == Sample.request())
        #expect(net.faults(id).map(\.detail) == ["accept held 20 ms"])
        #expect(net.conclude().differences == [])
    }

    @Test func delayedAcceptOfOneUserWaitsForTheHead() {
        let rule = Sample.rule("accept-delay", ["stage": ["tcp-accept"], "delay": ["20ms"]]) { $0.user = .init("alice") }
        var net = Net(profile: Sample.profile(rule))
        let alice = net.open(1)
        let bob = net.open(2)
        #expect(net.commands(alice) == [] && net.commands(bob) == [])
        net.client(alice, Sample.request(user: "alice"))
        net.client(bob, Sample.request(user: "bob"))
        #expect(net.commands(alice) == [])
        #expect(net.commands(bob) == ["connect"])
        net.pass(.milliseconds(21))
        #expect(net.commands(alice) == ["connect"])
    }

    // MARK: drop-auth

    static let token: String = JWT.sign(
        .object([JSON.Member(key: "sub", value: .string("alice"))]), key: Array("key".utf8))

    static let heads: [(kind: String, path: String, field: String, bare: (path: String, field: String))] = [
        ("header", "/ws", "Authorization: Bearer \(token)\r\n", ("/ws", "")),
        ("query", "/ws?a=1&token=\(token)&b=2", "", ("/ws?a=1&b=2", "")),
        ("query", "/ws?token=\(token)", "", ("/ws", "")),
        ("cookie", "/ws", "Cookie: a=1; token=\(token); b=2\r\n", ("/ws", "Cookie: a=1; b=2\r\n")),
        ("cookie", "/ws", "Cookie: token=\(token)\r\n", ("/ws", "")),
    ]

    @Test(arguments: 0..<5) func stripsOnlyTheCredential(row: Int) {
        let head = Self.heads[row]
        var net = Net(profile: Sample.profile(Sample.rule("drop-auth")))
        let id = net.open(1)
        net.send(.connected, to: id)
        net.client(id, Sample.request(path: head.path, fields: head.field))
        #expect(String(buffer: net.takeServer(id)) == Sample.request(path: head.bare.path, fields: head.bare.field))
        #expect(net.faults(id).map(\.applied) == [true])
        #expect(net.conclude().differences == [])
    }

    @Test(arguments: 0..<5, ["truncate", "corrupt", "forge", "alg-none"])
    func spoilsOnlyTheCredential(row: Int, how: String) {
        let head = Self.heads[row]
        var settings = ["how": [how]]
        if how == "alg-none" { settings = ["how": ["forge"], "with": ["alg-none"]] }
        for seed in 1...20 as ClosedRange<UInt64> {
            var net = Net(profile: Sample.profile(Sample.rule("drop-auth", settings)), seed: seed)
            let id = net.open(1)
            net.send(.connected, to: id)
            net.client(id, Sample.request(path: head.path, fields: head.field))
            let sent = String(buffer: net.takeServer(id))
            let whole = Sample.request(path: head.path, fields: head.field)
            let parts = whole.split(separator: Self.token, omittingEmptySubsequences: false).map(String.init)
            #expect(sent != whole)
            #expect(sent.hasPrefix(parts[0]) && sent.hasSuffix(parts[1]))
            let spoilt = String(sent.dropFirst(parts[0].count).dropLast(parts[1].count))
            #expect(JWT.state(of: spoilt, key: Array("key".utf8), now: 0) != .intact)
            if how == "forge" || how == "alg-none" { #expect(JWT(spoilt)?.subject == "alice") }
        }
    }

    @Test func withoutACredentialNothingIsApplied() {
        var net = Net(profile: Sample.profile(Sample.rule("drop-auth", ["in": ["query"]])))
        let id = net.open(1)
        net.send(.connected, to: id)
        let request = Sample.request(fields: "Authorization: Bearer \(Self.token)\r\n")
        net.client(id, request)
        #expect(String(buffer: net.takeServer(id)) == request)
        #expect(net.faults(id).map(\.applied) == [false])
    }

    // MARK: drop, cut

    @Test func drop() {
        var net = Net(profile: Sample.profile(Sample.rule("drop") { $0.message = .every(2); $0.to = .client }))
        let id = net.upgraded(1)
        _ = net.takeClient(id)
        for number in 1...5 { net.server(id, Sample.frame("m\(number)", masked: false)) }
        #expect(Sample.messages(net.takeClient(id), .toClient) == ["m1", "m3", "m5"])
        #expect(net.faults(id).count == 2)
        #expect(net.faults(id).first?.influence == Influence(.message, [.delivery, .completion]))
        #expect(net.conclude().differences == [])
    }

    @Test func controlFramesBetweenFragmentsKeepTheirPlace() {
        var net = Net(profile: Sample.profile(Sample.rule("drop") { $0.message = .nth(1) }))
        let id = net.upgraded(1)
        _ = net.takeServer(id)
        let ping = Sample.frame("p", opcode: .ping, masked: true)
        let last = Sample.frame("kept", masked: true)
        net.client(id, Sample.frame("a", fin: false, masked: true))
        net.client(id, ping)
        #expect(net.takeServer(id).readableBytes == 0)
        net.client(id, Sample.frame("b", opcode: .continuation, masked: true))
        net.client(id, last)
        #expect(net.takeServer(id) == Sample.joined(ping, last))
        #expect(net.conclude().differences == [])
    }

    @Test(arguments: CutStyle.allCases, ["before", "after", "mid-message"])
    func cut(style: CutStyle, place: String) {
        let rule = Sample.rule("cut", ["style": [style.rawValue], "at": [place]]) { $0.message = .nth(2) }
        var net = Net(profile: Sample.profile(rule))
        let id = net.upgraded(1)
        _ = net.takeServer(id)
        _ = net.commands(id)
        let frames = (1...3).map { Sample.frame("message \($0)", masked: true) }
        for frame in frames { net.client(id, frame) }
        var expected = frames[0]
        var second = frames[1]
        if place == "after" { expected.writeBuffer(&second) }
        if place == "mid-message", var half = second.readSlice(length: second.readableBytes / 2) { expected.writeBuffer(&half) }
        #expect(net.takeServer(id) == expected)
        switch style {
        case .reset: #expect(net.commands(id) == ["close client reset", "close server reset"])
        case .half: #expect(net.commands(id) == ["finish client", "finish server"])
        case .silent: #expect(net.commands(id) == ["reads client false", "reads server false"])
        }
        if style != .silent { #expect(net.ends(id).allSatisfy { $0.by == .fault && $0.cause == "f1" }) }
        #expect(net.faults(id).map(\.influence.reach) == [.openOperations])
        #expect(net.conclude().differences == [])
    }

    @Test func cutOfOneSide() {
        var net = Net(profile: Sample.profile(Sample.rule("cut", ["side": ["client"], "at": ["before"]])))
        let id = net.upgraded(1)
        _ = net.commands(id)
        net.client(id, Sample.frame("m", masked: true))
        #expect(net.commands(id) == ["close client reset", "close server half"])
        #expect(net.conclude().differences == [])
    }

    // MARK: Compression

    /// After a change everything behind is deflated anew, with a `recoded` entry each; before it nothing changes.
    @Test(arguments: ["drop", "json-mutate"], [true, false]) func compressedMessages(kind: String, takeover: Bool) throws {
        let text = "permessage-deflate" + (takeover ? "" : "; server_no_context_takeover")
        var parameters = DeflateParameters()
        parameters.serverNoContextTakeover = !takeover
        let settings = kind == "drop" ? [:] : ["op": ["null"], "field": ["n"]]
        let rule = Sample.rule(kind, settings) { $0.message = .nth(3); $0.to = .client }
        var net = Net(profile: Sample.profile(rule))
        let id = net.upgraded(1, extensions: text)
        _ = net.takeClient(id)
        let deflater = try parameters.deflater(.toClient)
        var frames: [ByteBuffer] = []
        for number in 1...6 {
            let small = try deflater.deflate(ByteBuffer(string: "{\"type\":\"event\",\"n\":\(number)}"))
            frames.append(Sample.frame(small, rsv: 4, masked: false))
        }
        for frame in frames[..<2] { net.server(id, frame) }
        #expect(net.takeClient(id) == Sample.joined(Array(frames[..<2])))
        for frame in frames[2...] { net.server(id, frame) }
        let rest = net.takeClient(id)
        let got = Sample.messages(Sample.joined(Sample.joined(Array(frames[..<2])), rest), .toClient, .deflate(parameters))
        var expected = (1...6).map { "{\"type\":\"event\",\"n\":\($0)}" }
        if kind == "drop" { expected.remove(at: 2) } else { expected[2] = "{\"type\":\"event\",\"n\":null}" }
        #expect(got == expected)
        let (entries, differences) = net.conclude()
        #expect(differences == [])
        let recoded = entries.filter { if case .recoded = $0.body { true } else { false } }
        #expect(recoded.count == (takeover ? 3 : 0))
    }

    @Test func brokenDeflateIsNotLiftable() {
        var net = Net(profile: Sample.profile(Sample.rule("drop") { $0.to = .client }))
        let id = net.upgraded(1, extensions: "permessage-deflate")
        _ = net.takeClient(id)
        let frame = Sample.frame(ByteBuffer(bytes: [0xff, 0xff, 0xff]), rsv: 4, masked: false)
        net.server(id, frame)
        net.server(id, frame)
        #expect(net.takeClient(id) == Sample.joined(frame, frame))
        #expect(net.faults(id).map(\.applied) == [false, false])
        #expect(net.conclude().differences == [])
    }

    /// A client that sends before the 101: what RSV1 means there is in the answer.
    @Test func earlyCompressedFramesWaitForTheAnswer() throws {
        var net = Net(profile: Sample.profile(Sample.rule("drop") { $0.message = .nth(2) }))
        let id = net.open(1)
        net.send(.connected, to: id)
        let small = try DeflateParameters().deflater(.toServer).deflate(ByteBuffer(string: "compressed"))
        let frames = [
            Sample.frame("plain", masked: true), Sample.frame(small, rsv: 4, masked: true), Sample.frame("last", masked: true),
        ]
        net.client(id, Sample.request(extensions: "permessage-deflate"))
        _ = net.takeServer(id)
        net.client(id, Sample.joined(frames))
        #expect(net.takeServer(id) == frames[0])
        net.server(id, Sample.response(extensions: "permessage-deflate"))
        #expect(net.takeServer(id) == frames[2])
        #expect(net.faults(id).map(\.detail) == ["dropped 10 bytes"])
        #expect(net.conclude().differences == [])
    }
}
