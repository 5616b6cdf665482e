import Reporting

/// What `miswire fuzz` is asked to do with its corpora.
enum CorpusTask: String, Sendable {
    case fuzz, merge, minimize

    /// - Parameter places: the corpora that were named, the first is the one that is written to.
    init(_ request: FuzzRequest, places: [String]) throws {
        switch (request.merges, request.minimizes) {
        case (false, false): self = .fuzz
        case (true, false): self = .merge
        case (false, true): self = .minimize
        case (true, true):
            throw Complaint(
                "both --merge and --minimize are given", details: [("remedy", "merge first, then minimize")], exit: .usage)
        }
        if self == .merge, places.count < 2 {
            throw Complaint(
                "--merge needs a corpus to add to and one to take from",
                details: [("found", places.isEmpty ? "none" : SafeText.show(places[0])), ("expected", "miswire fuzz URL CORPUS FROM --merge")],
                exit: .usage)
        }
        if self == .minimize, places.count != 1 {
            throw Complaint(
                "--minimize works on one corpus",
                details: [
                    ("found", places.isEmpty ? "none" : places.map(SafeText.show).joined(separator: " ")),
                    ("remedy", places.isEmpty ? "name its directory" : "name one, after --merge has put them together"),
                ], exit: .usage)
        }
        if self != .fuzz, !request.reports.isEmpty {
            throw Complaint(
                "--\(rawValue) writes no reports, for it looks for no findings", details: [("remedy", "leave out --report")],
                exit: .usage)
        }
    }
}
