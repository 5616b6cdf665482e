import Contracts
import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// Users whom the opening head does not name, and a message does.
@Suite struct LearntUserTests {
    /// A credential `for-NAME` in a message to the server says that it is NAME who speaks.
    struct MessageFinder: SecretFinder {
        private let names = NameFinder()
        var verificationKey: [UInt8]? { nil }
        var expectsJWT: Bool { false }
        var learnsUsers: Bool { true }
        func secrets(inRequest head: HeadView) -> [FoundSecret] { names.secrets(inRequest: head) }
        func secrets(inResponse head: HeadView) -> [FoundSecret] { [] }
        func secrets(inMessage payload: ByteBuffer, opcode: Opcode, _ direction: Direction) -> [FoundSecret] {
            let document = JSONDocument(payload)
            guard direction == .toServer, let root = document.root, let node = document.member("token", of: root),
                let text = document.string(of: node)
            else { return [] }
            return [FoundSecret(place: "request auth token", value: text, range: document.nodes[node].range, isCredential: true)]
        }
        func users(inRequest head: HeadView, credential: FoundSecret?) -> [String] {
            names.users(inRequest: head, credential: credential)
        }
        func user(inMessage payload: ByteBuffer, credential: FoundSecret) -> String? {
            credential.value.hasPrefix("for-") ? String(credential.value.dropFirst(4)) : nil
        }
        func users(inMessage payload: ByteBuffer, opcode: Opcode) -> [String] {
            secrets(inMessage: payload, opcode: opcode, .toServer).compactMap { user(inMessage: payload, credential: $0) }
        }
    }

