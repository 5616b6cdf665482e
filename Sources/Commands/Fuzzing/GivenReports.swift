import Contracts
import Foundation
import Reporting

#if canImport(Glibc)
    import Glibc
#endif

/// A file that `--report` asks for.
struct ReportFile: Sendable, Equatable {
    enum Kind: String, Sendable, CaseIterable { case junit, sarif, ndjson }
    var kind: Kind
    var path: String
}

/// `--report junit=FILE,sarif=FILE,ndjson=FILE`, once or several times. A file that could not be written is said now and
/// not when the run is over.
struct GivenReports: Sendable {
    private(set) var files: [ReportFile] = []

    init(_ texts: [String]) throws {
        for word in texts.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }).map(String.init) {
            let halves = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let kind = ReportFile.Kind(rawValue: halves[0]) else {
                let known = ReportFile.Kind.allCases.map(\.rawValue)
                let near = Nearest.word(to: halves[0], among: known).map { [("remedy", "write `\($0)=FILE`")] } ?? []
                throw Complaint(
                    "no report is called `\(SafeText.show(halves[0]))`",
                    details: [("place", "--report"), ("known", known.joined(separator: " "))] + near, exit: .usage)
            }
            guard halves.count == 2, !halves[1].isEmpty else {
                throw Complaint(
                    "the report `\(kind.rawValue)` names no file",
                    details: [("place", "--report"), ("expected", "\(kind.rawValue)=FILE")], exit: .usage)
            }
            guard !files.contains(where: { $0.path == halves[1] }) else {
                throw Complaint(
                    "two reports go to one file", details: [("place", SafeText.show(halves[1])), ("remedy", "name another file for `\(kind.rawValue)`")],
                    exit: .usage)
            }
            files.append(ReportFile(kind: kind, path: halves[1]))
        }
    }

    /// Opens each file as it will be opened; leaves none behind that was not there.
    func tryThem() throws {
        for file in files {
            let existed = unsafe access(file.path, F_OK) == 0
            let descriptor = unsafe open(file.path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o644)
            guard descriptor >= 0 else {
                let why = unsafe String(cString: strerror(errno)).lowercased()
                throw Complaint(
                    "the report `\(file.kind.rawValue)` cannot be written",
                    details: [
                        ("place", SafeText.show(file.path)), ("found", why),
                        ("remedy", "name another file, in a directory that exists"),
                    ], exit: .usage)
            }
            close(descriptor)
            if !existed { _ = unsafe unlink(file.path) }
        }
    }

    /// A directory for findings need not exist yet; what of its path exists must take it.
    static func tryDirectory(_ path: String) throws {
        var place = path.isEmpty ? "." : path
        while unsafe access(place, F_OK) != 0, place != ".", place != "/" {
            let parent = (place as NSString).deletingLastPathComponent
            place = parent.isEmpty ? "." : parent
        }
        var isDirectory: ObjCBool = false
        let exists = unsafe FileManager.default.fileExists(atPath: place, isDirectory: &isDirectory)
        let isOpen = unsafe access(place, W_OK | X_OK) == 0
        guard exists, isDirectory.boolValue, isOpen else {
            let found = !exists ? "it cannot be made" : isDirectory.boolValue ? "permission denied" : "\(SafeText.show(place)) is a file"
            throw Complaint(
                "findings cannot be written into \(SafeText.show(path))",
                details: [("found", found), ("remedy", "name another directory with --findings")], exit: .usage)
        }
    }
}
