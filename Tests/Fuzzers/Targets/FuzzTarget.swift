import Captures
import Checks
import Glibc
import NIOCore

/// One thing that is fuzzed. Importers come from their registry, so that a new one is here by itself.
struct FuzzTarget: Sendable {
    let name: String
    /// Returns when all is well, and ends the process where a promise is broken.
    let run: @Sendable ([UInt8]) -> Void

    static let all: [FuzzTarget] =
        ImporterRegistry.all.map { importer in FuzzTarget(name: importer.name) { ImportCheck(importer, $0).run() } }
        + [
            FuzzTarget(name: "recording") { RecordingCheck($0).run() },
            FuzzTarget(name: "plan") { PlanCheck.run($0) },
        ]
        + Check.all.map { check in
            FuzzTarget(name: check.name) { bytes in
                do throws(Broken) { try check.run(bytes) } catch { fail(error.sentence) }
            }
        }

    /// By the environment, because libFuzzer takes every word without a dash for a file of its own, and starts itself again
    /// with the words that it was given.
    static let chosen: FuzzTarget? = {
        let name = unsafe getenv("MISWIRE_FUZZ_TARGET").map { unsafe String(cString: $0) }
        return all.first { $0.name == name }
    }()

    /// As `miswire import` recognises it; files that no importer knows and that may be anything are raw.
    static func name(forSeed path: String) -> String? {
        if path.hasSuffix(".plan") { return "plan" }
        let folders = path.split(separator: "/")
        if let place = folders.lastIndex(of: "fuzzed"), place + 2 < folders.count { return String(folders[place + 1]) }
        guard let bytes = Folder.contents(path) else { return nil }
        let head = ByteBuffer(bytes: bytes.prefix(ImporterRegistry.headBytes))
        let isPacked = path.hasSuffix(".ndjson.gz")
        if isPacked || bytes.starts(with: "{\"miswire-recording\"".utf8) { return "recording" }
        return ImporterRegistry.importer(for: head, name: path)?.name
    }
}

/// Ends the process so that libFuzzer keeps the input: a promise of the program does not hold for it.
func fail(_ sentence: String) -> Never {
    let line = Array("BROKEN PROMISE: \(sentence)\n".utf8)
    _ = unsafe line.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
    abort()
}

func demand(_ isKept: Bool, _ sentence: @autoclosure () -> String) {
    if !isKept { fail(sentence()) }
}
