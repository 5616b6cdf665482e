package import Journaling
import NIOCore
import Wire

/// Changes one thing in a JSON message; every other byte of it stays.
package struct JSONMutate: Fault {
    package static let name = "json-mutate"
    package static let group = FaultGroup.message
    package static let summary = "changes one thing in the JSON"
    package static let excuse = "that the run completes; C2, D1 on the client's side"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter(
            "op", .choices(JSONOperation.allCases.map(\.rawValue)),
            doc: "what is done; one of them is drawn, of all when left out"),
        Parameter("field", .names, doc: "keys, dotted for nested ones, to choose from; any member when left out"),
        Parameter("value", .text, doc: "the text that `enum` puts in"),
    ]

    private let operations: [JSONOperation]
    private let fields: [[String]]
    private let value: String?

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        let named = reader.texts("op").compactMap(JSONOperation.init(rawValue:))
        operations = named.isEmpty ? JSONOperation.allCases : named
        fields = reader.texts("field").map { $0.split(separator: ".").map(String.init) }
        value = reader.text("value")
    }

    package var influence: Influence { Influence(.message, [.completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(var message) = parcel else { return .pass }
        let document = JSONDocument(message.payload)
        guard let root = document.root, document.problem == nil else { return .notApplied("the message is no JSON") }
        let targets = targets(in: document, root)
        // Drawn in a fixed order; one that cannot act on anything here gives way to the next.
        let start = dice.below(operations.count)
        for step in operations.indices {
            let operation = operations[(start + step) % operations.count]
            let fit = targets.filter { operation.fits($0, in: document) }
            let target = fit.isEmpty ? nil : fit[dice.below(fit.count)]
            guard target != nil || !operation.needsMember,
                let changed = operation.apply(to: target, of: root, in: document, value: value, &dice),
                changed != message.payload
            else { continue }
            message.payload = changed
            message.changed = true
            let name = target.map { document.key(of: $0) } ?? ""
            let detail = name.isEmpty || !operation.needsMember ? operation.rawValue : "\(operation.rawValue) \(name)"
            return .effects([.forward(.message(message), at: nil)], detail: detail)
        }
        return .notApplied("no field that the operation fits")
    }

    /// Nodes that may be changed: the fields named, or all members there are.
    private func targets(in document: JSONDocument, _ root: Int) -> [Int] {
        guard !fields.isEmpty else { return document.nodes.indices.filter { document.nodes[$0].keyRange != nil } }
        return fields.compactMap { path in
            path.reduce(Optional(root)) { node, name in
                node.flatMap { document.member(name, of: $0) ?? Int(name).flatMap { [node] in document.element($0, of: node ?? 0) } }
            }
        }
    }
}
