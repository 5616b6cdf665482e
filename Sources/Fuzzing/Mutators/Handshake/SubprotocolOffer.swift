import Journaling
import Plans

package struct SubprotocolOffer: OddHeaders {
    package static let name = "subprotocol"
    package static let summary = "Subprotocols that nobody knows, in malformed lists, or very many."
    package init() {}

    private static let values = [
        "unknown", "chat, superchat", "mqtt", "UNKNOWN", "a,,b", ",", "with space", "quoted\"name\"", "a;q=1", "a/b", "*",
    ]

    func headers(in workshop: Workshop, dice: inout Dice) -> [Plan.Header]? {
        let known = workshop.contract.wire.subprotocols
        switch dice.below(5) {
        case 0:
            let count = dice.pick([2, 8, 32, 64, 128, 200]) ?? 8
            return [Plan.Header("Sec-WebSocket-Protocol", (1...count).map { "p\($0)" }.joined(separator: ", "))]
        case 1:
            let twice = dice.pick(known) ?? "twice"
            return [Plan.Header("Sec-WebSocket-Protocol", "\(twice), \(twice)")]
        case 2:
            return [Plan.Header("Sec-WebSocket-Protocol", "one"), Plan.Header("Sec-WebSocket-Protocol", "two")]
        default:
            let value = dice.pick(Self.values) ?? "unknown"
            let all = dice.chance(0.3) ? known + [value] : [value]
            return [Plan.Header("Sec-WebSocket-Protocol", all.joined(separator: ", "))]
        }
    }
}
