import Journaling
import Plans

package struct VersionField: OddHeaders {
    package static let name = "ws-version"
    package static let summary = "Sec-WebSocket-Version is another number, a list, missing, or there twice."
    package init() {}

    private static let values = [
        "0", "7", "8", "12", "14", "255", "256", "-1", "013", "13.0", "0x0d", "13, 8", "8, 13", "13,13", "thirteen",
        "99999999999999999999", "",
    ]

    func headers(in workshop: Workshop, dice: inout Dice) -> [Plan.Header]? {
        if dice.chance(0.1) {
            let other = dice.pick(["13", "8"]) ?? "8"
            return [Plan.Header("Sec-WebSocket-Version", "13"), Plan.Header("Sec-WebSocket-Version", other)]
        }
        return [Plan.Header("Sec-WebSocket-Version", dice.pick(Self.values) ?? "8")]
    }
}
