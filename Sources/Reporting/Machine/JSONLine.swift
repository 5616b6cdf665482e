package import Wire

/// One line of `--json` output: `{"v":1,"kind":…,"t":…}`; fields are added, never renamed within `v` (looks.md section 0).
package struct JSONLine: Sendable {
    private var members: [JSON.Member]

    /// - Parameter time: UTC, `2026-09-21T14:02:16.014Z`.
    package init(_ kind: String, time: String) {
        members = [
            .init(key: "v", value: .number("1")), .init(key: "kind", value: .string(kind)),
            .init(key: "t", value: .string(time)),
        ]
    }

    package func adding(_ key: String, _ value: JSON) -> JSONLine {
        var line = self
        line.members.append(.init(key: key, value: value))
        return line
    }
    package func adding(_ key: String, _ value: String) -> JSONLine { adding(key, .string(value)) }
    package func adding(_ key: String, _ value: some BinaryInteger) -> JSONLine { adding(key, .number(String(value))) }
    package func adding(_ key: String, _ values: [String]) -> JSONLine {
        adding(key, .array(values.map { .string($0) }))
    }

    package var text: String { Self.harmless(JSON.object(members).text) + "\n" }

    /// The same JSON without the characters that JSON leaves raw and a terminal or a log takes for commands: DEL, C1,
    /// bidi and line separators (trust.md T38). In JSON text they can only stand inside strings, where an escape says the same.
    package static func harmless(_ json: String) -> String {
        guard json.unicodeScalars.contains(where: { !SafeText.isHarmless($0) && $0 != "\n" }) else { return json }
        var out = ""
        out.reserveCapacity(json.utf8.count)
        for scalar in json.unicodeScalars {
            if SafeText.isHarmless(scalar) || scalar == "\n" {
                out.unicodeScalars.append(scalar)
            } else {
                for unit in UTF16.encode(scalar) ?? .init() {
                    let digits = String(unit, radix: 16)
                    out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            }
        }
        return out
    }

    /// The last line of every run.
    package static func summary(_ verb: String, _ reason: ExitReason, time: String) -> JSONLine {
        JSONLine("summary", time: time).adding("verb", verb).adding("exit", reason.code).adding("reason", reason.reason)
    }
}
