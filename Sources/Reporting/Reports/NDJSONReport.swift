import Wire

/// The whole run as lines of JSON: `violation`, `property`, `tool-error`, `warning`, and `summary` last.
package struct NDJSONReport: Sendable {
    private let report: RunReport
    private let time: String

    package init(_ report: RunReport, time: String) {
        self.report = report
        self.time = time
    }

    package var lines: [JSONLine] {
        let lines = RunLines(time: time)
        return report.findings.map(lines.violation) + lines.closing(report)
    }

    package var text: String { lines.map(\.text).joined() }

    /// Reads the file again: each line an object of version 1, the last a summary.
    package static func verify(_ text: String) -> Bool {
        guard text.hasSuffix("\n") else { return false }
        var last: JSON?
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            guard case .value(let value, tolerated: false) = JSON.decode(String(line)), value["v"] == .number("1"),
                case .string? = value["kind"]
            else { return false }
            last = value
        }
        return last?["kind"] == .string("summary")
    }
}
