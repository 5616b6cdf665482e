package import Contracts
package import Plans
import Wire

/// What all generators share: the way in, the flows, the guards.
package struct Stage: Sendable {
    package let workshop: Workshop
    package let guards: Guards
    package let path: String
    /// Credentials that a server must take: one for each place of the upgrade that the contract names.
    package let credentials: [String]
    /// The first flow that can be played, by user.
    private let flows: [String: FlowScript]

    package init(_ workshop: Workshop) {
        self.workshop = workshop
        guards = Guards(workshop)
        path = Self.path(workshop)
        credentials = Self.credentials(workshop.contract)
        var flows: [String: FlowScript] = [:]
        for user in workshop.users {
            for flow in workshop.contract.flows where flows[user] == nil {
                flows[user] = try? FlowScript(flow, in: workshop.contract, user: user)
            }
        }
        self.flows = flows
    }

    package var contract: Contract { workshop.contract }
    package var credential: String { credentials.first ?? "none" }

    /// Who plays alone.
    package var soloist: String { workshop.users.first ?? "alice" }

    package func flow(of user: String) -> FlowScript? { flows[user] }

    package func messages(of user: String) -> MessageMaker { MessageMaker(workshop, user: user) }

    private static func path(_ workshop: Workshop) -> String {
        let fallback = isPath(workshop.path) ? workshop.path : "/"
        guard let glob = workshop.contract.wire.paths.first(where: \.isExact) ?? workshop.contract.wire.paths.first else {
            return fallback
        }
        var text = String(glob.text.prefix { $0 != "*" })
        while text.count > 1, text.hasSuffix("/") { text.removeLast() }
        return isPath(text) ? text : fallback
    }

    private static func isPath(_ text: String) -> Bool {
        text.hasPrefix("/") && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value < 0x7f && $0 != "$" && $0 != "{" }
    }

    private static func credentials(_ contract: Contract) -> [String] {
        var found: [String] = []
        for place in contract.identity.credential {
            let name: String? =
                switch place.kind {
                case .header: "header"
                case .query: "query"
                case .cookie: "cookie"
                case .subprotocol: "subprotocol"
                case .path, .request, .event, .credential, .everyEvent: nil
                }
            if let name, !found.contains(name) { found.append(name) }
        }
        return found.isEmpty ? ["none"] : found
    }

    /// The upgrade alone.
    package func connect(headers: [Plan.Header] = [], as name: String? = nil) -> Plan.Verb {
        .connect(path: path, as: name, headers: headers)
    }

    /// Guards from the upgrade to where the application speaks.
    package var arrival: [Plan.Verb] {
        let bound = max(.seconds(2), contract.session?.within ?? .zero)
        var verbs: [Plan.Verb] = [.until(["open"], within: bound)]
        let said = contract.flows.first.map { flow in
            flow.steps.compactMap { step -> String? in
                if case .await(let event, _, _, _) = step { event } else { nil }
            }
        }
        let answers = contract.requests.flatMap(\.answer)
        for event in [contract.session?.greeting, contract.session?.ready].compactMap({ $0 })
        where isGuardName(event) && !(said ?? []).contains(event) && !answers.contains(event) {
            verbs.append(.until([event], within: contract.session?.within ?? bound))
        }
        return verbs
    }

    /// The way in of a user whose credential is good.
    package var entrance: [Plan.Verb] { [connect()] + arrival }

    /// A message and what it is waited for by.
    package func exchange(_ verb: Plan.Verb) -> [Plan.Verb] { [verb, guards.behind(verb)] }

    /// One user per name, as many as there are.
    package func users(_ count: Int) -> [String] { Array(workshop.users.prefix(count)) }
}
