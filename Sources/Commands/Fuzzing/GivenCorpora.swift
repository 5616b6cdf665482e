import Foundation
import Plans
import Reporting

/// The corpus directories of a command line: plans in them are seeds. The first is the one that is written to and may
/// not exist yet, as for libFuzzer.
struct GivenCorpora: Sendable {
    var directories: [String] = []
    private(set) var seeds: [Plan] = []
    private(set) var warnings: [String] = []

    static let mostFiles = 100_000

    init(_ places: [String]) throws {
        directories = places
        for (index, place) in places.enumerated() {
            var isDirectory: ObjCBool = false
            guard unsafe FileManager.default.fileExists(atPath: place, isDirectory: &isDirectory) else {
                guard index > 0 else {
                    try GivenReports.tryDirectory(place)
                    continue
                }
                throw Complaint(
                    "there is no corpus at \(SafeText.show(place))",
                    details: [("expected", "directories of plans; the first may be new"), ("remedy", "name one that exists")],
                    exit: .usage)
            }
            if isDirectory.boolValue { try read(directory: place) } else { seeds.append(try PlanFile.read(place)) }
        }
        // By content, so that what a case derives to depends on no file name and no order of directories.
        var named: [String: Plan] = [:]
        for plan in seeds { named[CorpusWriter.name(of: plan)] = plan }
        seeds = named.sorted { $0.key < $1.key }.map(\.value)
    }

    /// Where what is new is kept; nil without a directory.
    var writable: String? {
        guard let first = directories.first, !first.hasSuffix(".plan") else { return nil }
        return first
    }

    /// One broken seed among thousands is said and left out.
    private mutating func read(directory: String) throws {
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: directory) } catch {
            throw Complaint(
                "the corpus \(SafeText.show(directory)) cannot be read",
                details: [("found", SafeText.show(error.localizedDescription))], exit: .usage)
        }
        var broken: [String] = []
        for name in names.filter({ $0.hasSuffix(".plan") }).sorted().prefix(Self.mostFiles) {
            do { seeds.append(try PlanFile.read(directory + "/" + name)) } catch { broken.append(name) }
        }
        if let first = broken.first {
            let rest = broken.count > 1 ? " and \(Figures.plural(broken.count - 1, "other"))" : ""
            warnings.append("\(SafeText.show(directory))/\(SafeText.show(first))\(rest) is no plan that can be read and is left out")
        }
    }
}
