import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// `offer-deflate`: exact bytes, and what can still be changed when the two sides were told different things.
@Suite struct HandshakeDeflateTests {
    private static let deflate = "permessage-deflate"

    static let rows: [(before: String?, settings: [String: [String]], after: String?)] = [
        (deflate, [:], nil),
        ("x-a, \(deflate); client_max_window_bits", ["op": ["strip"]], "x-a"),
        ("\(deflate); client_max_window_bits,  \(deflate)", ["op": ["strip"]], nil),
        ("\(deflate), x-a; b=\"1,2\", \(deflate)", ["op": ["strip"]], "x-a; b=\"1,2\""),
        (nil, ["op": ["force"]], deflate),
        (nil, ["op": ["force"], "server-max-window-bits": ["99"]], "\(deflate); server_max_window_bits=99"),
        ("\(deflate); client_max_window_bits", ["op": ["alter"], "client-max-window-bits": ["0"]], "\(deflate); client_max_window_bits=0"),
        (
            "\(deflate); server_no_context_takeover; client_max_window_bits, x-a",
            ["op": ["alter"], "server-no-context-takeover": ["no"], "client-no-context-takeover": ["yes"]],
            "\(deflate); client_max_window_bits; client_no_context_takeover, x-a"
        ),
        (deflate, ["op": ["duplicate"]], "\(deflate), \(deflate)"),
        (
            "\(deflate); client_max_window_bits", ["op": ["duplicate-parameter"]],
            "\(deflate); client_max_window_bits; client_max_window_bits"
        ),
        (deflate, ["op": ["duplicate-parameter"]], "\(deflate); server_no_context_takeover; server_no_context_takeover"),
    ]

    @Test(arguments: 0..<11) func offers(row: Int) {
        let row = Self.rows[row]
        var net = Net(profile: Sample.profile(Sample.rule("offer-deflate", row.settings)))
        let id = net.open(1)
        net.send(.connected, to: id)
        net.client(id, Sample.request(extensions: row.before))
        let got = String(buffer: net.takeServer(id))
        if row.before == nil {
            #expect(got == String(Sample.request().dropLast()) + "Sec-WebSocket-Extensions: \(row.after ?? "")\r\n\r\n")
        } else {
            #expect(got == Sample.request(extensions: row.after))
        }
        #expect(net.faults(id).map(\.applied) == [true])
        #expect(net.differences(.raw) == [])
        #expect(net.conclude().differences == [])
    }

    @Test func anyWindowComesUp() {
        var bits: Set<String> = []
        for seed in 1...400 as ClosedRange<UInt64> {
            var net = Net(profile: Sample.profile(Sample.rule("offer-deflate", ["op": ["alter"]])), seed: seed)
            let id = net.open(1)
            net.send(.connected, to: id)
            net.client(id, Sample.request(extensions: Self.deflate))
            bits.insert(net.faults(id).map(\.detail).joined())
        }
        #expect(bits.count > 100)
        #expect(bits.allSatisfy { $0.hasPrefix("altered to permessage-deflate; ") })
    }

    @Test func whatIsNotThereIsNotAltered() {
        for (op, extensions) in [("strip", nil), ("alter", "x-a"), ("duplicate", nil), ("force", Self.deflate)] as [(String, String?)] {
            var net = Net(profile: Sample.profile(Sample.rule("offer-deflate", ["op": [op]])))
            let id = net.upgraded(1, extensions: extensions)
            #expect(String(buffer: net.takeServer(id)) == Sample.request(extensions: extensions))
            #expect(net.faults(id).map(\.applied) == [false])
            #expect(net.conclude().differences == [])
        }
    }

    /// A session of two users' rules: the negotiation altered, and every message dropped that can be.
    private func begun(_ settings: [String: [String]], answers: String?, to side: Side) -> (Net, SessionID) {
        let drop = Sample.rule("drop", id: "f2") { $0.to = side }
        var net = Net(profile: Sample.profile(Sample.rule("offer-deflate", settings), drop))
        let id = net.open(1)
        net.send(.connected, to: id)
        net.client(id, Sample.request(extensions: Self.deflate))
        _ = net.takeServer(id)
        net.server(id, Sample.response(extensions: answers))
        return (net, id)
    }

    private func compressed(_ text: String, _ direction: Direction) throws -> ByteBuffer {
        let small = try DeflateParameters().deflater(direction).deflate(ByteBuffer(string: text))
        return Sample.frame(small, rsv: 4, masked: direction == .toServer)
    }

    @Test(arguments: [["op": ["strip"], "in": ["response"]], ["op": ["alter"], "in": ["response"], "server-no-context-takeover": ["yes"]]])
    func whatOneSideDoesNotKnowOfIsNotLiftable(settings: [String: [String]]) throws {
        var (net, id) = begun(settings, answers: Self.deflate, to: .client)
        let told = settings["op"] == ["strip"] ? nil : "\(Self.deflate); server_no_context_takeover"
        #expect(String(buffer: net.takeClient(id)) == Sample.response(extensions: told))
        let frames = try [compressed("one", .toClient), Sample.frame("plain", masked: false), compressed("two", .toClient)]
        for frame in frames { net.server(id, frame) }
        // What is not compressed means the same to both, and is dropped.
        #expect(net.takeClient(id) == Sample.joined(frames[0], frames[2]))
        let drops = net.faults(id).filter { $0.id == "f2" }
        #expect(drops.map(\.applied) == [false, true, false])
        #expect(drops.first?.detail == "not liftable: a fault altered what was negotiated about compression")
        #expect(net.became(id) == [.accepted(subprotocol: nil, deflate: true)])
        let raw = net.differences(.raw)
        let (entries, differences) = net.conclude()
        #expect(raw == [] && differences == [])
        // The journal reads the server's messages by what the server was told.
        let texts = entries.compactMap { entry -> String? in
            guard case .frame(let frame) = entry.body, frame.passage.in != nil else { return nil }
            return frame.message?.payload.map { String(buffer: $0) }
        }
        #expect(texts == ["one", "plain", "two"])
    }

    @Test func theOtherDirectionIsLiftableStill() throws {
        let settings = ["op": ["alter"], "in": ["response"], "server-no-context-takeover": ["yes"]]
        var (net, id) = begun(settings, answers: Self.deflate, to: .server)
        net.client(id, try compressed("gone", .toServer))
        #expect(net.takeServer(id).readableBytes == 0)
        #expect(net.faults(id).filter { $0.id == "f2" }.map(\.applied) == [true])
        #expect(net.conclude().differences == [])
    }

    @Test func anOfferStrippedLeavesNothingToDisagreeOn() {
        var (net, id) = begun([:], answers: nil, to: .client)
        net.server(id, Sample.frame("gone", masked: false))
        #expect(String(buffer: net.takeClient(id)) == Sample.response())
        #expect(net.faults(id).map(\.applied) == [true, true])
        #expect(net.conclude().differences == [])
    }

    @Test(arguments: [
        ["server-max-window-bits": ["100"], "op": ["alter"]], ["client-max-window-bits": ["9"]], ["op": ["remove"]],
        ["server-no-context-takeover": ["perhaps"], "op": ["force"]], ["in": ["both"]],
    ])
    func settingsThatMakeNoSense(settings: [String: [String]]) {
        let values = settings.sorted { $0.key < $1.key }.map { (name: $0.key, values: $0.value) }
        #expect(throws: SettingsError.self) { try OfferDeflate(Settings(values)) }
    }
}
