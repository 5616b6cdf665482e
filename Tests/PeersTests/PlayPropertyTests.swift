import Journaling
import NIOCore
import Plans
import Testing
import Wire

@testable import Peers

/// Random plans, random events at random times: whatever happens, a play can be ended, and it names no connection that
/// it did not make.
@Suite struct PlayPropertyTests {
    @Test(arguments: UInt64(0)..<8) func whateverHappensAPlayCanBeEnded(_ part: UInt64) throws {
        for seed in (part * 250)..<(part * 250 + 250) {
            var chaos = try Chaos(seed: seed)
            let wrong = chaos.run()
            #expect(wrong == [], "seed \(seed)")
        }
    }
}

/// One random play.
private struct Chaos {
    private var dice: Dice
    private var book: PlayBook
    private var wrong: [String] = []
    private var connections = 0
    private var played = 0
    private var isOver = false

    init(seed: UInt64) throws {
        var dice = Dice(
            DiceKey(seed: seed, profile: "chaos", user: "", connection: 0), direction: nil, message: 0, fault: "play")
        book = try PlayBook(Self.steps(&dice))
        self.dice = dice
    }

    mutating func run() -> [String] {
        look(book.begin())
        var now: Int64 = 0
        for _ in 0..<(5 + dice.below(60)) {
            now += Int64(dice.below(dice.below(6) == 0 ? 1_500 : 20))
            catchUp(to: now)
            disturb(at: now)
        }
        let ended = now
        look(book.at(now, .finish))
        for _ in 0..<dice.below(12) where !isOver {
            now += Int64(dice.below(200))
            catchUp(to: now)
            if !isOver { disturb(at: now) }
        }
        // From here only alarms.
        var wakes = 0
        while !isOver, wakes < 10, let commands = book.wake() {
            look(commands)
            wakes += 1
        }
        if !isOver { wrong.append("it is never over") }
        if book.now > max(now, ended + 1_000) { wrong.append("over only after \(book.now - ended) ms") }
        if played != 1 { wrong.append("played is said \(played) times") }
        if !book.machine.isPlayed { wrong.append("over and not played") }
        return wrong
    }

    /// Alarms that are due by then go off in between.
    private mutating func catchUp(to now: Int64) {
        var turns = 0
        while let due = book.alarm, due <= now, turns < 1_000, let commands = book.wake() {
            look(commands)
            turns += 1
        }
        if turns == 1_000 { wrong.append("it wakes for ever") }
    }

    private mutating func disturb(at now: Int64) {
        // Now and then of a connection that is not there.
        let id = dice.below(20) == 0 ? connections + dice.below(3) : dice.below(max(1, connections))
        let event: PlayMachine.Event =
            switch dice.below(12) {
            case 0, 1, 2: .connected(id)
            case 3: .connectFailed(id, "no")
            case 4, 5: .received(id, book.accept(id))
            case 6: .received(id, PlayBook.refusal(400 + dice.below(200)))
            case 7, 8: .received(id, frame())
            case 9: .received(id, noise())
            case 10: .ended(id, dice.below(2) == 0 ? .finish : .reset)
            default: .wake
            }
        look(book.at(now, event))
    }

    private mutating func frame() -> ByteBuffer {
        let types = ["x", "y", "error"]
        let text = ByteBuffer(string: #"{"type":"\#(types[dice.below(3)])","run_id":\#(dice.below(3)),"v":1}"#)
        let frame =
            switch dice.below(6) {
            case 0: Frame(opcode: .close, payload: CloseBody(code: 1000).payload)
            case 1: Frame(opcode: .ping, payload: ByteBuffer(string: "p"))
            default: Frame(opcode: .text, payload: text)
            }
        return FrameWriter.bytes(frame)
    }

    private mutating func noise() -> ByteBuffer {
        ByteBuffer(bytes: (0..<dice.below(40)).map { _ in UInt8(truncatingIfNeeded: dice.next()) })
    }

    private mutating func look(_ commands: [String]) {
        for command in commands {
            if isOver { wrong.append("\(command) though it is over") }
            switch command {
            case "played": played += 1
            case "over": isOver = true
            case "connect \(connections)": connections += 1
            default: if !namesKnown(command) { wrong.append("\(command) of \(connections)") }
            }
        }
    }

    private func namesKnown(_ command: String) -> Bool {
        let words = command.split(separator: " ")
        return words.prefix(2).contains { word in Int(word).map { $0 < connections } ?? false }
    }

    private static func steps(_ dice: inout Dice) -> String {
        let events = ["x", "y", "error", "open", "refused", "answered", "closed", "ended", "x|error", "open and x"]
        let lines = (1...(3 + dice.below(14))).map { number -> String in
            let user = ["alice", "alice", "bob", "alice.phone"][dice.below(4)]
            let verb =
                switch dice.below(number < 4 ? 6 : 18) {
                case 0, 1, 2: "connect /ws"
                case 3, 4: "until \(events[dice.below(events.count)]) within \(1 + dice.below(900))ms"
                case 5, 6: "connect /ws as phone"
                case 7: "quiet for \(1 + dice.below(300))ms"
                case 8: "pause reading"
                case 9: "cut " + ["reset", "half", "silent"][dice.below(3)]
                case 10: "close \(dice.below(5_000))"
                case 11: "reconnect"
                case 12: "reconnect cursor $run1.v"
                case 13: "send {\"v\":$run\(1 + dice.below(3)).v}"
                case 14: "send bytes 81 00"
                case 15: "send text \"$bob.v\""
                default: "send {\"n\":\"{canary}\"}"
                }
            return "\(number) \(user) \(verb)"
        }
        let last = lines.count
        let barrier = ["\(last + 1) alice send {}", "\(last + 2) bob connect /ws", "\(last + 3) together \(last + 1),\(last + 2)"]
        return (dice.below(3) == 0 ? barrier + lines : lines + barrier).joined(separator: "\n")
    }
}
