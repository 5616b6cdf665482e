import Journaling
import Plans

package struct HeaderForm: OddHeaders {
    package static let name = "header-form"
    package static let summary = "Fields of an odd form: tabs, empty values, bytes above ASCII, odd names, a body announced, forwarding fields."
    package init() {}

    private static let fields: [[(String, String)]] = [
        [("X-Tab", "a\tb")], [("X-Utf8", "grüße \u{1F600}")], [("X-!#$%&'*+-.^_`|~", "odd")], [("x", "y")],
        [("Content-Length", "0")], [("Content-Length", "5")], [("Transfer-Encoding", "chunked")],
        [("Expect", "100-continue")], [("Host", "evil.example")], [("Host", "")], [("X-Forwarded-For", "127.0.0.1")],
        [("X-Forwarded-Host", "evil.example")], [("Forwarded", "for=127.0.0.1;host=evil.example")],
        [("X-User-Id", "admin")], [("X-Original-URL", "/admin")], [("X-HTTP-Method-Override", "POST")],
        [("Cookie", "a=b; a=c; ; =; a")], [("Authorization", "")], [("Authorization", "Basic Og==")],
        [("Authorization", "Bearer")], [("Authorization", "Bearer  ")], [("Accept-Encoding", "gzip;q=99")],
        [("HTTP2-Settings", "AAMAAABkAAQAAP__")], [("Range", "bytes=0-")], [("Upgrade-Insecure-Requests", "1")],
    ]

    func headers(in workshop: Workshop, dice: inout Dice) -> [Plan.Header]? {
        dice.pick(Self.fields)?.map { Plan.Header($0.0, $0.1) }
    }
}
