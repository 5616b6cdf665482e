import Captures
import Contracts
import Foundation
import Journaling
import Profiles
import Reporting

/// A recording as the verbs that replay it need it: whole, with the contract it was judged by.
struct RecordingFile {
    let path: String
    let header: RecordingHeader
    let entries: [Entry]
    let warnings: [String]
    /// False: it was cut short, or lacks a part.
    let isComplete: Bool
    let contract: Contract?

    /// More than that is not held in memory.
    static let mostEntries = 5_000_000

    /// `rec`, `rec/`, `rec/0001.ndjson`, `rec/s31`.
    static func isRecording(_ path: String) -> Bool {
        if let attributes = try? FileManager.default.attributesOfItem(atPath: (path as NSString).resolvingSymlinksInPath) {
            let isDirectory = attributes[.type] as? FileAttributeType == .typeDirectory
            return isDirectory || path.hasSuffix(".ndjson") || path.hasSuffix(".ndjson.gz")
        }
        let parts = path.split(separator: "/")
        guard let last = parts.last, last.first == "s", UInt32(last.dropFirst()) != nil else { return false }
        let base = (path as NSString).deletingLastPathComponent
        return !base.isEmpty && FileManager.default.fileExists(atPath: base)
    }

    init(_ path: String, contract given: String?) throws {
        self.path = path
        do {
            var reader = try RecordingReader(path)
            header = reader.header
            var entries: [Entry] = []
            while let entry = try reader.next() {
                if entry.body.isTick { continue }
                entries.append(entry)
                guard entries.count <= Self.mostEntries else {
                    throw Complaint(
                        "\(SafeText.show(path)) is too large to be replayed at once",
                        details: [("expected", "at most \(Figures.count(Self.mostEntries)) entries"), ("remedy", "name one session of it, as RECORDING/SESSION")],
                        exit: .usage)
                }
            }
            self.entries = entries
            warnings = reader.warnings
            isComplete = reader.isComplete
        } catch let error as RecordingError {
            throw Complaint(
                SafeText.show(error.sentence),
                details: [("place", SafeText.show(error.place))]
                    + (error.remedy.isEmpty ? [] : [("remedy", SafeText.show(error.remedy))]),
                exit: .usage)
        }
        if header.mode == .meta {
            throw Complaint(
                "\(SafeText.show(path)) holds no messages, only who said something when",
                details: [("remedy", "record again without `meta`")], exit: .inconclusive)
        }
        if let given {
            contract = try ContractLoader().load(given)
        } else {
            contract = try header.contract.map { try ContractLoader.parse(text: $0.text, file: $0.name + ".yaml") }
        }
    }

    /// Seconds since 1970 at instant zero.
    var epoch: Int64? {
        let form = ISO8601DateFormatter()
        form.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        if let date = form.date(from: header.started) { return Int64(date.timeIntervalSince1970) }
        form.formatOptions = [.withInternetDateTime]
        return form.date(from: header.started).map { Int64($0.timeIntervalSince1970) }
    }
}
