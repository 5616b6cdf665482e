@testable import Contracts
import Journaling
import Plans
import Profiles
import Testing
import Wire

@testable import Fuzzing

/// What the generators know of an application, from the shipped contract of that name.
func workshop(_ name: String, users: [String] = ["alice", "bob", "carol", "dave"], seeds: [Plan] = []) throws -> Workshop {
    Workshop(contract: try ContractLoader().load(name), users: users, seeds: seeds, path: "/socket")
}

/// The plan reads back as it is, and is of a size that can be kept.
func expectSound(_ plan: Plan, _ what: Comment) {
    let text = PlanText.print(plan)
    #expect(text.utf8.count < 2 << 20, what)
    do {
        let read = try PlanText.parse(text)
        #expect(read == plan, what)
    } catch {
        Issue.record("\(what): \(error.errors.first.map { "\($0.line):\($0.column) \($0.sentence) \($0.source.prefix(200))" } ?? "")")
    }
}

@Suite struct GenerateTests {
    static let shipped = ["agent-chat", "demo", "echo"]

    @Test(arguments: shipped)
    func decksAreSoundAndTheSameEachTime(name: String) throws {
        let plans = ContractPlans(try workshop(name))
        let again = ContractPlans(try workshop(name))
        #expect(plans.leftOut.isEmpty)
        for (deck, other) in [
            (plans.flows, again.flows), (plans.boundaries, again.boundaries), (plans.isolation, again.isolation),
        ] {
            #expect(!deck.isEmpty)
            #expect(deck.count == other.count)
            for index in 0..<deck.count {
                let plan = deck[index]
                #expect(!plan.steps.isEmpty)
                #expect(plan == other[index])
                expectSound(plan, "\(name) \(index) \(plan.head.comments)")
            }
        }
    }

    /// A schema says what is wrong, and not how to be right: an example does.
    @Test func examplesAreSeeds() throws {
        let text = """
            miswire-contract: 1
            name: t
            wire: { type: t }
            identity: { credential: [request ask token] }
            requests:
              ask:
                schema: { required: [deep], properties: { deep: { required: [a], properties: { a: { const: 7 } } } } }
                examples: [ { t: ask }, { t: ask, id: e1, token: x, deep: { a: 7 } } ]
            events: { told: {} }
            link: [id]
            """
        let workshop = Workshop(contract: try ContractLoader.parse(text: text, file: "t.yaml"), users: ["alice"])
        let message = try #require(MessageMaker(workshop, user: "alice").message(of: 0))
        #expect(message["deep"]?["a"] == 7 && message["id"] == "{user}-{n}" && message["token"] == "{credential}", "\(message.text)")
    }

    @Test(arguments: shipped)
    func flowsHoldNothingThatIsRefused(name: String) throws {
        let workshop = try workshop(name)
        let labels = StaticLabels(workshop)
        let deck = ContractPlans(workshop).flows
        for index in 0..<deck.count {
            let sent = deck[index].steps.map(\.verb).filter(\.sends)
            #expect(!sent.isEmpty)
            for verb in sent { #expect(labels.label(verb) == .mustAccept) }
        }
    }

    @Test func flowOfAgentChatReadsAsPeopleWouldWriteIt() throws {
        let plan = ContractPlans(try workshop("agent-chat")).flows[0]
        #expect(
            plan.steps.map { PlanText.words(of: $0.verb) } == [
                "connect /ws", "until open within 2s", "until connected within 2s",
                #"send {"type":"agent_started","agent_name":"assistant","user_id":"{user}","message":"say {canary}"}"#,
                "until agent_completed within 30s",
            ])
        let deck = ContractPlans(try workshop("agent-chat")).flows
        let credentials = (0..<deck.count).compactMap { deck[$0].users.first?.credential }
        #expect(credentials == ["header", "header", "query", "cookie", "subprotocol"])
    }

