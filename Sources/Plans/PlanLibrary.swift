/// The plans that ship with the program: the users of the demo, one plan a stage (corpus/plans).
package enum PlanLibrary {
    package static let names = [
        "transparent", "delayed-accept", "lost-credential", "mutated-requests", "crossed-streams", "crossed-requests",
        "flaky-network", "interleaved-users",
    ]

    /// The plan's text, nil when none has that name.
    package static func text(_ name: String) -> String? {
        switch name {
        case "transparent": shipped(PackageResources.transparent_plan)
        case "delayed-accept": shipped(PackageResources.delayed_accept_plan)
        case "lost-credential": shipped(PackageResources.lost_credential_plan)
        case "mutated-requests": shipped(PackageResources.mutated_requests_plan)
        case "crossed-streams": shipped(PackageResources.crossed_streams_plan)
        case "crossed-requests": shipped(PackageResources.crossed_requests_plan)
        case "flaky-network": shipped(PackageResources.flaky_network_plan)
        case "interleaved-users": PlanText.print(interleaved(users: 50))
        default: nil
        }
    }

    package static func plan(_ name: String) -> Plan? {
        guard let text = text(name) else { return nil }
        return try? PlanText.parse(text, file: name + ".plan")
    }

    private static func shipped(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Many users at once, four runs each, all under way before the first is waited for, and an error of every tenth.
    package static func interleaved(users: Int) -> Plan {
        var plan = Plan()
        plan.head.comments = ["\(users) users at once, four runs each, all under way together."]
        let places = ["header", "query", "cookie", "subprotocol"]
        let agents = ["assistant", "researcher", "tooluser"]
        let names = (1...max(1, users)).map { "user\($0)" }
        plan.users = names.enumerated().map { Plan.User(name: $1, credential: places[$0 % places.count]) }
        func add(_ user: String, _ verb: Plan.Verb) {
            plan.steps.append(Plan.Step(number: plan.steps.count + 1, user: user, verb: verb))
        }
        for name in names { add(name, .connect(path: "/ws", as: nil, headers: [])) }
        for name in names { add(name, .until(["open"], within: .seconds(2))) }
        for round in 0..<4 {
            for (index, name) in names.enumerated() {
                let agent = agents[(round + index) % agents.count]
                add(
                    name,
                    .send(
                        #"{"type":"agent_started","agent_name":"\#(agent)","user_id":$\#(name).id,"#
                            + #""message":"say {canary}","request_id":"{user}-{n}"}"#))
            }
        }
        let erring = names.enumerated().filter { $0.offset % 10 == 0 }.map(\.element)
        for name in erring { add(name, .send(#"{"type":"invalid_type","request_id":"{user}-{n}"}"#)) }
        for name in names {
            let completions = Array(repeating: "agent_completed", count: 4)
            add(name, .until(completions + (erring.contains(name) ? ["error"] : []), within: .seconds(3)))
        }
        return plan
    }
}
