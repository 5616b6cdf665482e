import Foundation
import Reporting

/// The key that signs and checks demo credentials, from the environment or the documented development key.
enum SigningKey {
    static let variable = "MISWIRE_JWT_KEY"
    static let development = "miswire-development-key"

    static func value(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> String {
        let given = environment[variable] ?? ""
        return given.isEmpty ? development : given
    }
    static var isDevelopment: Bool { (ProcessInfo.processInfo.environment[variable] ?? "").isEmpty }
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
