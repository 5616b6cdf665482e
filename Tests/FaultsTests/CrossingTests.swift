import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// Messages that travel on another session, with a shell of a few lines between two machines.
@Suite struct CrossingTests {
    private func pair(_ mode: String, to side: Side, extensions: String? = nil) -> (Net, SessionID, SessionID) {
        let profile = Sample.profile(
            Sample.rule("cross-streams", ["mode": [mode]]) {
                $0.to = side
                $0.user = .init("alice")
                $0.message = .nth(2)
            })
        var net = Net(profile: profile)
        let alice = net.upgraded(1, user: "alice", extensions: extensions)
        let bob = net.upgraded(2, user: "bob", extensions: extensions)
        for id in [alice, bob] {
            _ = net.takeClient(id)
            _ = net.takeServer(id)
        }
        return (net, alice, bob)
    }

    private func events(_ bytes: ByteBuffer) -> [String] { Sample.messages(bytes, .toClient) }

    @Test func divert() {
        var (net, alice, bob) = pair("divert", to: .client)
        for text in ["a1", "a2", "a3"] { net.server(alice, Sample.frame(text, masked: false)) }
        net.server(bob, Sample.frame("b1", masked: false))
        #expect(events(net.takeClient(alice)) == ["a1", "a3"])
        #expect(events(net.takeClient(bob)) == ["a2", "b1"])
        #expect(net.faults(alice).map(\.partner) == ["bob"])
        #expect(net.faults(alice).map(\.applied) == [true])
        let (entries, differences) = net.conclude()
        #expect(differences == [])
        let crossed = entries.compactMap { entry -> FrameRecord? in
            if case .frame(let frame) = entry.body, frame.provenance.source?.session == alice, entry.session == bob {
                frame
            } else {
                nil
            }
        }
        #expect(crossed.map(\.provenance.faults) == [["f1"]])
    }

    @Test func copy() {
        var (net, alice, bob) = pair("copy", to: .client)
        for text in ["a1", "a2", "a3"] { net.server(alice, Sample.frame(text, masked: false)) }
        #expect(events(net.takeClient(alice)) == ["a1", "a2", "a3"])
        #expect(events(net.takeClient(bob)) == ["a2"])
        #expect(net.conclude().differences == [])
    }

    @Test(arguments: [false, true]) func swap(wholeRead: Bool) {
        var (net, alice, bob) = pair("swap", to: .client)
        let down = ["a1", "a2", "a3"].map { Sample.frame($0, masked: false) }
        if wholeRead { net.server(alice, Sample.joined(down)) } else { for frame in down { net.server(alice, frame) } }
        for text in ["b1", "b2"] { net.server(bob, Sample.frame(text, masked: false)) }
        #expect(events(net.takeClient(alice)) == ["a1", "a3", "b1"])
        #expect(events(net.takeClient(bob)) == ["a2", "b2"])
        #expect(net.faults(alice).count == 1)
        #expect(net.faults(bob).map(\.detail) == ["goes to alice in exchange"])
        #expect(net.conclude().differences == [])
    }

    @Test func requestsTravelMaskedToTheServer() {
        var (net, alice, bob) = pair("divert", to: .server)
        for text in ["a1", "a2"] { net.client(alice, Sample.frame(text, masked: true)) }
        #expect(Sample.messages(net.takeServer(alice), .toServer) == ["a1"])
        let bytes = net.takeServer(bob)
        #expect(FrameHeader(bytes)?.maskKey != nil)
        #expect(Sample.messages(bytes, .toServer) == ["a2"])
        #expect(net.conclude().differences == [])
    }

    /// What a fault takes to another user's server is declassified; what stays, or goes to a client, is as it was said.
    @Test func canariesOnTheirWay() {
        let canary = CanaryKey(seed: 1).canary(of: "alice", number: 1).text
        let taken = "mwd-" + canary.dropFirst(4)
        for mode in ["divert", "copy"] {
            var (net, alice, bob) = pair(mode, to: .server)
            for text in ["a1", "say \(canary)!", "say \(canary)."] { net.client(alice, Sample.frame(text, masked: true)) }
            let own = mode == "copy" ? ["a1", "say \(canary)!", "say \(canary)."] : ["a1", "say \(canary)."]
            #expect(Sample.messages(net.takeServer(alice), .toServer) == own)
            #expect(Sample.messages(net.takeServer(bob), .toServer) == ["say \(taken)!"])
            #expect(net.conclude().differences == [])
        }
        var (net, alice, bob) = pair("divert", to: .client)
        for text in ["a1", canary] { net.server(alice, Sample.frame(text, masked: false)) }
        #expect(events(net.takeClient(bob)) == [canary])
    }

