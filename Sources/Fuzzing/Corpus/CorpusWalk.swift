import Captures
import Contracts
import Journaling
import Plans

/// Reads what is below the paths of a corpus.
struct CorpusWalk {
    private let bounds: CorpusDirectory.Bounds
    private let contract: Contract
    private let lift: CorpusDirectory.Lift
    private var found: [CorpusSeed] = []
    private var warnings: [String] = []
    private var unlisted = 0
    private var files = 0
    private var bytes: Int64 = 0
    private var isFull = false
    private static let mostWarnings = 100

    init(bounds: CorpusDirectory.Bounds, contract: Contract, lift: @escaping CorpusDirectory.Lift) {
        self.bounds = bounds
        self.contract = contract
        self.lift = lift
    }

    mutating func finish() -> CorpusDirectory.Loaded {
        var loaded = CorpusDirectory.Loaded()
        // Names only decide which of two equal files stands for both: one that is called by its hash, or a finding.
        found.sort {
            ($0.hash, Self.rank($0), $0.path) < ($1.hash, Self.rank($1), $1.path)
        }
        for seed in found {
            if loaded.seeds.last?.hash == seed.hash {
                loaded.duplicates += 1
                loaded.copies[seed.hash, default: []].append(seed.path)
            } else {
                loaded.seeds.append(seed)
            }
        }
        if unlisted > 0 { warnings.append("\(unlisted) more \(unlisted == 1 ? "file was" : "files were") left out") }
        loaded.warnings = warnings
        return loaded
    }

    private static func rank(_ seed: CorpusSeed) -> Int {
        seed.origin == .finding ? 0 : seed.path.hasSuffix(seed.hash) ? 1 : seed.origin == .plan ? 2 : 3
    }

    private mutating func warn(_ place: String, _ text: String) {
        guard warnings.count < Self.mostWarnings else { return unlisted += 1 }
        warnings.append("\(ForeignText.shown(place)): \(ForeignText.shown(text))")
    }

    /// A path that the user named: it may be a link.
    mutating func visit(_ path: String) {
        switch CorpusFiles.kind(path, follow: true) {
        case .file(let size): file(path, size: size, follow: true)
        case .directory: directories(path)
        case .missing: warn(path, "there is no such file or directory")
        default: warn(path, "neither a file nor a directory")
        }
    }

    /// With a list of our own: the depth of a tree is its maker's choice.
    private mutating func directories(_ path: String) {
        var open = [(path: path, depth: 0)]
        while let (path, depth) = open.popLast(), !isFull {
            guard let (names, isCut) = CorpusFiles.names(in: path, most: bounds.files) else {
                warn(path, "the directory cannot be read")
                continue
            }
            if isCut { warn(path, "the directory holds more than \(bounds.files) files; the rest is left out") }
            if names.contains(where: Self.isSegment) {
                recording(path, parts: names.filter(Self.isSegment))
                continue
            }
            for name in names where !name.hasPrefix(".") {
                let inner = CorpusFiles.join(path, name)
                switch CorpusFiles.kind(inner) {
                case .file(let size): file(inner, size: size, follow: false)
                case .directory:
                    if depth < bounds.depth { open.append((inner, depth + 1)) } else { warn(inner, "too deep in the directory") }
                case .link: warn(inner, "a link; links are not followed")
                case .other: warn(inner, "no regular file")
                case .missing: warn(inner, "the name cannot be opened")
                }
                if isFull { break }
            }
        }
    }

    /// Plans beside its segments would be read by nobody.
    static func isRecording(_ path: String, _ bounds: CorpusDirectory.Bounds) -> Bool {
        CorpusFiles.names(in: path, most: bounds.files)?.names.contains(where: isSegment) ?? false
    }

    /// `0001.ndjson`, `0001.ndjson.gz`
    private static func isSegment(_ name: String) -> Bool {
        let plain = name.hasSuffix(".gz") ? name.dropLast(3) : name[...]
        return plain.hasSuffix(".ndjson") && plain.count > 7 && plain.dropLast(7).allSatisfy { $0.isASCII && $0.isNumber }
    }

    private mutating func file(_ path: String, size: Int64, follow: Bool) {
        guard admit(path) else { return }
        if path.hasSuffix(".ndjson") || path.hasSuffix(".ndjson.gz") { return recording(path, parts: []) }
        guard size <= Int64(bounds.fileBytes) else { return warn(path, "larger than \(bounds.fileBytes) bytes") }
        switch CorpusFiles.read(path, most: bounds.fileBytes, follow: follow) {
        case .bytes(let bytes):
            guard spend(Int64(bytes.count), path) else { return }
            plan(bytes, path)
        case .tooLarge: warn(path, "larger than \(bounds.fileBytes) bytes")
        case .unreadable(let why): warn(path, "cannot be read (\(why))")
        }
    }

    private mutating func admit(_ path: String) -> Bool {
        files += 1
        guard files > bounds.files else { return true }
        full(path, "more than \(bounds.files) files; this one and the rest are left out")
        return false
    }

    private mutating func spend(_ size: Int64, _ path: String) -> Bool {
        bytes += size
        guard bytes > Int64(bounds.totalBytes) else { return true }
        full(path, "more than \(bounds.totalBytes) bytes in all; this one and the rest are left out")
        return false
    }

    private mutating func full(_ path: String, _ text: String) {
        if !isFull { warn(path, text) }
        isFull = true
    }

    private mutating func plan(_ bytes: [UInt8], _ path: String) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return warn(path, "no plan: not UTF-8") }
        guard text.contains("miswire plan") else { return warn(path, "neither a plan nor a recording") }
        do {
            let plan = try PlanText.parse(text, file: path)
            let origin: CorpusSeed.Origin = plan.head.finding == nil ? .plan : .finding
            found.append(CorpusSeed(plan, path: path, origin: origin))
        } catch {
            guard let first = error.errors.first else { return warn(path, "no plan") }
            let more = error.errors.count > 1 ? " (and \(error.errors.count - 1) more)" : ""
            warn("\(path):\(first.line):\(first.column)", "\(first.sentence); \(first.remedy)\(more)")
        }
    }

    // MARK: Recordings

    private mutating func recording(_ path: String, parts: [String]) {
        if !parts.isEmpty {
            guard admit(path) else { return }
            var size: Int64 = 0
            for part in parts {
                guard case .file(let bytes) = CorpusFiles.kind(CorpusFiles.join(path, part)) else {
                    return warn(CorpusFiles.join(path, part), "no regular file; the recording is left out")
                }
                size += bytes
            }
            guard size <= bounds.recordingBytes else {
                return warn(path, "a recording of more than \(bounds.recordingBytes) bytes")
            }
            guard spend(size, path) else { return }
        } else if case .file(let size) = CorpusFiles.kind(path, follow: true) {
            guard size <= bounds.recordingBytes else {
                return warn(path, "a recording of more than \(bounds.recordingBytes) bytes")
            }
            guard spend(size, path) else { return }
        }
        do {
            var reader = try RecordingReader(path)
            var entries: [Entry] = []
            while entries.count < bounds.recordingEntries, let entry = try reader.next() {
                if !entry.body.isTick { entries.append(entry) }
            }
            let plans = lift(entries, contract).filter { !$0.steps.isEmpty }
            if plans.isEmpty { return warn(path, "nothing in this recording can be played") }
            found += plans.map { CorpusSeed($0, path: path, origin: .recording) }
        } catch { warn(error.place, "\(error.sentence); \(error.remedy)") }
    }
}
