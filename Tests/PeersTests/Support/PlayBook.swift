import Contracts
import Journaling
import NIOCore
import Plans
import Testing
import Wire

@testable import Peers

/// Plays a `PlayMachine` by hand and writes down what it commands, one line a command, times in milliseconds:
/// `connect 0`, `0 > GET /ws`, `0 > text {"n":1}`, `0 > close 1000`, `finish 0`, `reset 0`, `reads 0 off`, `played`.
/// Alarms stand apart, in `alarm`.
struct PlayBook {
    private(set) var machine: PlayMachine
    /// When the machine wants to be woken, in milliseconds.
    private(set) var alarm: Int64?
    /// The upgrade request of each connection.
    private(set) var requests: [Int: RequestHead] = [:]
    private(set) var now: Int64 = 0

    init(
        _ steps: String, users: [String] = ["alice credential none", "bob credential none"], contract: Contract? = nil,
        missesAllowed: Int? = nil, cast: Cast = Cast()
    ) throws {
        let head = "miswire plan 1\n---\n" + users.map { "user \($0)\n" }.joined()
        let plan = try PlanText.parse(head + steps + "\nfaults none\n")
        var settings = PlayMachine.Settings(
            host: "127.0.0.1:80", contract: contract, seed: 1, key: Minter.developmentKey, epoch: 1_000)
        settings.missesAllowed = missesAllowed
        settings.cast = cast
        machine = PlayMachine(plan, settings: settings)
    }

    /// What an event at that time makes the machine command.
    @discardableResult
    mutating func at(_ milliseconds: Int64, _ event: PlayMachine.Event) -> [String] {
        commands(at: milliseconds, event).flatMap { note($0) }
    }

    /// The same, as the machine says it.
    mutating func commands(at milliseconds: Int64, _ event: PlayMachine.Event) -> [PlayMachine.Command] {
        now = milliseconds
        var commands: [PlayMachine.Command] = []
        machine.handle(event, at: Self.instant(milliseconds), into: &commands)
        return commands
    }

    @discardableResult
    mutating func begin() -> [String] { at(0, .begin) }

    /// The transport is there at once, and the server answers with the right 101, both at that time.
    @discardableResult
    mutating func open(_ id: Int, at milliseconds: Int64) -> [String] {
        let asked = at(milliseconds, .connected(id))
        return asked + at(milliseconds, .received(id, accept(id)))
    }

    /// The right 101 for what the connection asked.
    func accept(_ id: Int) -> ByteBuffer {
        let key = requests[id]?.value("sec-websocket-key") ?? ""
        return ByteBuffer(
            string: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Accept: \(AcceptKey.compute(key))\r\n\r\n")
    }

    static func refusal(_ status: Int) -> ByteBuffer {
        ByteBuffer(string: "HTTP/1.1 \(status) No\r\nContent-Length: 0\r\n\r\n")
    }

    /// The server sends a text message.
    @discardableResult
    mutating func says(_ id: Int, _ text: String, at milliseconds: Int64) -> [String] {
        at(milliseconds, .received(id, FrameWriter.bytes(Frame(opcode: .text, payload: ByteBuffer(string: text)))))
    }

    /// Wakes the machine when it wants to be woken; nil when it does not.
    @discardableResult
    mutating func wake() -> [String]? {
        guard let due = alarm else { return nil }
        alarm = nil
        return at(max(due, now), .wake)
    }

    /// `1 ok 0+2`: label, outcome, milliseconds when it began, and how long it took.
    var results: [String] {
        machine.results.map { result in
            let outcome =
                switch result.outcome {
                case .ok: "ok"
                case .failed(let why): "failed: \(why)"
                case .cannot(let why): "cannot: \(why)"
                }
            let began = result.started.nanoseconds / 1_000_000
            return "\(result.number) \(outcome) \(began)+\(result.took.nanoseconds / 1_000_000)"
        }
    }

    static func instant(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    private mutating func note(_ command: PlayMachine.Command) -> [String] {
        switch command {
        case .connect(let id): return ["connect \(id)"]
        case .write(let id, let bytes):
            if let request = try? RequestHead(bytes) {
                requests[id] = request
                return ["\(id) > GET \(request.target)"]
            }
            return Transcript.frames(bytes).map { "\(id) > \($0)" }
        case .finish(let id): return ["finish \(id)"]
        case .reset(let id): return ["reset \(id)"]
        case .reads(let id, let on): return ["reads \(id) \(on ? "on" : "off")"]
        case .wake(let instant):
            alarm = instant.nanoseconds / 1_000_000
            return []
        case .played: return ["played"]
        case .over: return ["over"]
        }
    }
}

/// Words for what a client puts on the wire.
enum Transcript {
    /// `text {"n":1}`, `pong 0102`, `close 1000 bye`, `unmasked text …`; what is no frame as `bytes 81 7e`.
    static func frames(_ bytes: ByteBuffer) -> [String] {
        var parser = FrameParser()
        parser.feed(bytes)
        var lines: [String] = []
        while case .frame(let frame, _) = parser.next() {
            lines.append((frame.maskKey == nil ? "unmasked " : "") + words(frame))
        }
        if parser.heldBytes > 0 || lines.isEmpty { return ["bytes " + hex(bytes)] }
        return lines
    }

    private static func words(_ frame: Frame) -> String {
        switch frame.opcode {
        case .text: return "text " + String(buffer: frame.payload)
        case .binary: return "binary " + hex(frame.payload)
        case .ping: return "ping " + String(buffer: frame.payload)
        case .pong: return "pong " + String(buffer: frame.payload)
        case .close:
            let body = CloseBody(frame.payload)
            return (["close"] + [body.code.map { "\($0)" }, body.reason].compactMap { $0 }.filter { !$0.isEmpty })
                .joined(separator: " ")
        default: return "opcode \(frame.opcode.rawValue) " + hex(frame.payload)
        }
    }

    private static func hex(_ bytes: ByteBuffer) -> String {
        bytes.readableBytesView.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    }
}
