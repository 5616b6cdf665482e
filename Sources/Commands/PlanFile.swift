import Contracts
import Faults
import Foundation
import Plans
import Profiles
import Reporting

/// Reading plans from disk with errors in our form.
enum PlanFile {
    static func read(_ path: String) throws -> Plan {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw Complaint(
                "there is no plan at \(SafeText.show(path))",
                details: [("remedy", "name a file that `miswire demo --bugs` or `miswire fuzz` wrote")], exit: .usage)
        }
        let data = (try? handle.read(upToCount: PlanText.largest + 1)) ?? Data()
        guard data.count <= PlanText.largest else {
            throw Complaint(
                "\(SafeText.show(path)) is too large for a plan",
                details: [("expected", "at most \(Figures.bytes(UInt64(PlanText.largest))) (limit L6)")], exit: .usage)
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw Complaint(
                "\(SafeText.show(path)) is not UTF-8 text", details: [("remedy", "a plan is a text file")], exit: .usage)
        }
        do { return try PlanText.parse(text, file: path) } catch {
            throw ConfigurationErrors(
                error.errors.map {
                    ConfigurationError(
                        file: error.file, line: $0.line, column: $0.column, message: $0.sentence, remedy: $0.remedy)
                }, texts: [error.file: text])
        }
    }

    /// The contract's name in the head's `found` line: `contract demo 3f9c21`.
    static func contractName(_ plan: Plan) -> String? {
        let words = (plan.head.found ?? "").split(whereSeparator: { $0 == " " || $0 == "," }).map(String.init)
        guard let at = words.firstIndex(of: "contract"), words.count > at + 1 else { return nil }
        return words[at + 1]
    }

    static func profile(_ plan: Plan) throws -> Profile {
        var profile = Profile(name: "plan")
        profile.faults = try plan.faults.map { try $0.rule() }
        return profile
    }
}
