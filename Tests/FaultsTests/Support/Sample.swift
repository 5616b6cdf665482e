import Contracts
import Journaling
import NIOCore
import Wire

@testable import Faults

enum Sample {
    static let key = "dGhlIHNhbXBsZSBub25jZQ=="

    static func request(path: String = "/ws", user: String = "", extensions: String? = nil, fields: String = "") -> String {
        "GET \(path) HTTP/1.1\r\nHost: chat.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + (user.isEmpty ? "" : "X-User: \(user)\r\n")
            + (extensions.map { "Sec-WebSocket-Extensions: \($0)\r\n" } ?? "") + fields
            + "Sec-WebSocket-Key: \(key)\r\nSec-WebSocket-Version: 13\r\n\r\n"
    }

    static func response(extensions: String? = nil) -> String {
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + (extensions.map { "Sec-WebSocket-Extensions: \($0)\r\n" } ?? "")
            + "Sec-WebSocket-Accept: \(AcceptKey.compute(key))\r\n\r\n"
    }

    static func frame(
        _ text: String, opcode: Opcode = .text, fin: Bool = true, rsv: UInt8 = 0, masked: Bool
    ) -> ByteBuffer {
        frame(ByteBuffer(string: text), opcode: opcode, fin: fin, rsv: rsv, masked: masked)
    }

    static func frame(
        _ payload: ByteBuffer, opcode: Opcode = .text, fin: Bool = true, rsv: UInt8 = 0, masked: Bool
    ) -> ByteBuffer {
        FrameWriter.bytes(
            Frame(fin: fin, rsv: rsv, opcode: opcode, maskKey: masked ? 0x1234_5678 : nil, payload: payload))
    }

    static func joined(_ parts: ByteBuffer...) -> ByteBuffer { joined(parts) }
    static func joined(_ parts: [ByteBuffer]) -> ByteBuffer {
        var all = ByteBuffer()
        for part in parts { all.writeImmutableBuffer(part) }
        return all
    }

    /// Whole messages, control frames left out. Deflated ones are inflated with one context.
    static func messages(_ bytes: ByteBuffer, _ direction: Direction, _ extensions: ExtensionOutcome = .none) -> [String] {
        var parser = FrameParser()
        var assembler = MessageAssembler(direction, extensions: extensions)
        parser.feed(bytes)
        var out: [String] = []
        while case .frame(let frame, _) = parser.next() {
            guard let message = assembler.take(frame), !message.opcode.isControl else { continue }
            out.append(message.payload.map { String(buffer: $0) } ?? "unlifted: \(message.unlifted ?? "")")
        }
        return out
    }

    static func profile(_ rules: FaultRule..., scope: Profile.Scope = Profile.Scope()) -> Profile {
        var profile = Profile(name: "test")
        profile.hash = "abcdef"
        profile.faults = rules
        profile.scope = scope
        return profile
    }

    static func rule(
        _ kind: String, _ settings: [String: [String]] = [:], id: String = "f1", _ change: (inout Trigger) -> Void = { _ in }
    ) -> FaultRule {
        var trigger = Trigger()
        change(&trigger)
        let values = settings.sorted { $0.key < $1.key }.map { (name: $0.key, values: $0.value) }
        return FaultRule(id: id, kind: kind, settings: Settings(values), when: trigger)
    }

    static func pattern(_ key: String, _ value: String) -> Pattern? {
        let mark = Mark(file: "test", line: 1, column: 1)
        let scalar = Document(.scalar(Document.Scalar(text: value, isPlain: false)), mark: mark)
        return Pattern.reading(Document(.map([Document.Field(key: key, mark: mark, value: scalar)]), mark: mark)).pattern
    }

    /// A stream of frames as clients and servers send them: fragments, control frames between, empty and large ones.
    /// - Parameter between: control frames stand among fragments too.
    static func traffic(masked: Bool, seed: UInt64, between: Bool = true) -> ByteBuffer {
        var dice = Dice(
            DiceKey(seed: seed, profile: "", user: "", connection: 1), direction: nil, message: 0, fault: "traffic")
        var parts: [ByteBuffer] = []
        for number in 0..<24 {
            switch dice.below(6) {
            case 0:
                parts.append(frame("part \(number) ", fin: false, masked: masked))
                if dice.chance(0.5), between { parts.append(frame("between", opcode: .ping, masked: masked)) }
                parts.append(frame("and the rest", opcode: .continuation, masked: masked))
            case 1: parts.append(frame("ping \(number)", opcode: .ping, masked: masked))
            case 2: parts.append(frame("", masked: masked))
            case 3: parts.append(frame(String(repeating: "x", count: 200 + dice.below(70_000)), opcode: .binary, masked: masked))
            default: parts.append(frame("{\"type\":\"message\",\"n\":\(number)}", masked: masked))
            }
        }
        parts.append(frame("\u{3}\u{e8}bye", opcode: .close, masked: masked))
        return joined(parts)
    }

    /// Cuts of random length, from single bytes upwards.
    static func chunks(_ bytes: ByteBuffer, seed: UInt64) -> [ByteBuffer] {
        var dice = Dice(
            DiceKey(seed: seed, profile: "", user: "", connection: 2), direction: nil, message: 0, fault: "chunks")
        var rest = bytes
        var out: [ByteBuffer] = []
        while rest.readableBytes > 0 {
            let most = dice.chance(0.3) ? 3 : 9_000
            guard let part = rest.readSlice(length: min(rest.readableBytes, 1 + dice.below(most))) else { break }
            out.append(part)
        }
        return out
    }
}
