import Foundation
import Reporting

/// The report files of a run.
struct FuzzReports {
    let orders: [ReportKind.Order]

    /// Writes all of them; one that cannot be written, or that its readers could not read, makes the run a failed
    /// self-check (exit 5, trust.md T40).
    /// - Returns: the paths that were written.
    func write(_ report: inout RunReport, time: String = Console.utc()) -> [String] {
        var written: [String] = []
        for order in orders {
            let text = order.kind.write(report, time)
            do {
                try Data(text.utf8).write(to: URL(fileURLWithPath: order.file), options: .atomic)
                written.append(order.file)
            } catch {
                fail(&report, "the report \(order.file) cannot be written: \(error.localizedDescription)")
                continue
            }
            let back = (try? Data(contentsOf: URL(fileURLWithPath: order.file))).map { String(decoding: $0, as: UTF8.self) }
            if back != text || !order.kind.verify(text) { fail(&report, "the report \(order.file) cannot be read again") }
        }
        return written
    }

    private func fail(_ report: inout RunReport, _ sentence: String) {
        report.warnings.append(sentence)
        report.exit = .selfCheckFailed
    }
}

/// What a job of GitHub Actions shows, where the environment is one.
struct FuzzGitHub {
    private let environment: [String: String]

    init(_ environment: [String: String]) { self.environment = environment }

    static func isOn(_ environment: [String: String]) -> Bool { environment["GITHUB_ACTIONS"] == "true" }

    func annotations(_ report: RunReport) -> String? {
        guard Self.isOn(environment) else { return nil }
        return GitHubReport(report, workspace: environment["GITHUB_WORKSPACE"]).annotations
    }

    /// - Returns: why there is no summary, when one was wanted.
    func appendSummary(_ report: RunReport) -> String? {
        guard let path = environment["GITHUB_STEP_SUMMARY"], !path.isEmpty else { return nil }
        let fault = "the job summary cannot be written to \(path)"
        if !FileManager.default.fileExists(atPath: path) {
            guard FileManager.default.createFile(atPath: path, contents: nil) else { return fault }
        }
        guard let handle = FileHandle(forWritingAtPath: path) else { return fault }
        defer { try? handle.close() }
        do {
            try handle.seekToEnd()
            try handle.write(contentsOf: Data(JobSummary(report).text.utf8))
        } catch { return fault }
        return nil
    }
}
