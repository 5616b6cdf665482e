import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// Faults that come, change and go under traffic: what none of them ordered stays byte for byte, what one of them did has
/// its entry, and what a fault held back that is gone goes on at once.
@Suite struct LiveChangeTests {
    /// Faults that change no byte (a held message lets control frames pass, so that none stands among its fragments), short ones among them and long ones, so that what is under way waits in some.
    private static let harmless: [(kind: String, settings: [String: [String]])] = [
        ("delay", ["delay": ["3ms"]]), ("delay", ["delay": ["10m"]]), ("latency", ["latency": ["2ms"], "jitter": ["2ms"]]),
        ("latency", ["latency": ["1h"]]), ("bandwidth", ["rate": ["64KiB/s"]]), ("bandwidth", ["rate": ["1B/s"]]), ("slicer", [:]),
        ("chop", [:]), ("coalesce", ["time": ["1h"], "size": ["1MiB"]]), ("stall-reads", ["time": ["1h"]]), ("slow_close", [:]),
        ("accept-delay", ["delay": ["1h"]]), ("fragment", [:]), ("drop", [:]), ("cut", [:]), ("replace", ["payload": ["x"]]),
        ("cross-streams", [:]), ("early-frames", ["hold": ["1h"], "frames": ["9"]]),
    ]
    private static let onMessages = ["fragment", "drop", "cut", "replace", "cross-streams"]

    private static func harmless(_ dice: inout Dice) -> FaultRule {
        let (kind, settings) = harmless[dice.below(harmless.count)]
        let side = [Side.client, .server, nil][dice.below(3)]
        return Sample.rule(kind, settings, id: "f\(dice.below(4))") {
            $0.to = side
            // Looks at every message, and takes none.
            if onMessages.contains(kind) { $0.message = .share(0) }
        }
    }

    private static func change(_ profile: inout Profile, _ dice: inout Dice, _ make: (inout Dice) -> FaultRule) {
        let rule = make(&dice)
        let place = profile.faults.firstIndex { $0.id == rule.id }
        switch (place, dice.below(3)) {
        case (let place?, 0): profile.faults.remove(at: place)
        case (let place?, _): profile.faults[place] = rule
        case (nil, _): profile.faults.append(rule)
        }
        if dice.below(9) == 0 { profile.faults = [] }
        profile.hash = "\(dice.next())"
    }

    @Test(arguments: Seeds.changes) func bytesSurviveChanges(seed: UInt64) {
        var dice = Dice(DiceKey(seed: seed, profile: "", user: "", connection: 1), direction: nil, message: 0, fault: "changes")
        var profile = Profile(name: "live")
        var net = Net(profile: dice.below(2) == 0 ? profile : nil, seed: seed)
        let id = net.open(1)
        var sent: [Direction: ByteBuffer] = [:]
        var chunks: [Direction: ArraySlice<ByteBuffer>] = [:]
        for direction in Direction.allCases {
            let head = ByteBuffer(string: direction == .toServer ? Sample.request(user: "alice") : Sample.response())
            let bytes = Sample.joined(head, Sample.traffic(masked: direction == .toServer, seed: dice.next(), between: false))
            sent[direction] = bytes
            chunks[direction] = Sample.chunks(bytes, seed: dice.next())[...]
        }
        net.send(.connected, to: id)
        while chunks.values.contains(where: { !$0.isEmpty }) {
            for _ in 0..<dice.below(3) {
                Self.change(&profile, &dice, Self.harmless)
                net.reconfigure(profile)
                    }
            if dice.below(12) == 0 { net.send(.faultsOff, to: id) }
            let direction = dice.below(2) == 0 ? Direction.toServer : .toClient
            // The server answers when it was asked.
            if direction == .toClient, !String(buffer: net.sessions[id]?.toServer ?? ByteBuffer()).contains("\r\n\r\n") {
                if chunks[.toServer]?.isEmpty == false { net.send(id, .toServer, chunks[.toServer]?.popFirst() ?? ByteBuffer()) }
                else { net.reconfigure(nil) }
                continue
            }
            if let chunk = chunks[direction]?.popFirst() { net.send(id, direction, chunk) }
            net.pass(.microseconds(Int64(dice.below(4_000))))
        }
        net.reconfigure(nil)
        net.pass(.seconds(1))
        #expect(net.takeServer(id) == sent[.toServer], "seed \(seed)")
        #expect(net.takeClient(id) == sent[.toClient], "seed \(seed)")
        #expect(net.differences(.raw) == [], "seed \(seed)")
        #expect(net.conclude().differences == [], "seed \(seed)")
    }

