import Contracts
import Foundation
import Journaling
import Wire

/// The file that `import` names. A contract may come from anywhere, so that nothing but what lies beside it is read, and
/// never more than a contract may hold itself (trust.md T31, L6).
enum ImportedFile {
    static func read(_ named: Document, isShipped: Bool, texts: [String: String]) throws(ConfigurationErrors) -> ContractBundle.Piece {
        func failure(_ message: String, _ remedy: String) -> ConfigurationErrors {
            ConfigurationErrors([ConfigurationError(at: named.mark, message, remedy: remedy)], texts: texts)
        }
        guard let name = named.scalar?.text, named.scalar?.isNull != true, !name.isEmpty else {
            throw failure("import needs the name of a file", "found \(named.found), write import: api.yaml")
        }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isPlain = name.utf8.count <= 256 && name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\\") }
        guard isPlain, !name.hasPrefix("/"), !name.hasPrefix("~"), !parts.contains(".."), !name.contains("://") else {
            throw failure("import: \"\(name)\" leaves the contract's directory", "put the file beside the contract")
        }
        guard !isShipped, !named.mark.file.isEmpty else {
            throw failure("a contract that is no file imports nothing", "write it to a file beside \(name)")
        }
        let directory = SourceFile.directory(of: named.mark.file)
        let path = directory == "." ? name : directory + "/" + name
        guard isInside(path, directory) else {
            throw failure("import: \"\(name)\" leads out of the contract's directory",
                "put the file itself beside the contract, no link to it")
        }
        do throws(ConfigurationErrors) {
            return ContractBundle.Piece(file: path, text: try SourceFile.read(path).text, isImport: true)
        } catch {
            throw failure("import: \(error.errors.first?.message ?? "the file cannot be read")", error.errors.first?.remedy ?? "")
        }
    }

    /// Whether it is still there when every link on the way is followed.
    private static func isInside(_ path: String, _ directory: String) -> Bool {
        let base = URL(fileURLWithPath: directory).resolvingSymlinksInPath().standardizedFileURL.path
        let file = URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
        return file.hasPrefix(base == "/" ? base : base + "/")
    }

    /// YAML, or JSON, which is nearly always YAML too and has places then.
    static func document(_ text: String, file: String, limits: Limits = .standard) throws(ConfigurationErrors) -> Document {
        do throws(ConfigurationErrors) { return try YAMLReader.read(text, file: file) } catch {
            let first = text.utf8.first { $0 != 0x20 && $0 != 0x0a && $0 != 0x0d && $0 != 0x09 }
            guard first == UInt8(ascii: "{"), text.utf8.count <= limits.documentBytes else { throw error }
            let bounds = JSONLimits(depth: limits.documentDepth, nodes: limits.documentNodes)
            guard let value = try? JSON.parse(text, limits: bounds) else { throw error }
            return Document(value, file: file)
        }
    }
}
