import Oracles

/// What GitHub Actions reads on stdout: one annotation a finding, and the guard that keeps every other line from being
/// one (trust.md T42).
package struct GitHubReport: Sendable {
    /// The host shows 10 a step; two are left for others.
    package static let most = 8

    private let report: RunReport
    /// `$GITHUB_WORKSPACE`: a plan below it is in the repository.
    private let workspace: String?

    package init(_ report: RunReport, workspace: String? = nil) {
        self.report = report
        self.workspace = workspace
    }

    /// Lines to be written to stdout as they are; every other text goes through `guarded`.
    package var annotations: String {
        let ordered = report.findings.filter { !$0.isFlaky } + report.findings.filter(\.isFlaky)
        var lines = ordered.prefix(Self.most).map(annotation)
        let left = ordered.count - lines.count
        if left > 0 { lines.append("::notice::\(Self.data("\(Figures.plural(left, "more finding")), see the summary"))") }
        return lines.map { $0 + "\n" }.joined()
    }

    private func annotation(_ item: ReportedFinding) -> String {
        var properties: [(String, String)] = []
        if let place = place(item) { properties += [("file", place.file), ("line", String(place.line))] }
        properties.append(("title", "\(item.finding.property) \(item.headline)" + (item.isFlaky ? " (flaky)" : "")))
        let replay = item.replay.map { " Replay: " + SafeText.brief($0, to: 1_000) } ?? ""
        let fields = properties.map { "\($0)=\(Self.property($1))" }.joined(separator: ",")
        return "::\(item.isFlaky ? "warning" : "error") \(fields)::\(Self.data("\(item.contrast).\(replay)"))"
    }

    /// The plan when it is in the repository, else the line of the contract.
    private func place(_ item: ReportedFinding) -> (file: String, line: Int)? {
        if let file = item.file, let path = inside(file) { return (path, max(1, item.line ?? 1)) }
        guard item.finding.contractLine > 0, let path = inside(item.finding.contractFile) else { return nil }
        return (path, item.finding.contractLine)
    }

    private func inside(_ file: String) -> String? {
        var path = file
        if path.hasPrefix("/") {
            guard var root = workspace, !root.isEmpty else { return nil }
            if !root.hasSuffix("/") { root += "/" }
            guard path.hasPrefix(root) else { return nil }
            path.removeFirst(root.count)
        }
        while path.hasPrefix("./") { path.removeFirst(2) }
        return path.isEmpty || path.split(separator: "/").contains("..") ? nil : SafeText.brief(path, to: 300)
    }

    /// The rest of a command's line.
    static func data(_ text: String) -> String { escaped(text, of: []) }
    /// A value among its properties.
    static func property(_ text: String) -> String { escaped(text, of: [":", ","]) }

    private static func escaped(_ text: String, of more: [Unicode.Scalar]) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "%": out += "%25"
            case "\r": out += "%0D"
            case "\n": out += "%0A"
            case ":" where more.contains(scalar): out += "%3A"
            case "," where more.contains(scalar): out += "%2C"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// Text for stdout in which no line is a command to the runner: it takes `::` behind any space at the start of a
    /// line, and `##[` anywhere in one. A backslash breaks them; all else stays byte by byte.
    package static func guarded(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        var out = String.UnicodeScalarView()
        var isStart = true
        for (index, scalar) in scalars.enumerated() {
            if isStart, scalar == ":", index + 1 < scalars.count, scalars[index + 1] == ":" { out.append("\\") }
            if scalar == "[", index > 1, scalars[index - 1] == "#", scalars[index - 2] == "#" { out.append("\\") }
            if scalar == "\n" || scalar == "\r" {
                isStart = true
            } else if !scalar.properties.isWhitespace {
                isStart = false
            }
            out.append(scalar)
        }
        return String(out)
    }
}
