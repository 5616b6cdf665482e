import Checks
import Foundation
import Testing

/// What is kept of fuzzing (`.ci/fuzz-targets`): inputs that are worth beginning with, and every one that broke a promise.
@Suite struct FuzzedTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "corpus/fuzzed")

    @Test(arguments: Check.all.map { $0.name }) func everyPromiseHolds(_ name: String) throws {
        let check = try #require(Check.all.first { $0.name == name })
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.appending(path: name).path).sorted()
        #expect(!files.isEmpty)
        for file in files {
            let bytes = Array(try Data(contentsOf: Self.folder.appending(path: name).appending(path: file)))
            do throws(Broken) { try check.run(bytes) } catch { Issue.record("\(name)/\(file): \(error.sentence)") }
            // Its beginnings, too: what is cut off anywhere is an input like another.
            for end in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 64)) {
                do throws(Broken) { try check.run(Array(bytes[..<end])) } catch {
                    Issue.record("the first \(end) bytes of \(name)/\(file): \(error.sentence)")
                }
            }
        }
    }

    @Test func everyFolderIsOfACheck() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted()
        #expect(folders == Check.all.map { $0.name }.sorted())
    }
}
