package import Contracts
package import Wire

/// Requests of the contract for one user: each as valid as can be told, and its fields with what the shape wants there.
package struct MessageMaker: Sendable {
    package struct Field: Sendable {
        package var keys: [String]
        package var test: Pattern.Test
        /// The server makes its values, or it says who we are.
        package var isIdentifier: Bool
        /// Whoever says something else here is no longer who they were.
        package var isCredential: Bool
        package var name: String { keys.joined(separator: ".") }
    }

    let contract: Contract
    let user: String
    private let recognizer: Recognizer
    private let values: ValueMaker

    package init(_ workshop: Workshop, user: String) {
        contract = workshop.contract
        recognizer = workshop.recognizer
        values = ValueMaker(dictionary: workshop.dictionary)
        self.user = user
    }

    /// The fields that the shape of request `rule` names, in its order.
    package func fields(of rule: Int) -> [Field] {
        guard case .fields(let fields)? = contract.requests[rule].shape?.test else { return [] }
        return fields.compactMap { field in
            field.path.keys.map {
                Field(
                    keys: $0, test: field.test, isIdentifier: identifier(at: $0) != nil || isRunKey($0),
                    isCredential: isCredential($0, of: rule))
            }
        }
    }

    /// A valid message of that request: the flow's own if a flow has one, else one of its examples, else made from type, match
    /// and shape. Nil when the contract does not say enough.
    package func message(of rule: Int) -> JSON? {
        if let known = fromFlow(rule) ?? fromExample(rule) { return known }
        guard var value = skeleton(of: rule) else { return nil }
        for field in fields(of: rule) where !field.test.admitsAbsent {
            guard let inner = filling(field, of: rule) else { return nil }
            value = value.setting(field.keys[...], to: inner)
        }
        return value
    }

    /// Keys of `link` that a shape knows and that the server does not make: with a fresh value of its own every answer
    /// finds its request.
    package var linkKeys: [[String]] {
        contract.link.compactMap { $0.request.keys }.filter { keys in
            !keys.isEmpty && identifier(at: keys) == nil && !isRunKey(keys)
                && contract.requests.indices.contains { rule in fields(of: rule).contains { $0.keys == keys } }
        }
    }

    /// The message with fresh link values where it has none.
    package func linked(_ message: JSON) -> JSON {
        guard case .object = message else { return message }
        return linkKeys.reduce(message) { message, keys in
            has(keys, in: message) ? message : message.setting(keys[...], to: Self.fresh)
        }
    }

    /// What a message must have where another one has its own value of an identifier.
    package func reference(to identifier: IdentifierRule, of owner: String, run: Int = 1) -> (keys: [String], value: JSON)? {
        guard let keys = identifier.at.lazy.compactMap({ $0.keys }).first, keys.allSatisfy(isReferenceName),
            !keys.isEmpty
        else { return nil }
        if identifier.is == .user { return (keys, TemplateText.reference(owner + ".id")) }
        let isOfConnection = identifier.is == .connection || contract.runs.isEmpty
        let prefix = isOfConnection ? owner : owner == user ? "run\(run)" : "\(owner).run\(run)"
        return (keys, TemplateText.reference(prefix + "." + keys.joined(separator: ".")))
    }

    static let fresh = JSON.string("{user}-{n}")

    /// The declared identifier that stands at this place.
    func identifier(at keys: [String]) -> IdentifierRule? {
        contract.identity.ids.first { $0.at.contains { $0.keys == keys } }
    }

    private func isRunKey(_ keys: [String]) -> Bool { contract.runs.contains { $0.key.contains { $0.keys == keys } } }

    private func has(_ keys: [String], in message: JSON) -> Bool {
        keys.reduce(Optional(message)) { value, key in value?[key] } != nil
    }

    private func fromFlow(_ rule: Int) -> JSON? {
        for case .send(let message) in contract.flows.flatMap(\.steps) {
            let sample = Template.fill(message, now: 0) { _ in "x" }
            let read = recognizer.recognise(sample, direction: .toServer)
            if read.rule == rule, read.outcome == .valid { return message }
        }
        return nil
    }

    /// The first example that is valid, with identifiers and credentials of our own in the place of those that it shows.
    private func fromExample(_ rule: Int) -> JSON? {
        for example in contract.requests[rule].examples {
            let read = recognizer.recognise(example, direction: .toServer)
            guard read.rule == rule, read.outcome == .valid else { continue }
            var message = example
            for keys in contract.link.compactMap(\.request.keys) where !keys.isEmpty && has(keys, in: message) {
                message = message.setting(keys[...], to: Self.fresh)
            }
            for identifier in contract.identity.ids {
                for keys in identifier.at.compactMap(\.keys) where !keys.isEmpty && has(keys, in: message) {
                    guard let (_, value) = reference(to: identifier, of: user) else { continue }
                    message = message.setting(keys[...], to: identifier.is == .user ? "{user}" : value)
                }
            }
            for case .request(let name, let path) in contract.identity.credential.map(\.kind) where name == contract.requests[rule].name {
                guard let keys = path.keys, !keys.isEmpty, has(keys, in: message) else { continue }
                message = message.setting(keys[...], to: "{credential}")
            }
            return message
        }
        return nil
    }

    /// What makes a message one of that request.
    private func skeleton(of rule: Int) -> JSON? {
        let request = contract.requests[rule]
        if let match = request.match {
            let first = values.conformingForms(match.test).lazy.compactMap { form -> JSON? in
                if case .value(let value) = form.change { value } else { nil }
            }.first
            return match.test.literal ?? first
        }
        guard let keys = contract.wire.type?.keys else { return nil }
        let name = request.name.replacing("*", with: "x")
        return JSON.object([]).setting(keys[...], to: .string(name))
    }

    private func isCredential(_ keys: [String], of rule: Int) -> Bool {
        contract.identity.credential.contains { place in
            if case .request(let name, let path) = place.kind {
                name == contract.requests[rule].name && path.keys == keys
            } else {
                false
            }
        }
    }

    private func filling(_ field: Field, of rule: Int) -> JSON? {
        if field.isCredential { return "{credential}" }
        if let identifier = identifier(at: field.keys), let (_, value) = reference(to: identifier, of: user) {
            return identifier.is == .user ? "{user}" : value
        }
        if contract.link.contains(where: { $0.request.keys == field.keys }), field.test.holds("x") { return Self.fresh }
        return values.conformingForms(field.test).lazy.compactMap { form -> JSON? in
            if case .value(let value) = form.change { value } else { nil }
        }.first
    }
}
