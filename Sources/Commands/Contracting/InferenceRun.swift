import Captures
import Contracts
import Journaling
import Oracles
import Profiles
import Reporting

/// Reads recordings as often as inference must look at them, then judges them by what came out: whatever would accuse the
/// server that it was inferred from is taken out again.
struct InferenceRun {
    var recordings: [String]
    var name: String

    struct Result {
        var text: String
        var messages: Int
        /// Topics that were taken out.
        var left: [String]
        var warnings: [String]
    }

    func run(_ progress: (String) -> Void) throws -> Result {
        do { return try work(progress) } catch let error as RecordingError { throw Export.complaint(error) }
    }

    private func work(_ progress: (String) -> Void) throws -> Result {
        var inference = Inference()
        var warnings: [String] = []
        for look in 1...Inference.looks {
            for path in recordings {
                inference.turn()
                let found = try read(path) { inference.take($0) }
                if look == 1 { warnings += found }
                progress("look=\(look)")
            }
            inference.next()
        }
        guard inference.messages > 0 else {
            throw Complaint(
                "there is no message to infer from", details: [("expected", "a recording of clients that talk to their server")],
                exit: .nothingExercised)
        }
        var without: [Inference.Topic: String] = [:]
        let before = try accused(by: nil, known: [])
        while true {
            guard let text = inference.draft(name: name, about: about, without: without) else { break }
            let contract = try ContractLoader.parse(text: text, file: name + ".yaml")
            let found = try accused(by: contract, known: Set(before.map(\.id)))
            progress("judged, \(without.count) left out")
            guard let finding = found.first else {
                let left = Inference.Topic.allCases.filter { without[$0] != nil }.map(\.rawValue)
                return Result(text: text, messages: inference.messages, left: left, warnings: warnings)
            }
            guard let topic = Self.topic(of: finding.property, without) else {
                throw Complaint(
                    "what was inferred accuses its own recording: \(SafeText.show(finding.sentence))",
                    details: [("property", finding.property), ("remedy", "this is a defect of miswire; report it with the recording")],
                    exit: .selfCheckFailed)
            }
            without[topic] = "because the recording itself breaks it: \(finding.property) \(SafeText.show(finding.sentence))"
        }
        throw Complaint("nothing could be inferred", exit: .nothingExercised)
    }

    private var about: String {
        "Inferred from \(Figures.plural(recordings.count, "recording")). Read it before anybody is judged by it."
    }

    private func read(_ path: String, _ take: (Entry) -> Void) throws -> [String] {
        var reader = try RecordingReader(path)
        if reader.header.mode == .meta {
            throw Complaint(
                "\(SafeText.show(path)) holds no messages, only who said something when",
                details: [("remedy", "record again without `meta`")], exit: .inconclusive)
        }
        let session = reader.session
        while let entry = try reader.next() {
            if session == nil || entry.session == session { take(entry) }
        }
        return reader.warnings
    }

    /// - Parameter known: findings that need no contract: bytes that break the protocol itself.
    private func accused(by contract: Contract?, known: Set<String>) throws -> [Finding] {
        var found: [Finding] = []
        for path in recordings {
            let law = contract.map { OfflineJudge.Law.given($0) } ?? .none
            found += try OfflineJudge(path, law: law).run { _ in }.judgement.findings.filter { !known.contains($0.id) }
        }
        return found
    }

    /// What to take back when that property is broken: the narrowest thing first, at last everything that judges.
    private static func topic(of property: String, _ without: [Inference.Topic: String]) -> Inference.Topic? {
        let first: [Inference.Topic] =
            switch property {
            case "H1": [.greeting]
            case "E1": [.answers, .runs]
            case "E2": [.parts, .runs]
            case "E3", "E4", "E5": [.refusals, .errors]
            case "I1", "I2": [.identifiers, .user, .runs]
            case "I3": [.identifiers]
            case "I4", "A1": [.credential]
            case "C2": [.shapes]
            default: []
            }
        return (first + Inference.Topic.allCases).first { without[$0] == nil }
    }
}
