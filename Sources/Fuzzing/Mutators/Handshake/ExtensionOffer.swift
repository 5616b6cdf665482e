import Journaling
import Plans

package struct ExtensionOffer: OddHeaders {
    package static let name = "extensions"
    package static let summary = "Offers of permessage-deflate with window bits of every size, unknown, repeated or malformed parameters."
    package init() {}

    private static let values = [
        "permessage-deflate", "permessage-deflate; client_max_window_bits",
        "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
        "permessage-deflate, permessage-deflate; client_max_window_bits=10", "permessage-deflate; unknown=1",
        "permessage-deflate; client_no_context_takeover=1", "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=10; server_max_window_bits=11",
        "permessage-deflate; server_max_window_bits=\"10\"", "permessage-deflate; server_max_window_bits=010",
        "permessage-deflate; ; client_max_window_bits", "permessage-deflate;", "; permessage-deflate", ",",
        "x-webkit-deflate-frame", "permessage-bzip2", "bbf-usp-protocol, permessage-deflate", "PERMESSAGE-DEFLATE",
    ]

    func headers(in workshop: Workshop, dice: inout Dice) -> [Plan.Header]? {
        switch dice.below(3) {
        case 0:
            let side = dice.pick(["client", "server"]) ?? "client"
            let bits = dice.chance(0.5) ? dice.within(7...16) : dice.within(0...99)
            return [Plan.Header("Sec-WebSocket-Extensions", "permessage-deflate; \(side)_max_window_bits=\(bits)")]
        case 1 where dice.chance(0.3):
            let count = dice.pick([2, 8, 32, 64]) ?? 8
            let offers = (0..<count).map { "permessage-deflate; server_max_window_bits=\(8 + $0 % 8)" }
            return [Plan.Header("Sec-WebSocket-Extensions", offers.joined(separator: ", "))]
        default:
            var headers = [Plan.Header("Sec-WebSocket-Extensions", dice.pick(Self.values) ?? "permessage-deflate")]
            if dice.chance(0.1) { headers += headers }
            return headers
        }
    }
}
