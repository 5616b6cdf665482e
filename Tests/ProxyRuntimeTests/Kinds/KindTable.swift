import Faults
import Foundation
import Synchronization
import Testing

/// The table of the README between its marks: a line a kind, in the registry's order.
enum KindTable {
    static let isWritten = ProcessInfo.processInfo.environment["MISWIRE_WRITE_TABLE"] == "1"
    private static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "README.md")
    private static let begin = "<!-- seen by KindTests -->\n"
    private static let end = "<!-- end of what KindTests saw -->\n"
    private static let head = "| kind | settings | tap | what the far side saw of it | may excuse |\n|---|---|---|---|---|\n"
    private static let lock = Mutex(())

    private static func parts() throws -> (before: String, lines: [Substring], after: String) {
        let text = try String(contentsOf: file, encoding: .utf8)
        let first = try #require(text.range(of: begin), "the README has no mark \(begin)")
        let last = try #require(text.range(of: end, range: first.upperBound..<text.endIndex), "the README has no mark \(end)")
        let lines = text[first.upperBound..<last.lowerBound].split(separator: "\n").dropFirst(2)
        return (String(text[..<first.upperBound]), Array(lines), String(text[last.lowerBound...]))
    }

    private static func kind(of line: Substring) -> String? {
        line.split(separator: "`").dropFirst().first.map(String.init)
    }

    static func kinds() throws -> [String] { try parts().lines.compactMap(kind) }

    /// The line must stand there as it is; or is put there.
    static func keep(_ name: String, _ line: String) throws {
        try lock.withLock { _ in
            let (before, lines, after) = try parts()
            let found = lines.first { kind(of: $0) == name }
            guard isWritten else {
                #expect(found.map(String.init) == line, "README: MISWIRE_WRITE_TABLE=1 swift test --filter KindTests writes it")
                return
            }
            let all = lines.filter { kind(of: $0) != name }.map(String.init) + [line]
            let ordered = FaultRegistry.all.compactMap { fault in all.first { kind(of: $0[...]) == fault.name } }
            try (before + head + ordered.map { $0 + "\n" }.joined() + after).write(to: file, atomically: true, encoding: .utf8)
        }
    }
}
