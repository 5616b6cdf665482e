/// The forms of report that `--report NAME=FILE` writes. A new one costs its file and its line here.
package struct ReportKind: Sendable {
    package let name: String
    /// - Parameter time: UTC, `2026-09-21T14:02:16.014Z`.
    package let write: @Sendable (_ report: RunReport, _ time: String) -> String
    /// Reads back what was written: a report that its reader cannot take is a defect of ours and exit 5 (trust.md T40).
    package let verify: @Sendable (_ text: String) -> Bool

    package init(
        name: String, write: @escaping @Sendable (_ report: RunReport, _ time: String) -> String,
        verify: @escaping @Sendable (_ text: String) -> Bool
    ) {
        self.name = name
        self.write = write
        self.verify = verify
    }

    package static let all: [ReportKind] = [
        ReportKind(name: "junit", write: { JUnitReport($0, time: $1).text }, verify: JUnitReport.verify),
        ReportKind(name: "sarif", write: { report, _ in SARIFReport(report).text }, verify: SARIFReport.verify),
        ReportKind(name: "html", write: { report, time in HTMLReport(report, began: time).text() }, verify: HTMLReport.verify),
        ReportKind(name: "ndjson", write: { NDJSONReport($0, time: $1).text }, verify: NDJSONReport.verify),
    ]

    package static func named(_ name: String) -> ReportKind? { all.first { $0.name == name } }

    /// One file to be written.
    package struct Order: Sendable {
        package var kind: ReportKind
        package var file: String
        package init(kind: ReportKind, file: String) {
            self.kind = kind
            self.file = file
        }
    }

    /// `junit=junit.xml,sarif=miswire.sarif`
    package static func orders(_ option: String) throws(Complaint) -> [Order] {
        var orders: [Order] = []
        for part in option.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard halves.count == 2, !halves[1].isEmpty else {
                throw wrong("`\(SafeText.show(String(part)))` names no file", "write \(halves.first.flatMap { named($0)?.name } ?? "junit")=FILE")
            }
            guard let kind = named(halves[0]) else {
                throw wrong("no report is called `\(SafeText.show(halves[0]))`", "write one of: " + all.map(\.name).joined(separator: ", "))
            }
            guard !orders.contains(where: { $0.file == halves[1] }) else {
                throw wrong("two reports go to \(SafeText.show(halves[1]))", "name another file for one of them")
            }
            orders.append(Order(kind: kind, file: halves[1]))
        }
        return orders
    }

    private static func wrong(_ sentence: String, _ remedy: String) -> Complaint {
        Complaint(sentence, details: [("remedy", remedy)], exit: .usage)
    }
}
