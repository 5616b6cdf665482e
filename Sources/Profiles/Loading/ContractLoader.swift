package import Contracts
import Journaling

/// Finds contracts by name (the shipped ones, else `contracts/NAME.yaml` beside the profiles) or by file, and follows
/// their `extends` and `import`.
package struct ContractLoader: Sendable {
    /// Names of the contracts in the program, in alphabetical order.
    package static var shipped: [String] { Shipped.contracts.map(\.name) }

    private let directories: [String]

    /// - Parameter profile: the file of a profile, beside which `contracts/` may lie.
    package init(beside profile: String? = nil) {
        let near = profile.map { [SourceFile.directory(of: $0) + "/contracts", SourceFile.directory(of: $0)] } ?? []
        directories = near + ["profiles/contracts", "contracts"]
    }

    /// - Parameter nameOrFile: `agent-chat`, or a path (with a slash, or ending in `.yaml`).
    package func load(_ nameOrFile: String) throws(ConfigurationErrors) -> Contract {
        try Self.fatal(read(nameOrFile, from: nil))
    }

    /// Reads a contract again from `Contract.text`, as a recording's header holds it, without any file.
    package static func parse(text: String, file: String) throws(ConfigurationErrors) -> Contract {
        try fatal(read(ContractBundle(text: text, file: file)))
    }

    /// The contract with everything that was found, warnings too.
    func read(_ nameOrFile: String, from mark: Mark?) throws(ConfigurationErrors) -> Reading {
        let source = try SourceFile.find(nameOrFile, .contract, directories: directories, from: mark)
        var reading = try Self.read(try ContractBundle(source, directories: directories))
        reading.file = source.isShipped ? nil : source.file
        return reading
    }

    struct Reading {
        var contract: Contract
        /// Where it was read from; nil for a shipped one.
        var file: String?
        var found: ConfigurationErrors
    }

    private static func read(_ bundle: ContractBundle) throws(ConfigurationErrors) -> Reading {
        let (document, imported) = try bundle.contract()
        var reader = ContractReader(document)
        var contract = reader.read()
        contract.text = bundle.text
        contract.hash = Digest.sha256Hex(bundle.text, digits: 6)
        contract.file = SourceFile.baseName(of: bundle.pieces.first?.file ?? "")
        return Reading(contract: contract, found: ConfigurationErrors(imported + reader.problems, texts: bundle.texts))
    }

    private static func fatal(_ reading: Reading) throws(ConfigurationErrors) -> Contract {
        if reading.found.isFatal { throw reading.found }
        return reading.contract
    }
}
