import Foundation
import Journaling
import Plans
import Synchronization

/// The corpus directory that is written to: one plan a file, named by its content, so that directories of several runs
/// and machines merge by copying.
final class CorpusWriter: Sendable {
    private let directory: String
    /// One sentence why the last plan could not be kept.
    private let broken = Mutex<String?>(nil)

    init(_ directory: String) { self.directory = directory.trimmingSlashes }

    var trouble: String? { broken.withLock { $0 } }

    /// `3f9c21…` of 32 digits, over the canonical text.
    static func name(of plan: Plan) -> String {
        Digest.sha256Hex(PlanText.print(plan), digits: 32) + ".plan"
    }

    func keep(_ plan: Plan) {
        let path = directory + "/" + Self.name(of: plan)
        guard !FileManager.default.fileExists(atPath: path) else { return }
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try Data(PlanText.print(plan).utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch { broken.withLock { $0 = "the corpus \(directory) cannot be written: \(error.localizedDescription)" } }
    }
}
