package import Contracts
package import Faults
import Journaling

/// Finds profiles by name (the shipped ones, else `profiles/NAME.yaml` in the working directory) or by file.
package struct ProfileLoader: Sendable {
    /// Names of the profiles in the program, in alphabetical order.
    package static var shipped: [String] { Shipped.profiles.map(\.name) }

    package init() {}

    /// - Parameter nameOrFile: `lost-credential`, or a path (with a slash, or ending in `.yaml`). When its contract lies
    ///   beside it, `Profile.contract` is that contract's path.
    package func load(_ nameOrFile: String) throws(ConfigurationErrors) -> Profile {
        let reading = try read(nameOrFile)
        if reading.found.isFatal { throw reading.found }
        return reading.profile
    }

    /// Reads a profile again from the text that a recording's header holds. Its contract is not looked up.
    package static func parse(text: String, file: String) throws(ConfigurationErrors) -> Profile {
        let reading = try read(SourceFile(file: file, text: text), contracts: nil)
        if reading.found.isFatal { throw reading.found }
        return reading.profile
    }

    struct Reading {
        var profile: Profile
        var found: ConfigurationErrors
    }

    func read(_ nameOrFile: String) throws(ConfigurationErrors) -> Reading {
        let source = try SourceFile.find(nameOrFile, .profile, directories: ["profiles"])
        return try Self.read(source, contracts: ContractLoader(beside: source.file))
    }

    private static func read(_ source: SourceFile, contracts: ContractLoader?) throws(ConfigurationErrors) -> Reading {
        let document = try YAMLReader.read(source.text, file: source.file)
        var reader = ProfileReader(document)
        var profile = reader.read()
        profile.text = source.text
        profile.hash = Digest.sha256Hex(source.text, digits: 6)
        var errors = reader.problems
        guard let contracts else {
            return Reading(profile: profile, found: ConfigurationErrors(errors, texts: [source.file: source.text]))
        }
        if let name = profile.contract, let mark = document["contract"]?.mark {
            do throws(ConfigurationErrors) {
                let contract = try contracts.read(name, from: mark)
                errors += contract.found.errors.filter { $0.severity == .error }
                if let file = contract.file { profile.contract = file }
                errors += reader.arrivalOrdered(contract.contract)
            } catch {
                errors += error.errors
            }
        } else {
            errors += reader.arrivalOrdered(nil)
        }
        return Reading(profile: profile, found: ConfigurationErrors(errors, texts: [source.file: source.text]))
    }
}
