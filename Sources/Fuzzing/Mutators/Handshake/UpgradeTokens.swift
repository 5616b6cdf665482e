import Journaling
import Plans

package struct UpgradeTokens: OddHeaders {
    package static let name = "upgrade-tokens"
    package static let summary = "Upgrade and Connection in other case, in lists, wrong, missing, or there twice."
    package init() {}

    /// Must be accepted (RFC 6455 section 4.2.1: tokens in any case, in lists).
    private static let right: [[(String, String)]] = [
        [("Upgrade", "WebSocket")], [("Upgrade", "WEBSOCKET")], [("Connection", "upgrade")],
        [("Connection", "keep-alive, Upgrade")], [("Connection", "Upgrade, keep-alive")],
        [("Connection", "UPGRADE,,keep-alive")], [("Connection", "keep-alive"), ("Connection", "Upgrade")],
        [("Upgrade", "h2c, websocket")],
    ]
    private static let wrong: [[(String, String)]] = [
        [("Upgrade", "")], [("Connection", "")], [("Upgrade", ""), ("Connection", "")], [("Upgrade", "h2c")],
        [("Upgrade", "websockets")], [("Upgrade", "web socket")], [("Connection", "keep-alive")],
        [("Connection", "close")], [("Connection", "Upgrade, close")], [("Upgrade", "websocket/13")],
        [("Upgrade", "websocket"), ("Upgrade", "h2c")], [("Connection", "Upgrades")],
        [("Connection", "Upgrade; q=1")],
    ]

    func headers(in workshop: Workshop, dice: inout Dice) -> [Plan.Header]? {
        dice.pick(dice.chance(0.5) ? Self.right : Self.wrong)?.map { Plan.Header($0.0, $0.1) }
    }
}
