import Contracts
import Foundation
import Fuzzing
import Plans
import Reporting

/// The corpus directories of a command line: plans and recordings in them are seeds. The first is the one that is
/// written to and may not exist yet, as for libFuzzer.
struct GivenCorpora: Sendable {
    let places: [String]
    /// By content, so that what a case derives to depends on no file name and no order of directories.
    private(set) var seeds: [Plan] = []
    private(set) var warnings: [String] = []

    init(_ places: [String], contract: Contract) throws {
        self.places = places
        for (index, place) in places.enumerated() where !FileManager.default.fileExists(atPath: place) {
            guard index > 0 else {
                try GivenReports.tryDirectory(place, for: "a corpus")
                continue
            }
            throw Complaint(
                "there is no corpus at \(SafeText.show(place))",
                details: [("expected", "directories of plans; the first may be new"), ("remedy", "name one that exists")],
                exit: .usage)
        }
        let there = places.filter { FileManager.default.fileExists(atPath: $0) }
        guard !there.isEmpty else { return }
        let loaded = CorpusDirectory(there).load(contract: contract, lift: Self.lift)
        seeds = loaded.seeds.map(\.plan)
        warnings = loaded.warnings
    }

    /// Sessions that had nothing to do with each other are seeds of their own.
    static let lift: CorpusDirectory.Lift = { entries, contract in
        PlanLift.lift(entries: entries, contract: contract).plans.map(\.plan)
    }

    /// Where what is new is kept; nil without a directory.
    func keeper() throws -> (@Sendable (Plan) -> Void)? {
        let directory = CorpusDirectory(places)
        guard directory.writable != nil else { return nil }
        do { try directory.prepare() } catch { throw Self.complaint(error) }
        // A disk that fills up later costs the keeper and not the run.
        return { plan in _ = try? directory.save(plan) }
    }

    static func complaint(_ error: CorpusError) -> Complaint {
        Complaint(
            SafeText.show(error.sentence),
            details: [("place", SafeText.show(error.place)), ("remedy", SafeText.show(error.remedy))], exit: .usage)
    }
}
