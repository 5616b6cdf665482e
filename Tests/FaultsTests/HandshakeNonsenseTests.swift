import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// Openings of all kinds, cut anywhere, through every fault of this group alone and together: every byte that came is told
/// to have gone, or why it did not.
@Suite struct HandshakeNonsenseTests {
    private static let kinds = FaultRegistry.all.filter { $0.group == .handshake }

    /// Any value that its parameter admits; a draw that the fault refuses is drawn again.
    private static func rule(_ number: Int, _ dice: inout Dice) -> FaultRule? {
        let kind = kinds[dice.below(kinds.count)]
        for _ in 0..<20 {
            var settings: [String: [String]] = [:]
            for parameter in kind.parameters where dice.below(3) == 0 {
                switch parameter.unit {
                case .duration: settings[parameter.name] = [["0", "1ms", "30ms", "700ms"][dice.below(4)]]
                case .bytes: settings[parameter.name] = ["\([1, 1024, 5000][dice.below(3)])B"]
                case .count: settings[parameter.name] = ["\([0, 1, 2, 9, 64, 503, 1008, 4401][dice.below(8)])"]
                case .share: settings[parameter.name] = ["5%"]
                case .text: settings[parameter.name] = ["x"]
                case .names: settings[parameter.name] = ["X-A: b"]
                case .choice(let words), .choices(let words): settings[parameter.name] = [words[dice.below(words.count)]]
                default: continue
                }
            }
            let values = settings.sorted { $0.key < $1.key }.map { (name: $0.key, values: $0.value) }
            if (try? kind.init(Settings(values))) != nil { return Sample.rule(kind.name, settings, id: "f\(number)") }
        }
        return nil
    }

    private static func answer(_ dice: inout Dice, _ extensions: String?) -> String {
        switch dice.below(12) {
        case 0: "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"
        case 1: "HTTP/1.1 103 Early Hints\r\n\r\n" + Sample.response(extensions: extensions)
        case 2: "220 ready\r\n"
        case 3: "HTTP/1.1 101 Odd\r\nX: y\nZ\r\n\r\n"
        case 4: "HTTP/1.1 101 Switching Pro"
        default: Sample.response(extensions: extensions)
        }
    }

    /// Small frames, some compressed or said to be so, some in fragments.
    private static func frames(_ dice: inout Dice, masked: Bool) -> ByteBuffer {
        let direction = masked ? Direction.toServer : .toClient
        let deflater = try? DeflateParameters().deflater(direction)
        return Sample.joined(
            (0..<(2 + dice.below(8))).map { number in
                let text = ByteBuffer(string: "{\"type\":\"message\",\"token\":\"qrstuvwxyzabcdef\",\"n\":\(number)}")
                switch dice.below(6) {
                case 0: return Sample.frame("ping", opcode: .ping, masked: masked)
                case 1: return Sample.frame((try? deflater?.deflate(text)) ?? text, rsv: 4, masked: masked)
                case 2: return Sample.frame(text, rsv: UInt8(dice.below(8)), masked: masked)
                case 3: return Sample.frame("part", fin: dice.below(2) == 0, masked: masked)
                case 4: return Sample.frame("rest", opcode: .continuation, masked: masked)
                default: return Sample.frame(text, masked: masked)
                }
            })
    }

    @Test(arguments: 0..<4) func everyByteIsExplained(part: UInt64) {
        for seed in (1 + part * 400)...(400 + part * 400) {
            var dice = Dice(DiceKey(seed: seed, profile: "", user: "", connection: 9), direction: nil, message: 0, fault: "openings")
            var rules = (1...(1 + dice.below(3))).compactMap { Self.rule($0, &dice) }
            if dice.below(2) == 0 { rules.append(Sample.rule("drop", id: "d") { $0.message = .every(2) }) }
            var profile = Profile(name: "test")
            profile.faults = rules
            var net = Net(profile: profile, seed: seed)
            let id = net.open(1)
            let isLate = dice.below(4) == 0
            if !isLate { net.send(.connected, to: id) }
            let extensions = [nil, "permessage-deflate", "permessage-deflate; server_no_context_takeover", "x-a"][dice.below(4)]
            let request = Sample.request(
                path: "/ws?token=abcdefghijklmnop", user: "alice", extensions: extensions,
                fields: "Origin: https://a.example\r\nCookie: token=qrstuvwxyzabcdef\r\n")
            var sent = ByteBuffer(string: request)
            sent.writeImmutableBuffer(Self.frames(&dice, masked: true))
            var answered = ByteBuffer(string: Self.answer(&dice, extensions))
            answered.writeImmutableBuffer(Self.frames(&dice, masked: false))
            let requests = Sample.chunks(sent, seed: seed)
            let answers = Sample.chunks(answered, seed: seed &+ 2)
            for (index, chunk) in requests.enumerated() {
                net.client(id, chunk)
                if isLate, index == 3 {
                    net.send(dice.below(4) == 0 ? .connectFailed("refused") : .connected, to: id)
                }
                if dice.below(12) == 0 { net.pass(.milliseconds(40)) }
            }
            for chunk in answers {
                net.server(id, chunk)
                if dice.below(12) == 0 { net.pass(.milliseconds(40)) }
            }
            switch dice.below(6) {
            case 0: net.send(.ended(.client, .finish), to: id)
            case 1: net.send(.ended(.server, .finish), to: id)
            case 2: net.send(.ended(.server, .reset), to: id)
            case 3: net.send(.faultsOff, to: id)
            default: net.pass(.seconds(2))
            }
            let raw = net.differences(.raw)
            let redacted = net.conclude().differences
            #expect(raw == [] && redacted == [], "seed \(seed), \(rules.map { ($0.kind, $0.settings.values) }): \(raw), \(redacted)")
        }
    }
}
