package import Contracts

/// `miswire profile check`: reads a profile, a contract or a file of listeners and says everything that is wrong, without running.
package enum ConfigurationCheck {
    /// - Parameter nameOrFile: a file, or the name of a profile or contract. Which of the two a file is, its first key
    ///   says.
    /// - Returns: errors and warnings; empty when all is well.
    package static func check(_ nameOrFile: String, _ words: AddressWords = .any) -> ConfigurationErrors {
        do throws(ConfigurationErrors) {
            if try isProxyFile(nameOrFile) { return ConfigurationErrors(try ProxyFile.load(nameOrFile, words).warnings) }
            if try isContract(nameOrFile) { return try ContractLoader().read(nameOrFile, from: nil).found }
            return try ProfileLoader().read(nameOrFile).found
        } catch {
            return error
        }
    }

    /// The same for what can only be a contract.
    package static func contract(_ nameOrFile: String) -> ConfigurationErrors {
        do throws(ConfigurationErrors) { return try ContractLoader().read(nameOrFile, from: nil).found } catch { return error }
    }

    private static func isProxyFile(_ nameOrFile: String) throws(ConfigurationErrors) -> Bool {
        guard SourceFile.isPath(nameOrFile) else { return false }
        return ProxyFile.isOne(try SourceFile.read(nameOrFile).text.split(whereSeparator: \.isNewline))
    }

    private static func isContract(_ nameOrFile: String) throws(ConfigurationErrors) -> Bool {
        guard SourceFile.isPath(nameOrFile) else {
            return Shipped.profile(nameOrFile) == nil && Shipped.contract(nameOrFile) != nil
        }
        let source = try SourceFile.read(nameOrFile)
        let keys = source.text.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("#") }
        return keys.contains { $0.hasPrefix("miswire-contract") }
            || !keys.contains { $0.hasPrefix("miswire:") } && keys.contains { $0.hasPrefix("requests:") || $0.hasPrefix("events:") }
    }
}
