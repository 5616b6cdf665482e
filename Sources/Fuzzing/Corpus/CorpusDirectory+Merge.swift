package import Contracts
package import Plans

/// What `--merge` and `--minimize` did.
package struct CorpusReport: Sendable, Equatable {
    /// Plans that were there before, and are now, in the first directory.
    package var before = 0
    package var after = 0
    /// Plans of the other directories that were looked at.
    package var offered = 0
    package var added = 0
    package var deleted = 0
    /// Features of the first directory before, and after.
    package var featuresBefore = 0
    package var featuresAfter = 0
    /// Plans that could not be played: they stay where they are.
    package var unplayed = 0
    package var warnings: [String] = []
    package init() {}
}

extension CorpusDirectory {
    /// Plays a plan and says what it showed; nil when it could not be played at all.
    package typealias Measure = @Sendable (Plan) async -> [UInt64]?

    /// Adds to the first directory those plans of the others that show what none in it does.
    package func merge(
        contract: Contract, lift: @escaping Lift, measure: Measure
    ) async throws(CorpusError) -> CorpusReport {
        let first = try requireFirst()
        try prepare()
        let mine = CorpusDirectory([first], bounds: bounds).load(contract: contract, lift: lift)
        let others = CorpusDirectory(Array(paths.dropFirst()), bounds: bounds).load(contract: contract, lift: lift)
        var report = CorpusReport()
        report.warnings = mine.warnings + others.warnings
        report.before = mine.seeds.count
        let had = Set(mine.seeds.map(\.hash))
        var known: Set<UInt64> = []
        for seed in mine.seeds {
            if let features = await measure(seed.plan) { known.formUnion(features) } else { report.unplayed += 1 }
        }
        report.featuresBefore = known.count
        let offered = others.seeds.filter { !had.contains($0.hash) }
        report.offered = others.seeds.count
        let (items, seeds) = await play(offered, measure, &report)
        try stopIfCancelled(first)
        for index in CorpusMerge.cover(items, beyond: known) {
            if try save(seeds[index].plan) != nil { report.added += 1 }
            known.formUnion(items[index].features)
        }
        report.after = report.before + report.added
        report.featuresAfter = known.count
        return report
    }

    /// Leaves in the first directory what together shows all that its plans show. Findings, recordings and what could
    /// not be read or played stay. Nothing is deleted before every survivor was read again.
    package func minimize(
        contract: Contract, lift: @escaping Lift, measure: Measure
    ) async throws(CorpusError) -> CorpusReport {
        let first = try requireFirst()
        let loaded = CorpusDirectory([first], bounds: bounds).load(contract: contract, lift: lift)
        var report = CorpusReport()
        report.warnings = loaded.warnings
        report.before = loaded.seeds.count
        let (items, seeds) = await play(loaded.seeds, measure, &report)
        try stopIfCancelled(first)
        guard !seeds.isEmpty || loaded.seeds.isEmpty else {
            throw CorpusError(
                place: first, sentence: "no plan could be played, so nothing is known of any",
                remedy: "start the target and try again")
        }
        let all = items.reduce(into: Set<UInt64>()) { $0.formUnion($1.features) }
        let fixed = seeds.indices.filter { seeds[$0].origin != .plan }
        let known = fixed.reduce(into: Set<UInt64>()) { $0.formUnion(items[$1].features) }
        let free = seeds.indices.filter { seeds[$0].origin == .plan }
        let chosen = Set(CorpusMerge.cover(free.map { items[$0] }, beyond: known).map { free[$0] })
        let survivors = chosen.map { seeds[$0] }
        for seed in survivors where !isThere(seed.path, seed.hash) {
            throw CorpusError(
                place: seed.path, sentence: "the file changed while its directory was minimised",
                remedy: "nothing was deleted; try again")
        }
        for index in free {
            let seed = seeds[index]
            let extra = (loaded.copies[seed.hash] ?? []).filter { $0 != seed.path }
            for path in (chosen.contains(index) ? [] : [seed.path]) + extra where isThere(path, seed.hash) {
                if let why = CorpusFiles.remove(path) {
                    report.warnings.append("\(ForeignText.shown(path)): cannot be deleted (\(why))")
                } else {
                    report.deleted += 1
                }
            }
        }
        report.after = report.before - (free.count - chosen.count)
        report.featuresBefore = all.count
        report.featuresAfter = known.union(chosen.flatMap { items[$0].features }).count
        return report
    }

    /// What was not played to the end says nothing about what is needless.
    private func stopIfCancelled(_ first: String) throws(CorpusError) {
        guard Task.isCancelled else { return }
        throw CorpusError(place: first, sentence: "not every plan was played", remedy: "nothing was changed; try again")
    }

    private func requireFirst() throws(CorpusError) -> String {
        if let writable { return writable }
        throw CorpusError(
            place: paths.first ?? "corpus", sentence: "there is no directory to write to",
            remedy: "name a directory of plans first")
    }

    private func play(
        _ seeds: [CorpusSeed], _ measure: Measure, _ report: inout CorpusReport
    ) async -> (items: [CorpusMerge.Item], seeds: [CorpusSeed]) {
        var items: [CorpusMerge.Item] = []
        var played: [CorpusSeed] = []
        for seed in seeds {
            guard let features = await measure(seed.plan) else {
                report.unplayed += 1
                continue
            }
            let size = CorpusSeed.text(of: seed.plan).utf8.count
            items.append(CorpusMerge.Item(hash: seed.hash, size: size, features: features))
            played.append(seed)
        }
        return (items, played)
    }

    /// A plan's file that still holds that plan.
    private func isThere(_ path: String, _ hash: String) -> Bool {
        guard case .bytes(let bytes) = CorpusFiles.read(path, most: bounds.fileBytes),
            let text = String(validating: bytes, as: UTF8.self), let plan = try? PlanText.parse(text, file: path)
        else { return false }
        return plan.head.finding == nil && CorpusSeed.hash(of: plan) == hash
    }
}
