package import Contracts
package import Faults

/// Finds contracts by name (beside the profiles, or the shipped ones) or by file.
package struct ContractLoader: Sendable {
    /// Names of the contracts in the program, in alphabetical order.
    package static let shipped: [String] = []
    package init() {}
    /// - Parameter nameOrFile: a name is `[a-z0-9.-]+` without a directory or `.yaml`.
    package func load(_ nameOrFile: String) throws(ConfigurationErrors) -> Contract { throw ConfigurationErrors([]) }
    /// Reads a contract again from the text that a recording's header holds, without any file.
    package static func parse(text: String, file: String) throws(ConfigurationErrors) -> Contract {
        throw ConfigurationErrors([])
    }
}

package struct ProfileLoader: Sendable {
    /// Names of the profiles in the program, in alphabetical order.
    package static let shipped: [String] = []
    package init() {}
    package func load(_ nameOrFile: String) throws(ConfigurationErrors) -> Profile { throw ConfigurationErrors([]) }
    package static func parse(text: String, file: String) throws(ConfigurationErrors) -> Profile {
        throw ConfigurationErrors([])
    }
}
