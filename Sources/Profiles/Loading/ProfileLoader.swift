package import Contracts
package import Faults
import Foundation
import Journaling

/// Finds profiles by name (the shipped ones, else `profiles/NAME.yaml` in the working directory) or by file, and follows
/// their `extends`.
package struct ProfileLoader: Sendable {
    /// Names of the profiles in the program, in alphabetical order.
    package static var shipped: [String] { Shipped.profiles.map(\.name) }

    private let environment: [String: String]

    /// - Parameter environment: what `${NAME}` in text settings may name.
    package init(environment: [String: String] = ProcessInfo.processInfo.environment) { self.environment = environment }

    /// - Parameter nameOrFile: `lost-credential`, or a path (with a slash, or ending in `.yaml`). When its contract lies
    ///   beside it, `Profile.contract` is that contract's path.
    package func load(_ nameOrFile: String) throws(ConfigurationErrors) -> Profile { try load([nameOrFile]) }

    /// Several profiles beside each other are one: each keeps its scope, and no two faults have the same id.
    package func load(_ namesOrFiles: [String]) throws(ConfigurationErrors) -> Profile {
        let reading = try read(namesOrFiles)
        if reading.found.isFatal { throw reading.found }
        return reading.profile
    }

    /// The profile as it comes out of everything that it extends.
    package func resolved(_ nameOrFile: String) throws(ConfigurationErrors) -> String {
        var problems: [ConfigurationError] = []
        let document = try bundle([nameOrFile]).document(&problems)
        _ = try load(nameOrFile)
        // What it extends is in it now; a reader looks for the version and the name first.
        let order = ["miswire", "name", "about", "contract", "seed", "scope"]
        let fields = (document.map ?? []).filter { $0.key != "extends" }.enumerated().sorted { one, other in
            let places = [one, other].map { order.firstIndex(of: $0.element.key) ?? order.count }
            return (places[0], one.offset) < (places[1], other.offset)
        }
        return DocumentYAML.text(Document(.map(fields.map(\.element)), mark: document.mark))
    }

    /// Files that these profiles are read from, those of the program left out.
    package func files(_ namesOrFiles: [String]) throws(ConfigurationErrors) -> [String] {
        try bundle(namesOrFiles).files.filter { FileManager.default.fileExists(atPath: $0) }
    }

    /// Reads a profile again from the text that a recording's header holds. Its contract is not looked up, nor any variable
    /// without an environment.
    package static func parse(
        text: String, file: String, environment: [String: String]? = nil
    ) throws(ConfigurationErrors) -> Profile {
        let reading = try read(ProfileBundle(text: text, file: file), contracts: nil, environment: environment)
        if reading.found.isFatal { throw reading.found }
        return reading.profile
    }

    struct Reading {
        var profile: Profile
        var found: ConfigurationErrors
        /// Where the faults' ids stand.
        var places: [String: Mark] = [:]
        var nameMark: Mark?
    }

    func read(_ nameOrFile: String) throws(ConfigurationErrors) -> Reading { try read([nameOrFile]) }

    private func read(_ names: [String]) throws(ConfigurationErrors) -> Reading {
        let bundle = try bundle(names)
        return try Self.read(bundle, contracts: { ContractLoader(beside: $0) }, environment: environment)
    }

    private func bundle(_ names: [String]) throws(ConfigurationErrors) -> ProfileBundle {
        var sources: [SourceFile] = []
        for name in Self.apart(names) { sources.append(try SourceFile.find(name, .profile, directories: ["profiles"])) }
        return try ProfileBundle(sources)
    }

    /// `a,b` is two of them, unless a file is called so.
    private static func apart(_ names: [String]) -> [String] {
        names.flatMap { name -> [String] in
            guard name.contains(","), !FileManager.default.fileExists(atPath: name) else { return [name] }
            return name.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }

    private static func read(
        _ bundle: ProfileBundle, contracts: ((String) -> ContractLoader)?, environment: [String: String]?
    ) throws(ConfigurationErrors) -> Reading {
        var readings: [Reading] = []
        for part in bundle.parts {
            readings.append(try readOne(part, contracts: contracts, environment: environment))
        }
        var whole = readings[0]
        if readings.count > 1 { whole = combined(readings, bundle.texts) }
        whole.profile.text = bundle.text
        whole.profile.hash = Digest.sha256Hex(bundle.text, digits: 6)
        return whole
    }

    private static func readOne(
        _ bundle: ProfileBundle, contracts: ((String) -> ContractLoader)?, environment: [String: String]?
    ) throws(ConfigurationErrors) -> Reading {
        var errors: [ConfigurationError] = []
        let document = try bundle.document(&errors)
        var reader = ProfileReader(document, environment: environment)
        var profile = reader.read()
        errors += reader.problems
        if let contracts, let name = profile.contract, let mark = document["contract"]?.mark {
            do throws(ConfigurationErrors) {
                // Beside the file that names it, which may be one that is extended.
                let contract = try contracts(mark.file).read(name, from: mark)
                errors += contract.found.errors.filter { $0.severity == .error }
                if let file = contract.file { profile.contract = file }
                errors += reader.arrivalOrdered(contract.contract)
            } catch {
                errors += error.errors
            }
        } else if contracts != nil {
            errors += reader.arrivalOrdered(nil)
        }
        return Reading(
            profile: profile, found: ConfigurationErrors(errors, texts: bundle.texts), places: reader.places,
            nameMark: document["name"]?.mark)
    }

    // MARK: Several

    private static func combined(_ readings: [Reading], _ texts: [String: String]) -> Reading {
        var whole = Profile(name: readings.map(\.profile.name).joined(separator: "+"))
        var errors: [ConfigurationError] = []
        var seen: [String: Mark] = [:]
        var names: [String: Mark] = [:]
        for reading in readings {
            errors += reading.found.errors
            if let mark = reading.nameMark {
                if let first = names[reading.profile.name] {
                    errors.append(
                        ConfigurationError(
                            at: mark, "two profiles are called `\(reading.profile.name)`",
                            remedy: "the other is at \(first); give one another name"))
                }
                names[reading.profile.name] = names[reading.profile.name] ?? mark
            }
            var scope = reading.profile.scope
            scope.name = reading.profile.name
            for var rule in reading.profile.faults {
                let place = reading.places[rule.id]
                if let first = seen[rule.id], let place {
                    errors.append(
                        ConfigurationError(
                            at: place, "two profiles have a fault `\(rule.id)`", remedy: "the other is at \(first); give one another id"))
                }
                seen[rule.id] = seen[rule.id] ?? place
                rule.scope = scope
                whole.faults.append(rule)
            }
            if let contract = reading.profile.contract {
                if let known = whole.contract, known != contract {
                    errors.append(
                        ConfigurationError(
                            .warning, file: contract, line: 0, column: 0, message: "the profiles name different contracts",
                            remedy: "\(known) is taken; say another with --contract"))
                }
                whole.contract = whole.contract ?? contract
            }
            whole.seed = whole.seed ?? reading.profile.seed
        }
        whole.about = readings.map(\.profile.about).filter { !$0.isEmpty }.joined(separator: " ")
        whole.scope = readings.dropFirst().reduce(readings[0].profile.scope) { $0.union($1.profile.scope) }
        let most = Limits.standard.faults
        if whole.faults.count > most, let last = readings.last?.places.values.max(by: { $0.line < $1.line }) {
            errors.append(ConfigurationError(at: last, "more than \(most) faults", remedy: "make it smaller (limit L14)"))
        }
        return Reading(profile: whole, found: ConfigurationErrors(errors, texts: texts), places: seen)
    }
}

extension Profile.Scope {
    /// Whom either may concern, for people.
    fileprivate func union(_ other: Profile.Scope) -> Profile.Scope {
        var both = self
        both.paths = paths.isEmpty || other.paths.isEmpty ? [] : paths + other.paths
        both.users = users.isEmpty || other.users.isEmpty ? [] : users + other.users
        both.share = max(share, other.share)
        both.expires = expires.flatMap { mine in other.expires.map { max(mine, $0) } }
        both.perConnection = perConnection.flatMap { mine in other.perConnection.map { mine + $0 } }
        both.total = total.flatMap { mine in other.total.map { mine + $0 } }
        return both
    }
}
