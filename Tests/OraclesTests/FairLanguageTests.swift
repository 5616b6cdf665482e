import Contracts
import Journaling
import Testing
import Wire

@testable import Oracles

/// Servers that keep their contract, with every word under way for a while: what they decide by is not what passes the
/// proxy at that time, and none of that is ever held against them.
@Suite struct FairLanguageTests {
    /// The same in each run.
    struct Dice {
        var state: UInt64
        mutating func next(_ below: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(truncatingIfNeeded: (state >> 33) % UInt64(max(1, below)))
        }
        mutating func pick<T>(_ items: [T]) -> T? { items.isEmpty ? nil : items[next(items.count)] }
    }

    /// One connection: what happens when, at the proxy and at the server; both ways keep their order.
    struct Wire {
        enum Word { case says(String), hears(String), closes(UInt16) }
        var dice: Dice
        var story: [(at: Double, word: Word)] = []
        private var toServer = 0.0
        private var toProxy = 0.0
        private(set) var isClosed = false

        init(_ seed: UInt64) { dice = Dice(state: seed &* 0x9e37_79b9_7f4a_7c15 &+ 1) }

        /// - Returns: when the server reads it; nil when it was gone by then.
        mutating func say(_ text: String, at ms: Double) -> Double {
            story.append((ms, .says(text)))
            toServer = max(toServer, ms + Double(dice.next(40)))
            return toServer
        }
        mutating func hear(_ text: String, sent ms: Double) {
            guard !isClosed else { return }
            toProxy = max(toProxy + 0.01, ms + Double(dice.next(40)))
            story.append((toProxy, .hears(text)))
        }
        mutating func close(_ code: UInt16, sent ms: Double) {
            guard !isClosed else { return }
            toProxy = max(toProxy + 0.01, ms + Double(dice.next(40)))
            story.append((toProxy, .closes(code)))
            isClosed = true
        }
    }

    /// What a server does later: it happens in order of time, among what it reads.
    struct Work {
        private(set) var items: [(at: Double, order: Int, what: String)] = []
        private var count = 0
        mutating func add(_ what: String, at ms: Double) {
            count += 1
            items.append((ms, count, what))
            items.sort { ($0.at, $0.order) < ($1.at, $1.order) }
        }
        mutating func next() -> (at: Double, what: String)? {
            guard !items.isEmpty else { return nil }
            let first = items.removeFirst()
            return (first.at, first.what)
        }
    }

    private func play(_ contract: Contract, _ wires: [Wire], sourceLocation: SourceLocation = #_sourceLocation) -> Judgement {
        judge(contract, { story in
            var all: [(at: Double, wire: Int, order: Int, word: Wire.Word)] = []
            for (wire, told) in wires.enumerated() {
                for (order, item) in told.story.enumerated() { all.append((item.at, wire, order, item.word)) }
            }
            all.sort { ($0.at, $0.wire, $0.order) < ($1.at, $1.wire, $1.order) }
            for wire in wires.indices { story.open(wire + 1, "u\(wire % 2)", at: 0) }
            var closed: Set<Int> = []
            for item in all {
                switch item.word {
                case .says(let text): if !closed.contains(item.wire) { story.send(item.wire + 1, text, at: item.at) }
                case .hears(let text): story.event(item.wire + 1, text, at: item.at)
                case .closes(let code):
                    story.close(item.wire + 1, by: .server, code, at: item.at)
                    closed.insert(item.wire)
                }
            }
            story.ticks(from: 3_000, to: 12_000)
        }, sourceLocation: sourceLocation)
    }

    // MARK: Responses that the server starts by itself, and rules that ask for runs

    private func voice(_ seed: UInt64) -> Wire {
        var wire = Wire(seed)
        var work = Work()
        var at = 1.0
        for _ in 0..<10 {
            at += Double(wire.dice.next(60))
            let text = wire.dice.next(2) == 0 ? #"{"type":"create"}"# : #"{"type":"cancel"}"#
            work.add(text, at: wire.say(text, at: at))
        }
        for _ in 0..<3 { work.add("speech", at: Double(wire.dice.next(500))) }
        var active: Int?
        var serial = Int(seed % 1_000) * 100
        func of(_ type: String, _ rid: Int) -> String { #"{"type":"\#(type)","rid":"\#(rid)"}"# }
        while let (now, what) = work.next() {
            let parts = what.split(separator: " ").map(String.init)
            switch parts[0] {
            case "speech" where active == nil, #"{"type":"create"}"# where active == nil:
                serial += 1
                active = serial
                wire.hear(of("created", serial), sent: now)
                if wire.dice.next(2) == 0 { work.add("delta \(serial)", at: now + 5) }
                work.add("done \(serial)", at: now + Double(10 + wire.dice.next(150)))
            case "speech": continue
            case "delta", "done":
                guard let rid = Int(parts[1]), active == rid else { continue }
                wire.hear(of(parts[0], rid), sent: now)
                if parts[0] == "done" { active = nil }
            case #"{"type":"create"}"#: wire.hear(#"{"type":"error","code":"busy"}"#, sent: now)
            default:
                guard let rid = active else {
                    wire.hear(#"{"type":"error","code":"idle"}"#, sent: now)
                    continue
                }
                active = nil
                wire.hear(of("done", rid), sent: now)
            }
        }
        return wire
    }

    @Test(arguments: 1...24)
    func voiceServersAreNeverAccused(seed: Int) {
        let wires = (0..<(seed % 2 + 1)).map { voice(UInt64(seed * 10 + $0)) }
        let judgement = play(LanguageTests.voice, wires)
        #expect(judgement.sentences.isEmpty)
    }

    // MARK: Batches

    private func rpc(_ seed: UInt64) -> Wire {
        var wire = Wire(seed)
        var at = 1.0
        var number = 0
        for _ in 0..<8 {
            at += Double(wire.dice.next(30))
            var calls: [String] = []
            var answers: [String] = []
            for _ in 0..<(1 + wire.dice.next(4)) {
                number += 1
                switch wire.dice.next(6) {
                case 0: calls.append(#"{"method":"note"}"#)
                case 1:
                    calls.append("\(number)")
                    answers.append(#"{"error":{"code":-32600},"id":null}"#)
                default:
                    calls.append(LanguageTests.call(number))
                    let isFine = wire.dice.next(4) > 0
                    answers.append(isFine ? LanguageTests.result(number) : #"{"error":{"code":-1},"id":\#(number)}"#)
                }
            }
            let isBroken = wire.dice.next(8) == 0
            let read = wire.say(isBroken ? "[" + calls.joined(separator: ",") : "[" + calls.joined(separator: ",") + "]", at: at)
            if isBroken { answers = [#"{"error":{"code":-32700},"id":null}"#] }
            guard !answers.isEmpty else { continue }
            switch wire.dice.next(3) {
            case 0: for answer in answers { wire.hear(answer, sent: read) }
            case 1: wire.hear("[" + answers.joined(separator: ",") + "]", sent: read)
            default: wire.hear(answers.map { $0 + "\u{1e}" }.joined(), sent: read)
            }
        }
        return wire
    }

    @Test(arguments: 1...16)
    func batchServersAreNeverAccused(seed: Int) {
        let judgement = play(LanguageTests.rpc, (0..<2).map { rpc(UInt64(seed * 10 + $0)) })
        #expect(judgement.sentences.isEmpty)
    }
}