    /// Whatever kind comes and goes, on messages chosen or on all bytes: the journal says of each byte what became of it.
    @Test(arguments: Seeds.changes) func whateverChangesIsExplained(seed: UInt64) {
        var dice = Dice(DiceKey(seed: seed, profile: "", user: "", connection: 2), direction: nil, message: 0, fault: "changes")
        var profile = Profile(name: "live")
        var net = Net(profile: profile, seed: seed)
        let isCompressed = dice.below(2) == 0
        if dice.below(3) == 0 { net.unanswered = [] }
        let ids = [1, 2].map { net.upgraded($0, user: "user\($0)", extensions: isCompressed ? "permessage-deflate" : nil) }
        for _ in 0..<40 {
            Self.change(&profile, &dice) { dice in
                let kinds = FaultRegistry.all.filter { $0.name != "oversize" }
                let kind = kinds[dice.below(kinds.count)]
                var rule = Sample.rule(kind.name, Self.needed[kind.name] ?? [:], id: "f\(dice.below(5))")
                if !kind.actsOnBytes { rule.when.message = .share(0.5) }
                return rule
            }
            net.reconfigure(profile)
            for id in ids {
                let direction = dice.below(2) == 0 ? Direction.toServer : .toClient
                let bytes = dice.below(4) == 0
                    ? NonsenseTests.nonsense(&dice, masked: direction == .toServer)
                    : Sample.frame(#"{"type":"a","n":1,"run_id":"r"}"#, masked: direction == .toServer)
                for chunk in Sample.chunks(bytes, seed: dice.next()) { net.send(id, direction, chunk) }
            }
            if net.unanswered != nil, dice.below(4) == 0 {
                net.answer()
                net.unanswered = []
            }
            net.pass(.milliseconds(Int64(dice.below(40))))
        }
        net.answer()
        net.reconfigure(nil)
        let raw = net.differences(.raw)
        let redacted = net.conclude().differences
        #expect(raw == [] && redacted == [], "seed \(seed): \(raw), \(redacted)")
    }

    private static let needed: [String: [String: [String]]] = [
        "replace": ["payload": ["x"]], "regex-replace": ["pattern": ["a"], "with": ["b"]], "inject": ["payload": ["{}"]],
        "drop-auth": [:],
    ]

    // MARK: What is under way

    private func held(_ rules: FaultRule...) -> (Net, SessionID) {
        var profile = Sample.profile()
        profile.faults = rules
        var net = Net(profile: profile)
        let id = net.upgraded(1, user: "alice")
        _ = net.takeServer(id)
        _ = net.takeClient(id)
        return (net, id)
    }

    @Test func aHeldMessageGoesWithItsFault() {
        let message = Sample.frame("waits", masked: true)
        let behind = Sample.frame("behind", masked: true)
        for change in ["remove", "change", "off"] {
            var (net, id) = held(Sample.rule("delay", ["delay": ["1m"]]) { $0.message = .nth(1) })
            net.client(id, message)
            net.client(id, behind)
            #expect(net.takeServer(id).readableBytes == 0)
            switch change {
            case "remove": net.reconfigure(nil)
            case "change": net.reconfigure(Sample.profile(Sample.rule("delay", ["delay": ["2m"]]) { $0.message = .nth(1) }))
            default: net.send(.faultsOff, to: id)
            }
            #expect(net.takeServer(id) == Sample.joined(message, behind), "\(change)")
            #expect(net.conclude().differences == [])
        }
    }

    @Test func anotherFaultKeepsWhatItHolds() {
        let long = Sample.rule("delay", ["delay": ["5s"]], id: "long") { $0.message = .nth(1) }
        let short = Sample.rule("delay", ["delay": ["1s"]], id: "short") { $0.message = .nth(1) }
        var (net, id) = held(short, long)
        let message = Sample.frame("waits", masked: true)
        net.client(id, message)
        net.reconfigure(Sample.profile(short))
        net.pass(.milliseconds(900))
        #expect(net.takeServer(id).readableBytes == 0)
        net.pass(.milliseconds(200))
        #expect(net.takeServer(id) == message)
        (net, id) = held(short, long)
        net.client(id, message)
        net.reconfigure(Sample.profile(long))
        net.pass(.seconds(4))
        #expect(net.takeServer(id).readableBytes == 0)
        net.pass(.seconds(2))
        #expect(net.takeServer(id) == message)
    }

    @Test func theDiallingGoesOn() {
        var net = Net(profile: Sample.profile(Sample.rule("accept-delay", ["stage": ["tcp-accept"], "delay": ["1m"]])))
        let id = net.open(1)
        #expect(net.commands(id) == [])
        net.reconfigure(nil)
        #expect(net.commands(id) == ["connect"])
        // Who waited for the head, because a fault asked for a path, need not any more.
        net = Net(profile: Sample.profile(Sample.rule("accept-delay", ["stage": ["tcp-accept"]]) { $0.path = .init("/x") }))
        _ = net.open(1)
        #expect(net.commands(id) == [])
        net.reconfigure(nil)
        #expect(net.commands(id) == ["connect"])
    }

    @Test func aStalledSideIsReadAgain() {
        var (net, id) = held(Sample.rule("stall-reads", ["time": ["1h"]]) { $0.to = .client })
        #expect(net.commands(id).contains("reads server false"))
        net.reconfigure(nil)
        #expect(net.commands(id) == ["reads server true"])
        #expect(net.holds(id).map(\.isHeld) == [true, false])
    }

    @Test func whatIsNotTakenUpTwice() {
        let stall = Sample.rule("stall-reads", ["time": ["1s"]]) { $0.to = .client }
        var (net, id) = held(stall)
        net.pass(.seconds(2))
        net.reconfigure(Sample.profile(stall, Sample.rule("drop", id: "other") { $0.message = .nth(9) }))
        #expect(net.faults(id).map(\.id) == ["f1"])
        // Restored after the kill switch it is a fault that comes anew.
        net.send(.faultsOff, to: id)
        net.reconfigure(Sample.profile(stall))
        #expect(net.faults(id).map(\.id) == ["f1", "f1"])
    }

    // MARK: Decisions

    @Test func ordinalsGoOn() {
        var (net, id) = held()
        let messages = (1...6).map { Sample.frame("message \($0)", masked: true) }
        for message in messages.prefix(3) { net.client(id, message) }
        net.reconfigure(Sample.profile(Sample.rule("drop") { $0.message = .nth(5) }))
        for message in messages.dropFirst(3) { net.client(id, message) }
        #expect(Sample.messages(net.takeServer(id), .toServer) == [1, 2, 3, 4, 6].map { "message \($0)" })
        #expect(net.conclude().differences == [])
    }

    /// A coin decides of each message; whatever comes and goes beside it, the coin falls as if nothing had.
    @Test func whatStaysDecidesTheSame() {
        let coin = Sample.rule("drop", id: "coin") { $0.message = .share(0.4) }
        func run(_ changes: Bool) -> [String] {
            var (net, id) = held(coin)
            for number in 1...200 {
                if changes {
                    var profile = Sample.profile(coin)
                    if number % 3 > 0 { profile.faults.append(Sample.rule("latency", ["latency": ["1ms"]], id: "x\(number % 2)")) }
                    if number % 5 > 2 { profile.faults.insert(Sample.rule("slicer", id: "y"), at: 0) }
                    profile.hash = "\(number)"
                    net.reconfigure(profile)
                }
                net.client(id, Sample.frame("message \(number)", masked: true))
            }
            net.pass(.seconds(1))
            return Sample.messages(net.takeServer(id), .toServer)
        }
        let calm = run(false)
        #expect(calm.count > 80 && calm.count < 160)
        #expect(run(true) == calm)
    }

    @Test func budgetsGoOn() {
        var scope = Profile.Scope()
        scope.perConnection = 3
        var profile = Sample.profile(Sample.rule("drop"), scope: scope)
        var net = Net(profile: profile)
        let id = net.upgraded(1)
        _ = net.takeServer(id)
        for number in 1...6 {
            net.client(id, Sample.frame("message \(number)", masked: true))
            profile.hash = "\(number)"
            net.reconfigure(profile)
        }
        #expect(Sample.messages(net.takeServer(id), .toServer) == ["message 4", "message 5", "message 6"])
    }

    // MARK: Compression

    @Test(arguments: [true, false]) func aSessionThatHadAProfileCanBeChanged(hadProfile: Bool) throws {
        var net = Net(profile: hadProfile ? Sample.profile() : nil)
        let id = net.upgraded(1, user: "alice", extensions: "permessage-deflate")
        _ = net.takeServer(id)
        let parameters = try #require(net.sessions[id]?.machine.toServer.extensions.deflate)
        let deflater = try parameters.deflater(.toServer)
        func message(_ number: Int) throws -> ByteBuffer {
            let text = ByteBuffer(string: "{\"the same words\":\"again and again\",\"n\":\(number)}")
            return Sample.frame(try deflater.deflate(text), rsv: 4, masked: true)
        }
        for number in 1...3 { net.client(id, try message(number)) }
        net.reconfigure(Sample.profile(Sample.rule("drop") { $0.message = .nth(5) }))
        let rest = try (4...6).map(message)
        for frame in rest { net.client(id, frame) }
        let texts = Sample.messages(net.takeServer(id), .toServer, .deflate(parameters))
        let expected = hadProfile ? [1, 2, 3, 4, 6] : [1, 2, 3, 4, 5, 6]
        #expect(texts == expected.map { "{\"the same words\":\"again and again\",\"n\":\($0)}" })
        #expect(net.faults(id).map(\.applied) == [hadProfile])
        if !hadProfile {
            #expect(net.faults(id).map(\.detail) == ["not liftable: its compression context was not followed from the start"])
        }
        #expect(net.conclude().differences == [])
    }

    @Test func theJournalSaysWhatHoldsFromWhen() {
        var (net, id) = held()
        var profile = Sample.profile(Sample.rule("drop", id: "one") { $0.message = .nth(1) })
        profile.hash = "123456"
        net.reconfigure(profile)
        net.client(id, Sample.frame("gone", masked: true))
        net.send(.faultsOff, to: id)
        net.reconfigure(nil)
        let said = net.conclude().entries.compactMap { entry -> String? in
            switch entry.body {
            case .note(let text): text
            case .fault(let record): "fault \(record.id)"
            default: nil
            }
        }
        #expect(said == [
            "profile test 123456 from here on: one", "fault one", "faults are off from here on",
            "profile: no faults from here on",
        ])
    }
}

extension Net {
    /// As the shell does it: everybody hears of it.
    mutating func reconfigure(_ profile: Profile?) {
        configuration = configuration.with(profile)
        for id in sessions.keys.sorted() { send(.reconfigure(configuration), to: id) }
    }
}

enum Seeds {
    static let changes: ClosedRange<UInt64> = 1...24
}
