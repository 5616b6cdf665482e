package import Contracts

/// `miswire profile check`: reads a profile or a contract and says everything that is wrong, without running.
package enum ConfigurationCheck {
    /// - Parameter nameOrFile: a file, or the name of a profile or contract.
    package static func check(_ nameOrFile: String) -> ConfigurationErrors { ConfigurationErrors([]) }
}
