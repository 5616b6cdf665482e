import Foundation
import Reporting

#if canImport(Glibc)
    import Glibc
#endif

/// `--report html=FILE,junit=FILE,sarif=FILE,ndjson=FILE`, once or several times. A file that could not be written is said now and
/// not when the run is over.
struct GivenReports: Sendable {
    private(set) var files: [ReportKind.Order] = []

    init(_ texts: [String]) throws {
        if !texts.isEmpty { files = try ReportKind.orders(texts.joined(separator: ",")) }
    }

    /// Opens each file as it will be opened; leaves none behind that was not there.
    func tryThem() throws {
        for file in files {
            let existed = unsafe access(file.file, F_OK) == 0
            let descriptor = unsafe open(file.file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o644)
            guard descriptor >= 0 else {
                let why = unsafe String(cString: strerror(errno)).lowercased()
                throw Complaint(
                    "the report `\(file.kind.name)` cannot be written",
                    details: [
                        ("place", SafeText.show(file.file)), ("found", why),
                        ("remedy", "name another file, in a directory that exists"),
                    ], exit: .usage)
            }
            close(descriptor)
            if !existed { _ = unsafe unlink(file.file) }
        }
    }

    /// A directory for findings need not exist yet; what of its path exists must take it.
    static func tryDirectory(_ path: String, for what: String = "findings") throws {
        var place = path.isEmpty ? "." : path
        while unsafe access(place, F_OK) != 0, place != ".", place != "/" {
            // Not by NSString, which traps on a name of one letter.
            place = place.lastIndex(of: "/").map { $0 == place.startIndex ? "/" : String(place[..<$0]) } ?? "."
        }
        var isDirectory: ObjCBool = false
        let exists = unsafe FileManager.default.fileExists(atPath: place, isDirectory: &isDirectory)
        let isOpen = unsafe access(place, W_OK | X_OK) == 0
        guard exists, isDirectory.boolValue, isOpen else {
            let found = !exists ? "it cannot be made" : isDirectory.boolValue ? "permission denied" : "\(SafeText.show(place)) is a file"
            throw Complaint(
                "\(what) cannot be written into \(SafeText.show(path))",
                details: [("found", found), ("remedy", what == "findings" ? "name another directory with --findings" : "name another directory")], exit: .usage)
        }
    }
}
