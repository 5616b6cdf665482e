import Journaling
import Plans

package struct KeyField: OddHeaders {
    package static let name = "ws-key"
    package static let summary = "Sec-WebSocket-Key is too short, too long, no base64, missing, or there twice."
    package init() {}

    private static let values = [
        "", "AAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAA", "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZQ==AAAA", "dGhlIHNhbXBsZSBub25jZR==", "!!!!!!!!!!!!!!!!!!!!!!==", "====",
        "dGhlIHNh bXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==",
    ]

    func headers(in workshop: Workshop, dice: inout Dice) -> [Plan.Header]? {
        let right = "dGhlIHNhbXBsZSBub25jZQ=="
        switch dice.below(10) {
        case 0: return [Plan.Header("Sec-WebSocket-Key", right), Plan.Header("Sec-WebSocket-Key", right)]
        case 1: return [Plan.Header("Sec-WebSocket-Key", String(repeating: "A", count: dice.within(25...4096)))]
        default: return [Plan.Header("Sec-WebSocket-Key", dice.pick(Self.values) ?? "")]
        }
    }
}
