import Contracts
import Wire

/// Which of some paths each request of a contract speaks of, in its shape or in a flow. A value elsewhere is an extra that
/// a server may pass over, so nothing may be told from it.
struct DeclaredPaths: Sendable {
    /// By request rule, then by path; nil = the rule has no shape, and everything counts.
    private let rules: [[Bool]?]

    init(_ paths: [Path], of contract: Contract) {
        let recognizer = Recognizer(contract)
        var sends: [Int: [JSON]] = [:]
        for case .send(let template) in contract.flows.flatMap(\.steps) {
            for message in recognizer.recognise(sent: template) {
                if let rule = message.rule, let value = message.value { sends[rule, default: []].append(value) }
            }
        }
        rules = contract.requests.enumerated().map { index, request in
            guard let shape = request.shape else { return nil }
            let fields = Self.fields(shape.test)
            return paths.map { path in
                fields.contains(path) || sends[index]?.contains { path.value(in: $0) != nil } ?? false
            }
        }
    }

    private static func fields(_ test: Pattern.Test) -> [Path] {
        switch test {
        case .fields(let fields): fields.map(\.path)
        case .anyOf(let tests): tests.flatMap(fields)
        default: []
        }
    }

    func contains(_ path: Int, rule: Int?) -> Bool {
        guard let rule, rules.indices.contains(rule), let declared = rules[rule] else { return true }
        return declared.indices.contains(path) && declared[path]
    }
}