    @Test(arguments: ["agent-chat", "demo"])
    func boundariesMeetEveryKindOfErrorFirst(name: String) throws {
        let workshop = try workshop(name)
        let labels = StaticLabels(workshop)
        let deck = ContractPlans(workshop).boundaries
        var kinds: [String] = []
        for verb in deck[0].steps.map(\.verb) + deck[1].steps.map(\.verb) where verb.sends {
            guard case .mustReject(let rule, _) = labels.label(verb) else { continue }
            for case .kind(let kind) in workshop.contract.reject[rule].outcomes where !kinds.contains(kind) { kinds.append(kind) }
        }
        #expect(Set(kinds) == Set(workshop.contract.errors?.kinds ?? []))
    }

    @Test(arguments: shipped)
    func whatIsRefusedIsWaitedForAsThat(name: String) throws {
        let workshop = try workshop(name)
        let labels = StaticLabels(workshop)
        let deck = ContractPlans(workshop).boundaries
        for index in 0..<deck.count {
            let steps = deck[index].steps
            for (place, step) in steps.enumerated().dropLast() where step.verb.sends {
                guard case .mustReject = labels.label(step.verb) else { continue }
                guard case .until(let names, let bound) = steps[place + 1].verb else {
                    Issue.record("no guard behind \(PlanText.words(of: step.verb).prefix(100))")
                    continue
                }
                #expect(names == ["error|closed"])
                #expect(bound == workshop.contract.errors?.within)
            }
        }
    }

    /// What the planted bugs of a backend need, from the contract's words alone.
    @Test func boundariesReachTools() throws {
        let deck = ContractPlans(try workshop("agent-chat")).boundaries
        let sent = (0..<deck.count).flatMap { deck[$0].steps.map { PlanText.words(of: $0.verb) } }
        #expect(sent.contains { $0.contains(#""agent_name":"tooluser""#) && $0.contains(#""message":"please fail {canary}""#) })
        #expect(sent.contains { $0.contains(#""user_id":null"#) })
        #expect(sent.contains { $0.hasPrefix("send text") && $0.contains(#"{\"type\":\"x\","#) })
    }