    /// It waits for the end of a message, never splits one.
    @Test func insertedBetweenMessages() {
        var (net, alice, bob) = pair("divert", to: .client)
        let begin = Sample.frame("b1 ", fin: false, masked: false)
        let end = Sample.frame("rest", opcode: .continuation, masked: false)
        net.server(bob, begin)
        var split = Sample.frame("whole", masked: false)
        for text in ["a1", "a2"] { net.server(alice, Sample.frame(text, masked: false)) }
        #expect(net.takeClient(bob) == begin)
        let half = split.readSlice(length: 3) ?? ByteBuffer()
        net.server(bob, Sample.joined(end, half))
        net.server(bob, split)
        #expect(events(Sample.joined(begin, net.takeClient(bob))) == ["b1 rest", "a2", "whole"])
        #expect(net.conclude().differences == [])
    }

    @Test func withoutAPartnerTheMessageGoesOnHere() {
        let profile = Sample.profile(
            Sample.rule("cross-streams", ["mode": ["divert"], "among": ["bob"]]) { $0.to = .client })
        var net = Net(profile: profile)
        let alice = net.upgraded(1, user: "alice")
        _ = net.takeClient(alice)
        let frame = Sample.frame("stays", masked: false)
        net.server(alice, frame)
        #expect(net.takeClient(alice) == frame)
        #expect(net.faults(alice).map(\.applied) == [false])
        #expect(net.faults(alice).first?.detail == "divert to client: no partner")
        #expect(net.conclude().differences == [])
    }

