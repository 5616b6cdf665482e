import Journaling
import Plans

package struct OriginField: OddHeaders {
    package static let name = "origin"
    package static let summary = "The Origin field is null, foreign, a suffix or a prefix of a local host, there twice, or malformed."
    package init() {}

    private static let values = [
        "null", "http://evil.example", "https://evil.example:8443", "http://127.0.0.1.evil.example",
        "http://localhost.evil.example", "http://evil-localhost", "http://127.0.0.1@evil.example",
        "http://127.0.0.1", "http://localhost", "file://", "about:blank", "http://[::1", "*", "//evil.example",
        "chrome-extension://abcdefghijklmnop", "HTTP://LOCALHOST", "http://localhost,http://evil.example",
    ]

    func headers(in workshop: Workshop, dice: inout Dice) -> [Plan.Header]? {
        var headers = [Plan.Header("Origin", dice.pick(Self.values) ?? "null")]
        if dice.chance(0.1) { headers.append(Plan.Header("Origin", dice.pick(Self.values) ?? "null")) }
        return headers
    }
}
