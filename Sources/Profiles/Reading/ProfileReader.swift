import Contracts
import Faults
import Journaling

/// Reads a profile from a value tree (faults.md, format version 1) and says everything that is wrong with it at once.
struct ProfileReader {
    private(set) var problems: [ConfigurationError] = []
    private let document: Document
    private let limits: Limits
    /// Variables that text settings may name; nil = they stay named.
    let environment: [String: String]?
    /// Where each fault's id stands.
    private(set) var places: [String: Mark] = [:]
    /// The newest version of the format that this program reads.
    static let version = 1

    static let keys = ["miswire", "name", "about", "extends", "contract", "seed", "scope", "faults"]

    init(_ document: Document, environment: [String: String]? = nil, limits: Limits = .standard) {
        self.environment = environment
        self.document = document
        self.limits = limits
    }

    mutating func read() -> Profile {
        var profile = Profile(name: "")
        let fields = mapping(document, "the profile", Self.keys)
        readVersion()
        if let name = text(fields["name"], "name") {
            profile.name = name
            if !SourceFile.isName(name), let mark = fields["name"]?.mark {
                fail(mark, "`\(name)` is not a name", "write letters, digits, dots and dashes")
            }
        } else if fields["name"] == nil, document.map != nil {
            fail(document.mark, "`name` is missing", "write `name: NAME` below `miswire`")
        }
        profile.about = text(fields["about"], "about") ?? ""
        profile.contract = text(fields["contract"], "contract")
        if let seed = fields["seed"] {
            profile.seed = seed.scalar.flatMap { $0.isPlain ? UInt64($0.text) : nil }
            if profile.seed == nil {
                let quoted = seed.scalar.flatMap { $0.isPlain ? nil : UInt64($0.text) }
                fail(
                    seed.mark, "`seed` needs a whole number",
                    quoted.map { "write `\($0)` without quotes" } ?? "found \(seed.found), expected a number from 0")
            }
        }
        if let scope = fields["scope"] { profile.scope = readScope(scope) }
        if let faults = fields["faults"] { profile.faults = readFaults(faults) }
        return profile
    }

    mutating func readVersion() {
        if let problem = Self.versionProblem(of: document) { problems.append(problem) }
    }

    static func versionProblem(of document: Document) -> ConfigurationError? {
        guard let fields = document.map else { return nil }
        guard let first = fields.first(where: { $0.key == "miswire" }) else {
            return ConfigurationError(
                at: document.mark, "`miswire` is missing", remedy: "write `miswire: \(version)` as the first line")
        }
        let written = first.value
        guard let number = written.scalar?.integer, number >= 1 else {
            return ConfigurationError(
                at: written.mark, "`miswire` needs a version", remedy: "found \(written.found), write `miswire: \(version)`")
        }
        guard number > version else { return nil }
        return ConfigurationError(
            at: written.mark, "miswire: \(number) is newer than this program (\(version))", remedy: "use a newer miswire")
    }

    static func twice(_ id: String, at mark: Mark, _ first: Mark) -> ConfigurationError {
        var error = ConfigurationError(at: mark, "two faults are called `\(id)`", remedy: "again here; give it another id")
        // Of two files only one can be shown.
        if first.file == mark.file { error.first = .init(line: first.line, column: first.column) }
        return error
    }

    private mutating func readScope(_ document: Document) -> Profile.Scope {
        var scope = Profile.Scope()
        let fields = mapping(document, "`scope`", ["paths", "users", "share", "expires", "budget"])
        scope.written = Set(fields.keys)
        scope.paths = texts(fields["paths"], "paths").map { Glob($0) }
        scope.users = texts(fields["users"], "users").map { Glob($0) }
        if let share = value(fields["share"], "share", .share) { scope.share = UnitText.share(share) ?? 1 }
        if let expires = fields["expires"] {
            if expires.scalar?.text == "never" || expires.scalar?.text == "0" {
                scope.expires = nil
            } else if let text = value(expires, "expires", .duration) {
                scope.expires = UnitText.duration(text)
            }
        }
        if let budget = fields["budget"] {
            let bounds = mapping(budget, "`budget`", ["per-connection", "total"])
            scope.perConnection = value(bounds["per-connection"], "per-connection", .count).flatMap(UnitText.count)
            scope.total = value(bounds["total"], "total", .count).flatMap(UnitText.count)
        }
        return scope
    }

    private mutating func readFaults(_ document: Document) -> [FaultRule] {
        if document.scalar?.isNull == true { return [] }
        guard let items = document.list else {
            fail(document.mark, "`faults` needs a list", "found \(document.found), write each fault behind a dash")
            return []
        }
        if items.count > limits.faults, let mark = items.last?.mark {
            fail(mark, "more than \(limits.faults) faults", "make it smaller (limit L14)")
            return []
        }
        var rules: [FaultRule] = []
        var seen: [String: Mark] = [:]
        for (index, item) in items.enumerated() {
            guard let rule = readFault(item, index + 1) else { continue }
            let mark = item["id"]?.mark ?? item.mark
            if let first = seen[rule.id] {
                problems.append(Self.twice(rule.id, at: mark, first))
            }
            seen[rule.id] = seen[rule.id] ?? mark
            rules.append(rule)
        }
        places = seen
        return rules
    }

    /// Connection ordinals are the same in every run only when a user is known at the handshake.
    func arrivalOrdered(_ contract: Contract?) -> [ConfigurationError] {
        let isKnown = contract?.identity.user.contains(where: \.isInHead) ?? false
        guard !isKnown else { return [] }
        let marks = (document["faults"]?.list ?? []).compactMap { $0["when"]?["connection"]?.mark }
        return marks.map {
            ConfigurationError(
                .warning, at: $0, "connections are counted in order of arrival (arrival-ordered)",
                remedy: "name a contract that says who a user is at the handshake")
        }
    }

    mutating func warn(_ mark: Mark, _ message: String, _ remedy: String) {
        guard problems.count < 100 else { return }
        problems.append(ConfigurationError(.warning, at: mark, message, remedy: remedy))
    }

    mutating func fail(_ mark: Mark, _ message: String, _ remedy: String, hint: String = "") {
        // Of a hostile file's complaints, more than anybody reads are not kept.
        guard problems.count < 100 else { return }
        problems.append(ConfigurationError(at: mark, message, remedy: remedy, hint: hint))
    }
}