    /// Whatever a client makes of fragments: what is handed back is what came, and the books balance.
    @Test(arguments: 1...3) func withoutAPartnerBrokenSequencesGoOnAsTheyCame(every: Int) {
        let kinds: [(Bool, Opcode)] = [
            (false, .text), (true, .text), (true, .binary), (false, .continuation), (true, .continuation), (true, .ping),
        ]
        for sequence in 0..<1_296 {
            var rest = sequence
            let frames = (0..<4).map { index -> ByteBuffer in
                let kind = kinds[rest % 6]
                rest /= 6
                return Sample.frame("\(index)", opcode: kind.1, fin: kind.0, masked: true)
            }
            var net = Net(
                profile: Sample.profile(
                    Sample.rule("cross-streams", ["mode": ["divert"]]) { rule in
                        rule.to = .server
                        rule.message = .every(every)
                    }))
            let alice = net.upgraded(1, user: "alice")
            _ = net.takeServer(alice)
            for frame in frames { net.client(alice, frame) }
            // A message without an end waits for it, and whatever comes behind it.
            let left = net.takeServer(alice)
            var came = Sample.joined(frames)
            #expect(came.readSlice(length: left.readableBytes) == left, "\(sequence)")
            if frames.allSatisfy({ FrameHeader($0)?.fin == true }) { #expect(came.readableBytes == 0, "\(sequence)") }
            let (_, differences) = net.conclude()
            #expect(differences == [], "\(sequence)")
        }
    }

    /// Several crossings and a change take the message in hand; when nobody takes it, it goes on here once, as the change left it.
    @Test(arguments: [["swap"], ["copy"], ["copy", "divert"], ["copy", "copy"], ["divert", "copy"]], [false, true])
    func withoutAPartnerAChangedMessageGoesOnOnce(modes: [String], isBetweenFragments: Bool) {
        var rules = [
            Sample.rule("json-mutate", ["op": ["null"], "field": ["n"]]) { $0.to = .client }
        ]
        for (index, mode) in modes.enumerated() {
            rules.append(Sample.rule("cross-streams", ["mode": [mode]], id: "f\(index + 2)") { $0.to = .client })
        }
        var profile = Sample.profile()
        profile.faults = rules
        var net = Net(profile: profile)
        let alice = net.upgraded(1, user: "alice")
        _ = net.takeClient(alice)
        let ping = Sample.frame("p", opcode: .ping, masked: false)
        var frames = [Sample.frame(#"{"n":1}"#, masked: false)]
        if isBetweenFragments {
            frames = [
                Sample.frame(#"{"n""#, fin: false, masked: false), ping,
                Sample.frame(":1}", opcode: .continuation, masked: false),
            ]
        }
        for frame in frames { net.server(alice, frame) }
        let whole = Sample.frame(#"{"n":null}"#, masked: false)
        #expect(net.takeClient(alice) == (isBetweenFragments ? Sample.joined(ping, whole) : whole))
        // What is diverted is not there for a later fault.
        let crossings = net.faults(alice).filter { $0.kind == "cross-streams" }
        #expect(crossings.map(\.applied) == (modes.first == "divert" ? [false] : modes.map { _ in false }))
        let (entries, differences) = net.conclude()
        #expect(differences == [])
        let left = entries.compactMap { entry -> FrameRecord? in
            if case .frame(let frame) = entry.body, frame.passage.atClient != nil, !frame.frame.opcode.isControl { frame } else { nil }
        }
        #expect(left.first?.provenance.faults.first == "f1")
    }

    /// What another fault dropped does not come back with a copy that nobody took.
    @Test func whatIsDroppedStaysDropped() {
        var profile = Sample.profile()
        profile.faults = [
            Sample.rule("cross-streams", ["mode": ["copy"]]) { $0.to = .client }, Sample.rule("drop", id: "f2") { $0.to = .client },
        ]
        var net = Net(profile: profile)
        let alice = net.upgraded(1, user: "alice")
        _ = net.takeClient(alice)
        net.server(alice, Sample.frame("gone", masked: false))
        #expect(net.takeClient(alice).readableBytes == 0)
        #expect(net.conclude().differences == [])
    }

    /// More than may be held for an answer is not sent to another session, which would make two of it.
    @Test(arguments: ["swap", "divert"]) func whatIsTooLargeToWaitStaysHere(mode: String) {
        var limits = Limits.standard
        limits.heldBytes = 4_000
        let profile = Sample.profile(Sample.rule("cross-streams", ["mode": [mode]]) { $0.to = .client; $0.user = .init("alice") })
        var net = Net(profile: profile, limits: limits)
        let alice = net.upgraded(1, user: "alice")
        let bob = net.upgraded(2, user: "bob")
        for id in [alice, bob] { _ = net.takeClient(id) }
        let large = Sample.frame(String(repeating: "x", count: 5_000), masked: false)
        net.server(alice, large)
        #expect(net.takeClient(alice) == large && net.takeClient(bob).readableBytes == 0)
        #expect(net.faults(alice).map(\.applied) == [false])
        #expect(net.conclude().differences == [])
    }

    /// As long as nobody knows where it is, it goes nowhere else, whatever piles up behind it: no more is read.
    @Test(arguments: [true, false]) func anAnswerIsWaitedFor(isTaken: Bool) {
        var limits = Limits.standard
        limits.heldBytes = 4_000
        let rule = Sample.rule("cross-streams", ["mode": ["divert"]]) { $0.to = .client; $0.message = .nth(1); $0.user = .init("alice") }
        var net = Net(profile: Sample.profile(rule), limits: limits)
        let alice = net.upgraded(1, user: "alice")
        let bob = isTaken ? net.upgraded(2, user: "bob") : nil
        for id in [alice] + (bob.map { [$0] } ?? []) { _ = net.takeClient(id) }
        _ = net.commands(alice)
        net.unanswered = []
        let travels = Sample.frame("travels", masked: false)
        let rest = (0..<6).map { Sample.frame("\($0)" + String(repeating: "x", count: 1_000), masked: false) }
        net.server(alice, travels)
        for frame in rest { net.server(alice, frame) }
        #expect(net.takeClient(alice).readableBytes == 0)
        #expect(net.commands(alice).contains("reads server false"))
        net.answer()
        #expect(net.commands(alice).contains("reads server true"))
        #expect(net.takeClient(alice) == Sample.joined((isTaken ? [] : [travels]) + rest))
        if let bob { #expect(events(net.takeClient(bob)) == ["travels"]) }
        #expect(net.conclude().differences == [])
    }

    /// A ping among the fragments of what travels goes on by itself.
    @Test func controlFramesStayHere() {
        var (net, alice, bob) = pair("divert", to: .client)
        let ping = Sample.frame("p", opcode: .ping, masked: false)
        let first = Sample.frame("a1", masked: false)
        for frame in [
            first, Sample.frame("a2 ", fin: false, masked: false), ping,
            Sample.frame("rest", opcode: .continuation, masked: false),
        ] { net.server(alice, frame) }
        #expect(net.takeClient(alice) == Sample.joined(first, ping))
        #expect(events(net.takeClient(bob)) == ["a2 rest"])
        #expect(net.conclude().differences == [])
    }

    /// A frame with a reserved opcode is no fragment: what becomes of the message does not become of it.
    @Test(arguments: [("drop", nil), ("cross-streams", "divert"), ("cross-streams", "copy")], [false, true])
    func reservedFramesAreNoFragments(rule: (kind: String, mode: String?), isFinal: Bool) {
        let chosen = Sample.rule(rule.kind, rule.mode.map { ["mode": [$0]] } ?? [:]) { $0.to = .server; $0.user = .init("alice") }
        var net = Net(profile: Sample.profile(chosen))
        let alice = net.upgraded(1, user: "alice")
        let bob = net.upgraded(2, user: "bob")
        for id in [alice, bob] { _ = net.takeServer(id) }
        let reserved = Sample.frame("r", opcode: Opcode(rawValue: 5), fin: isFinal, masked: true)
        let parts = [
            Sample.frame("a1 ", fin: false, masked: true), reserved, Sample.frame("a2", opcode: .continuation, masked: true),
        ]
        for part in parts { net.client(alice, part) }
        let isLeft = rule.mode == "copy"
        #expect(net.takeServer(alice) == (isLeft ? Sample.joined(parts) : reserved))
        #expect(Sample.messages(net.takeServer(bob), .toServer) == (rule.mode == nil ? [] : ["a1 a2"]))
        #expect(net.differences(.raw) == [] && net.conclude().differences == [])
    }

    /// In the fragments it came in, and the journal tells each: a message without its end would be no message.
    @Test func withoutAPartnerFragmentsGoOnAsSuch() {
        var net = Net(profile: Sample.profile(Sample.rule("cross-streams", ["mode": ["swap"]]) { $0.to = .server }))
        let alice = net.upgraded(1, user: "alice")
        _ = net.takeServer(alice)
        let parts = Sample.joined(
            Sample.frame("in ", fin: false, masked: true), Sample.frame("three ", opcode: .continuation, fin: false, masked: true),
            Sample.frame("parts", opcode: .continuation, masked: true))
        net.client(alice, parts)
        #expect(net.takeServer(alice) == parts)
        let (entries, differences) = net.conclude()
        #expect(differences == [])
        let left = entries.compactMap { entry -> FrameRecord? in
            if case .frame(let frame) = entry.body, frame.passage.atServer != nil, !frame.frame.opcode.isControl { frame } else { nil }
        }
        #expect(left.map(\.frame.fin) == [false, false, true])
        #expect(left.map { $0.message?.payload.map { String(buffer: $0) } } == [nil, nil, "in three parts"])
    }

    /// trust.md T26.
    @Test func credentialsDoNotTravel() {
        for among in [[], ["bob"], ["alice", "bob"]] {
            var settings = ["mode": ["divert"]]
            if !among.isEmpty { settings["among"] = among }
            var net = Net(profile: Sample.profile(Sample.rule("cross-streams", settings) { $0.to = .server }))
            let alice = net.upgraded(1, user: "alice")
            let bob = net.upgraded(2, user: "bob")
            _ = net.takeServer(alice)
            _ = net.takeServer(bob)
            let frame = Sample.frame("{\"token\":\"secret-token\"}", masked: true)
            net.client(alice, frame)
            let travelled = net.takeServer(bob).readableBytes > 0
            #expect(travelled == (among == ["alice", "bob"]))
            #expect((net.takeServer(alice) == frame) == !travelled)
            #expect(net.faults(alice).map(\.applied) == [travelled])
        }
    }

    @Test(arguments: ["swap", "divert", "copy"]) func compressedSessions(mode: String) throws {
        let text = "permessage-deflate"
        var (net, alice, bob) = pair(mode, to: .client, extensions: text)
        let parameters = DeflateParameters()
        let deflaters = [alice: try parameters.deflater(.toClient), bob: try parameters.deflater(.toClient)]
        func send(_ text: String, _ id: SessionID, _ net: inout Net) throws {
            guard let small = try deflaters[id]?.deflate(ByteBuffer(string: text)) else { return }
            net.server(id, Sample.frame(small, rsv: 4, masked: false))
        }
        for number in 1...4 { try send("{\"user\":\"alice\",\"number\":\(number)}", alice, &net) }
        for number in 1...3 { try send("{\"user\":\"bob\",\"number\":\(number)}", bob, &net) }
        let gotAlice = Sample.messages(net.takeClient(alice), .toClient, .deflate(parameters))
        let gotBob = Sample.messages(net.takeClient(bob), .toClient, .deflate(parameters))
        let second = "{\"user\":\"alice\",\"number\":2}"
        #expect(gotBob.first == second)
        #expect(gotAlice.contains(second) == (mode == "copy"))
        #expect(gotAlice.contains("{\"user\":\"bob\",\"number\":1}") == (mode == "swap"))
        #expect(gotBob.last == "{\"user\":\"bob\",\"number\":3}")
        #expect(!(gotAlice + gotBob).contains { $0.hasPrefix("unlifted") })
        #expect(net.conclude().differences == [])
    }
}
