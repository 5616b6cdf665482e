import Contracts
import Foundation
import Reporting

/// The key that signs credentials and the one that checks them, from the variable that the contract's `mint` names. Of the
/// demo's variable an unset one means the documented development key.
enum SigningKey {
    static let variable = "MISWIRE_JWT_KEY"
    static let development = "miswire-development-key"

    typealias Environment = [String: String]
    static var environment: Environment { ProcessInfo.processInfo.environment }

    /// What our own backend checks with.
    static func value(_ environment: Environment = environment) -> String { given(variable, environment) ?? development }
    static var isDevelopment: Bool { given(variable, environment) == nil }

    /// What the credentials of users that we make up are signed with.
    static func signing(_ contract: Contract?, _ environment: Environment = environment) -> String {
        given(contract?.identity.mint?.keyVariable ?? variable, environment) ?? value(environment)
    }

    /// The variables that tell a server which we start what we sign with.
    static func telling(_ contract: Contract?, _ environment: Environment = environment) -> [(String, String)] {
        let own = [(variable, value(environment))]
        guard let named = contract?.identity.mint?.keyVariable, named != variable else { return own }
        return own + [(named, signing(contract, environment))]
    }

    /// What the credentials of others are checked with; nil = nothing says how. That they are signed with the development key
    /// is a guess: a real service has one of its own, and whoever judges it need not know it.
    static func checking(_ contract: Contract?, _ environment: Environment = environment) -> (text: String, isPresumed: Bool)? {
        guard let named = contract?.identity.mint?.keyVariable else { return nil }
        if let key = given(named, environment) { return (key, false) }
        return named == variable ? (development, true) : nil
    }

    private static func given(_ variable: String, _ environment: Environment) -> String? {
        environment[variable].flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// How this program was called, so that a printed command works when pasted.
enum OwnName {
    static var command: String {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let found = path.split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/miswire")
        }
        let called = CommandLine.arguments.first ?? "miswire"
        return found || !called.contains("/") ? "miswire" : called
    }
}