    private static func auth(_ user: String) -> String { #"{"type":"auth","token":"for-\#(user)"}"# }

    private func net(_ rules: FaultRule..., scope: Profile.Scope = Profile.Scope(), seed: UInt64 = 7) -> Net {
        var profile = Profile(name: "test")
        profile.hash = "abcdef"
        profile.faults = rules
        profile.scope = scope
        var net = Net(profile: profile, seed: seed)
        net.configuration.finder = MessageFinder()
        return net
    }

    private func say(_ texts: String..., to net: inout Net, _ id: SessionID) {
        for text in texts { net.client(id, Sample.frame(text, masked: true)) }
    }

    private func isSaid(_ texts: String...) -> ByteBuffer { Sample.joined(texts.map { Sample.frame($0, masked: true) }) }
    private func isAnswered(_ texts: String...) -> ByteBuffer { Sample.joined(texts.map { Sample.frame($0, masked: false) }) }

    private func taken(_ net: inout Net, _ id: SessionID) -> ByteBuffer {
        let bytes = net.takeServer(id)
        return bytes.getSlice(at: bytes.readerIndex + Sample.request().utf8.count, length: bytes.readableBytes - Sample.request().utf8.count) ?? bytes
    }

    /// The very message that names the user is the first on which the fault may act.
    @Test(arguments: [true, false])
    func rulesKnowFromThatMessageOn(byScope: Bool) {
        var scope = Profile.Scope()
        if byScope { scope.users = [Glob("al*")] }
        let rule = Sample.rule("drop") { if !byScope { $0.user = Glob("al*") } else { $0.to = nil } }
        var net = net(rule, scope: scope)
        let alice = net.upgraded(1)
        let bob = net.upgraded(2)
        for (id, user) in [(alice, "alice"), (bob, "bob")] {
            _ = net.takeClient(id)
            say("first", to: &net, id)
            net.server(id, Sample.frame("hello", masked: false))
            say(Self.auth(user), "third", to: &net, id)
            net.server(id, Sample.frame("welcome", masked: false))
        }
        #expect(taken(&net, alice) == isSaid("first"))
        #expect(net.takeClient(alice) == isAnswered("hello"))
        #expect(taken(&net, bob) == isSaid("first", Self.auth("bob"), "third"))
        #expect(net.takeClient(bob) == isAnswered("hello", "welcome"))
        #expect(net.faults(alice).map(\.detail) == ["dropped 35 bytes", "dropped 5 bytes", "dropped 7 bytes"])
        #expect(net.faults(bob).isEmpty)
        #expect(net.sessions[alice]?.label == "alice" && net.sessions[bob]?.label == "bob")
        #expect(net.conclude().differences == [])
    }

    /// Who says another name later does not become somebody else, and who is known at the upgrade stays that.
    @Test func theFirstNameStays() {
        var net = net(Sample.rule("drop") { $0.user = Glob("bob") })
        let late = net.upgraded(1)
        say(Self.auth("alice"), Self.auth("bob"), "x", to: &net, late)
        #expect(taken(&net, late) == isSaid(Self.auth("alice"), Self.auth("bob"), "x"))
        let early = net.upgraded(2, user: "carol")
        say(Self.auth("bob"), "x", to: &net, early)
        #expect(net.faults(late).isEmpty && net.faults(early).isEmpty)
        #expect(net.sessions[early]?.label == "carol")
        #expect(net.conclude().differences == [])
    }

    /// How reads cut the bytes is no input: faults begin behind the same byte.
    @Test(arguments: ["chop", "drop", "duplicate"])
    func readsAreNoInput(kind: String) {
        var seen: [(ByteBuffer, [FaultRecord])] = []
        let texts = ["one", "two", Self.auth("alice"), "four", "five"]
        let bytes = Sample.joined(texts.map { Sample.frame($0, masked: true) })
        for size in [1, 7, 20, bytes.readableBytes] {
            var net = net(Sample.rule(kind) { $0.user = Glob("alice"); $0.to = .server })
            let id = net.upgraded(1)
            var rest = bytes
            while let part = rest.readSlice(length: min(size, rest.readableBytes)), part.readableBytes > 0 { net.client(id, part) }
            net.pass(.seconds(1))
            seen.append((taken(&net, id), net.faults(id).map { record in
                var record = record
                record.on = nil
                return record
            }))
            #expect(!net.faults(id).isEmpty, "\(kind) \(size)")
            #expect(net.conclude().differences == [], "\(kind) \(size)")
        }
        for other in seen.dropFirst() { #expect(other == seen[0]) }
    }

    /// The dice's label is that of the upgrade: what is drawn for other rules is the same as if nobody had asked for users.
    @Test func theDiceStay() {
        for seed in 1...20 as ClosedRange<UInt64> {
            let drawn = Sample.rule("drop", id: "drawn") { $0.message = .share(0.5); $0.to = .server }
            let asks = Sample.rule("duplicate", id: "asks") { $0.user = Glob("alice"); $0.to = .client }
            var decisions: [[UInt32]] = []
            for rules in [[drawn], [drawn, asks]] {
                var profile = Profile(name: "test")
                profile.hash = "abcdef"
                profile.faults = rules
                var net = Net(profile: profile, seed: seed)
                net.configuration.finder = MessageFinder()
                let id = net.upgraded(1)
                say("a", "b", "c", Self.auth("alice"), "d", "e", "f", "g", to: &net, id)
                let left = Sample.messages(taken(&net, id), .toServer)
                decisions.append(["a", "b", "c", Self.auth("alice"), "d", "e", "f", "g"].map { left.contains($0) ? 1 : 0 })
            }
            #expect(decisions[0] == decisions[1])
        }
    }

    /// The name in pieces, with a ping between them, and one that is too long to be read.
    @Test func namesInFragments() {
        var net = net(Sample.rule("drop") { $0.user = Glob("alice"); $0.to = .client })
        let id = net.upgraded(1)
        _ = net.takeClient(id)
        let name = Self.auth("alice")
        let parts = Sample.joined(
            Sample.frame(String(name.prefix(12)), fin: false, masked: true), Sample.frame("p", opcode: .ping, masked: true),
            Sample.frame(String(name.dropFirst(12)), opcode: .continuation, masked: true))
        net.client(id, parts)
        #expect(taken(&net, id) == parts)
        net.server(id, Sample.frame("gone", masked: false))
        #expect(net.takeClient(id).readableBytes == 0)
        #expect(net.conclude().differences == [])

        var limits = Limits.standard
        limits.messageBytes = 30
        var small = self.net(Sample.rule("drop") { $0.user = Glob("alice"); $0.to = .client })
        small.configuration.limits = limits
        let long = small.upgraded(1)
        small.client(long, parts)
        #expect(taken(&small, long) == parts)
        small.server(long, Sample.frame("stays", masked: false))
        #expect(small.faults(long).isEmpty)
        #expect(small.conclude().differences == [])
    }

    /// Nothing is read of messages when no rule asks, nor once the user is known.
    @Test func whoDoesNotAskDoesNotRead() {
        var nobody = net(Sample.rule("drop") { $0.path = Glob("/other") })
        let other = nobody.upgraded(1)
        #expect(nobody.sessions[other]?.machine.toServer.mode == .scan)
        var asking = net(Sample.rule("drop") { $0.user = Glob("alice"); $0.to = .client })
        let third = asking.upgraded(1)
        #expect(asking.sessions[third]?.machine.toServer.mode == .work)
        say(Self.auth("bob"), to: &asking, third)
        #expect(asking.sessions[third]?.machine.toServer.mode == .scan)
    }
}
