import Captures
package import Contracts
package import Journaling
package import Plans

/// Directories of plans and recordings, as libFuzzer has them: all are read, the first is written to. Files are data
/// and nothing else (trust.md T32): no links are followed out, nothing in them names another file.
package struct CorpusDirectory: Sendable {
    package struct Bounds: Sendable {
        package var fileBytes = 1 << 20
        package var files = 100_000
        package var recordingBytes: Int64 = 64 << 20
        package var recordingEntries = 200_000
        /// Of all files together.
        package var totalBytes = 256 << 20
        package var depth = 8
        package init() {}
    }

    package struct Loaded: Sendable {
        /// By hash, whatever the files are called; each plan once.
        package var seeds: [CorpusSeed] = []
        /// `corpus/a.plan:3:1: no verb is called …`: files that were left out, at most 100 and one that counts the rest.
        package var warnings: [String] = []
        package var duplicates = 0
        /// By hash: further files that hold the same plan.
        package var copies: [String: [String]] = [:]
        package init() {}
    }

    /// Makes plans from a recording's entries; none when nothing in them can be played.
    package typealias Lift = @Sendable (_ entries: [Entry], _ contract: Contract) -> [Plan]

    package let paths: [String]
    package let bounds: Bounds
    /// The first path, unless it is a file or a recording.
    package let writable: String?

    /// - Parameter paths: directories, and files that are seeds of their own.
    package init(_ paths: [String], bounds: Bounds = Bounds()) {
        self.paths = paths
        self.bounds = bounds
        writable = paths.first.flatMap { Self.isWritable($0, bounds) ? $0 : nil }
    }

    private static func isWritable(_ path: String, _ bounds: Bounds) -> Bool {
        switch CorpusFiles.kind(path, follow: true) {
        case .directory: !CorpusWalk.isRecording(path, bounds)
        case .missing: true
        default: false
        }
    }

    /// Makes the first directory when it is not there; what else is missing is an error.
    package func prepare() throws(CorpusError) {
        for (index, path) in paths.enumerated() where CorpusFiles.kind(path, follow: true) == .missing {
            guard index == 0 else {
                throw CorpusError(place: path, sentence: "there is no such file or directory", remedy: "name one that exists")
            }
            if let why = CorpusFiles.makeDirectory(path) {
                throw CorpusError(
                    place: path, sentence: "the corpus directory cannot be made (\(why))", remedy: "name another one")
            }
        }
    }

    package func load(contract: Contract, lift: @escaping Lift) -> Loaded {
        var walk = CorpusWalk(bounds: bounds, contract: contract, lift: lift)
        for path in paths { walk.visit(path) }
        var loaded = walk.finish()
        if let first = paths.first, case .directory = CorpusFiles.kind(first, follow: true), writable == nil {
            loaded.warnings.insert("\(ForeignText.shown(first)): a recording is read and not written to; name a directory for plans first", at: 0)
        }
        return loaded
    }

    /// Saves a plan under its hash in the first directory, atomically; one that is there stays as it is.
    /// - Returns: the path when it is new; nil when it was there already or nothing is writable.
    @discardableResult
    package func save(_ plan: Plan) throws(CorpusError) -> String? {
        guard let directory = writable else { return nil }
        let name = CorpusSeed.hash(of: plan)
        let bytes = Array(CorpusSeed.text(of: plan).utf8)
        guard bytes.count <= bounds.fileBytes else { return nil }
        guard let why = CorpusFiles.create(name, in: directory, bytes) else { return CorpusFiles.join(directory, name) }
        if why.isEmpty { return nil }
        throw CorpusError(
            place: CorpusFiles.join(directory, name), sentence: "the plan cannot be written (\(why))",
            remedy: "make room or name another first corpus directory")
    }
}