    @Test func isolationTriesErrorsIdsAndCredentials() throws {
        let workshop = try workshop("agent-chat")
        let deck = ContractPlans(workshop).isolation
        let plans = (0..<deck.count).map { deck[$0] }
        let sent = plans.flatMap { $0.steps.map { PlanText.words(of: $0.verb) } }
        #expect(sent.contains { $0.contains(#""thread_id":$alice.run1.thread_id"#) })
        #expect(sent.contains { $0.contains(#""run_id":$alice.run1.run_id"#) })
        #expect(sent.contains { $0.contains(#""user_id":$alice.id"#) })
        #expect(sent.contains { $0.hasPrefix("together ") })
        let credentials = Set(plans.flatMap { $0.users.map(\.credential) })
        for place in ["header", "query", "cookie", "subprotocol"] {
            for variant in ["", " forged", " expired", " corrupt"] { #expect(credentials.contains(place + variant)) }
        }
        #expect(credentials.contains("none"))
        #expect(sent.contains { $0.contains("Bearer $alice.credential") })
        // Every kind of plan comes early.
        #expect(Set(plans.prefix(6).map { $0.users.count }).count >= 3)
    }

    @Test func withoutMintingNoCredentialIsMadeUp() throws {
        let contract = try ContractLoader().load("agent-chat")
        let workshop = Workshop(contract: contract, users: ["alice", "bob"], canMint: false)
        let deck = ContractPlans(workshop).isolation
        let credentials = Set((0..<deck.count).flatMap { deck[$0].users.map(\.credential) })
        #expect(credentials.isSubset(of: ["none", "header", "query", "cookie", "subprotocol"]))
    }

    @Test(arguments: shipped)
    func freshConversationsAreSound(name: String) throws {
        let plans = ContractPlans(try workshop(name))
        var shapes: Set<String> = []
        for number in 0..<300 {
            var dice = CaseName(UInt32(number)).dice(seed: 7, "fresh")
            var same = dice
            let plan = plans.fresh(&dice)
            if number < 20 { #expect(plan == plans.fresh(&same)) }
            expectSound(plan, "\(name) \(number)")
            shapes.insert(PlanText.print(plan))
        }
        #expect(shapes.count > 250)
    }

    @Test func oneUserHasNoNeighbours() throws {
        let plans = ContractPlans(try workshop("echo", users: ["alice"]))
        #expect(plans.isolation.isEmpty)
        #expect(!plans.boundaries.isEmpty)
    }

    @Test func aKeptValueBecomesAReference() throws {
        var contract = try ContractLoader().load("agent-chat")
        let thread = try Path("thread_id")
        contract.flows = [
            Flow(
                name: "on",
                steps: [
                    .send(["type": "agent_started", "user_id": "{user}"]),
                    .await(event: "agent_completed", within: nil, keep: [("thread", thread)]),
                    .send(["type": "agent_started", "user_id": "{user}", "thread_id": "{thread}", "message": "on {thread} $5"]),
                ]),
            Flow(name: "odd", steps: [
                .await(event: "connected", within: nil, keep: [("all", try Path("list[*]"))]),
            ]),
        ]
        let plans = ContractPlans(Workshop(contract: contract, users: ["alice"]))
        #expect(plans.leftOut.map(\.flow) == ["odd"])
        let last = plans.flows[0].steps.last.map { PlanText.words(of: $0.verb) }
        #expect(
            last
                == #"send {"type":"agent_started","user_id":"{user}","thread_id":$run1.thread_id,"message":"on $run1.thread_id $$5"}"#)
    }
}

@Suite struct ValueMakerTests {
    private func test(_ text: String) throws -> Pattern.Test {
        switch text {
        case "<text>": .words([.text])
        case "<text|absent>": .words([.text, .absent])
        case "<number>": .words([.number])
        case "<integer>": .words([.integer])
        case "<object>": .words([.object])
        case "<array>": .words([.array])
        case "<boolean>": .words([.boolean])
        case "<null>": .words([.null])
        case "<any>": .words([.any])
        case "list": .anyOf([.equal("a"), .equal(1), .words([.null])])
        case "glob": .glob(Glob("a*b"))
        case "regex": .regex(try LinearRegex("[a-z]+"))
        default: .fields([Pattern.Field(path: try Path("a.b"), test: .words([.text]))])
        }
    }

    @Test(arguments: [
        "<text>", "<text|absent>", "<number>", "<integer>", "<object>", "<array>", "<boolean>", "<null>", "<any>", "list",
        "glob", "regex", "fields",
    ])
    func keepsItsWord(text: String) throws {
        let test = try test(text)
        let maker = ValueMaker(dictionary: ["word", "a$b"])
        let good = maker.conformingForms(test)
        #expect(!good.isEmpty)
        for form in good {
            switch form.change {
            case .value(let value) where value.string?.unicodeScalars.first == TemplateText.rawMark: continue
            case .value(let value): #expect(test.holds(value))
            case .missing: #expect(test.admitsAbsent)
            }
        }
        for form in maker.violatingForms(test) {
            switch form.change {
            case .value(let value): #expect(!test.holds(value))
            case .missing: #expect(!test.admitsAbsent)
            }
        }
        if text != "<any>" { #expect(!maker.violatingForms(test).isEmpty) }
        for number in 0..<50 {
            var dice = CaseName(UInt32(number)).dice(seed: 1, text)
            #expect(maker.conforming(test, dice: &dice) != nil)
        }
    }

    @Test func signsOfTheTemplateStayThemselves() throws {
        let verb = TemplateText.verb(["a": "$x.y {n}", "b": TemplateText.reference("bob.id"), "c": TemplateText.raw(#""\ud800""#)])
        #expect(verb == .send(#"{"a":"$$x.y {n}","b":$bob.id,"c":"\ud800"}"#))
        #expect(TemplateText.verb(marked: TemplateText.marked(template: #"{"b":$bob.id,"s":"$run1.x $$"}"#)) == .send(#"{"b":$bob.id,"s":"$run1.x $$"}"#))
        #expect(TemplateText.verb(marked: String(TemplateText.marked(template: #"{"b":$bob.id}"#).dropLast())) == .sendText(#"{"b":"$bob.id""#))
    }
}
