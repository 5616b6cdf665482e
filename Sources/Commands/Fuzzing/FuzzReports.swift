import Foundation
import Reporting

/// The files, annotations and summary of a run.
struct FuzzReports {
    let files: [ReportFile]
    let environment: [String: String]
    let form: FuzzForm

    /// Writes all of them; what could not be written, or cannot be read again, makes the run a failed self-check (exit 5).
    /// - Returns: the paths that were written.
    func write(_ report: inout RunReport) -> [String] {
        []
    }
}
