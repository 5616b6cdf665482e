import Contracts
import Faults
import Journaling
import Peers
import Plans
import Profiles
import Testing
import Wire

@testable import Fuzzing

/// What mutators of handshakes, sessions and schedules make of a plan, beside that it stays one.
@Suite struct MutatorsMeaningTests {
    private func mutations(_ kind: any Mutator.Type, of plan: Plan, draws: Int = 80) throws -> [Plan] {
        let workshop = try MutatorStage.workshop()
        return (0..<draws).compactMap { draw in
            var dice = MutatorStage.dice(kind.name, draw)
            return kind.init().mutate(plan, in: workshop, dice: &dice)
        }
    }

    private func lines(_ plan: Plan) -> [String] {
        plan.steps.map { ($0.user ?? "") + ($0.connection.map { "." + $0 } ?? "") + " " + PlanText.words(of: $0.verb) }
    }

    @Test func badCredentialsAreAskedForByName() throws {
        for (kind, word) in [
            (CredentialForge.self as any Mutator.Type, "forged"), (CredentialExpire.self, "expired"),
            (CredentialCorrupt.self, "corrupt"), (CredentialDrop.self, "none"),
        ] {
            let plans = try mutations(kind, of: MutatorStage.lonely)
            #expect(!plans.isEmpty && plans.allSatisfy { $0.users.contains { $0.credential.hasSuffix(word) } })
            #expect(plans.contains { $0.users.count == 2 } && plans.contains { $0.users.count == 1 })
        }
    }

    @Test func anothersCredentialStandsAtThePlaceOfItsOwn() throws {
        let workshop = try MutatorStage.workshop()
        let contract = workshop.contract
        for plan in try mutations(CredentialSwap.self, of: MutatorStage.synthetic, draws: 12) {
            let tokens = WirePlay.request(of: plan, contract: contract).flatMap { head in
                [head.value("authorization").map { String($0.dropFirst(7)) }, head.target.split(separator: "=").last.map(String.init)]
                    .compactMap { $0.flatMap { JWT($0) } }
            }
            #expect(!tokens.isEmpty)
            #expect(lines(plan).contains { $0.contains(".credential") })
        }
    }

    @Test func requestsDifferInTheFieldsTheyNameAlone() throws {
        let workshop = try MutatorStage.workshop()
        let usual = try #require(WirePlay.request(of: MutatorStage.lonely, contract: workshop.contract).first)
        for (kind, field) in [
            (OriginField.self as any Mutator.Type, "origin"), (VersionField.self, "sec-websocket-version"),
            (KeyField.self, "sec-websocket-key"), (ExtensionOffer.self, "sec-websocket-extensions"),
            (SubprotocolOffer.self, "sec-websocket-protocol"),
        ] {
            for plan in try mutations(kind, of: MutatorStage.lonely, draws: 20) {
                let heads = WirePlay.request(of: plan, contract: workshop.contract)
                #expect(heads.contains { $0.all(field).map(\.value) != usual.all(field).map(\.value) }, "\(lines(plan))")
                #expect(heads.allSatisfy { $0.value("host") == usual.value("host") })
            }
        }
    }

    @Test func aCancelNamesTheRunThatIsOpen() throws {
        for plan in try mutations(CancelRun.self, of: MutatorStage.lonely, draws: 10) {
            let text = lines(plan)
            let cancel = try #require(text.firstIndex(of: #"alice send {"type":"cancel","run_id":$run1.run_id}"#))
            #expect(text[cancel - 1] == "alice until agent_started|error within 2s")
            #expect(try #require(text.firstIndex { $0.contains("agent_completed") }) > cancel)
        }
        #expect(try mutations(CancelRun.self, of: MutatorStage.lonely).count > 40)
    }

    @Test func aBystanderConnectsLast() throws {
        for plan in try mutations(Bystander.self, of: MutatorStage.lonely, draws: 10) {
            #expect(plan.users.map(\.name) == ["alice", "bob"])
            let text = lines(plan)
            let connect = try #require(text.firstIndex(of: "bob connect /ws"))
            #expect(text[connect + 2].hasPrefix("alice send"))
            #expect(text.contains { $0.hasPrefix("bob send") })
        }
    }

    @Test func clonesSpeakOfThemselves() throws {
        for plan in try mutations(MoreUsers.self, of: MutatorStage.synthetic, draws: 10) {
            #expect(plan.users.count == 3)
            let mine = lines(plan).filter { $0.hasPrefix("carol") }
            #expect(mine.count >= 5)
            // A clone of alice is no longer she; what it says of bob stays.
            if mine.contains(where: { $0.contains("tooluser") }) {
                #expect(!mine.contains { $0.contains("$alice") })
                #expect(mine.contains { $0.contains("$bob.run1.thread_id") })
            }
        }
    }

    @Test func barriersHoldSendsOfDifferentUsersSideBySide() throws {
        let plans = try mutations(Barrier.self, of: MutatorStage.synthetic)
        #expect(plans.count > 40)
        for plan in plans {
            let barrier = try #require(plan.steps.firstIndex { $0.user == nil })
            guard case .together(let labels) = plan.steps[barrier].verb else { continue }
            #expect(labels == [barrier - 1, barrier])
            #expect(Set(plan.steps[barrier - 2..<barrier].map(\.user)).count == 2)
            #expect(plan.steps.count == MutatorStage.synthetic.steps.count + 1)
        }
    }

    @Test func interleavingKeepsEachUsersOrder() throws {
        let before = MutatorStage.synthetic
        let plans = try mutations(Interleave.self, of: before)
        #expect(Set(plans.map { lines($0) }).count > 5)
        for plan in plans {
            for user in ["alice", "bob"] {
                #expect(plan.steps.filter { $0.user == user }.map(\.verb) == before.steps.filter { $0.user == user }.map(\.verb))
            }
        }
    }

    @Test func faultsAreRulesAndHeldUpgradesAreAmongTheCommonest() throws {
        let added = try mutations(FaultAdd.self, of: MutatorStage.lonely, draws: 300).compactMap(\.faults.last)
        #expect(Set(added.map(\.kind)) == Set(FaultDraw.kinds.map { $0.name }))
        for line in added { _ = try line.rule() }
        let held = added.filter { $0.kind == "accept-delay" && $0.words.contains("upgrade-request") }
        #expect(held.count * 10 > added.count, "\(held.count) of \(added.count)")
        for kind in FaultDraw.kinds where kind != AcceptDelay.self {
            #expect(added.filter { $0.kind == kind.name }.count > 5)
        }
        #expect(try mutations(FaultRemove.self, of: MutatorStage.synthetic, draws: 3).allSatisfy { $0.faults.isEmpty })
        #expect(try mutations(FaultAdd.self, of: MutatorStage.synthetic, draws: 3).allSatisfy { $0.faults.map(\.id) == ["f1", "f2"] })
    }

    /// A kind may learn more than the fuzzer was tried with; its lines stay what they were.
    @Test func whatAKindLearnedLaterIsNotDrawn() {
        var words: Set<String> = []
        for number in 0..<2_000 {
            var dice = CaseName(UInt32(number)).dice(seed: 3, "drop-auth")
            let line = FaultDraw.line(id: "f1", kind: DropAuth.self, for: MutatorStage.synthetic, dice: &dice)
            words.formUnion((line?.words ?? []).flatMap { $0.split(separator: ",").map(String.init) })
        }
        #expect(words.isSuperset(of: ["in", "header", "cookie", "query", "subprotocol", "how", "strip", "truncate", "corrupt", "forge"]))
        #expect(words.isDisjoint(with: ["first-message", "expire", "swap", "among", "message", "to"]))
    }

    @Test func runsAreCountedFromThePlan() throws {
        let workshop = try MutatorStage.workshop()
        let plan = MutatorStage.synthetic
        #expect(plan.starts(in: workshop) == [4, 5])
        #expect(plan.run(startedAt: 5, in: workshop) == 1)
        #expect(plan.run(startedAt: 7, in: workshop) == nil)
        #expect(workshop.runKey == "run_id")
        #expect(plan.guardBehind(4) == 6)
        #expect(plan.prefixEnd(of: Actor("bob")) == 10)
        #expect(plan.openRange(of: Actor("bob")) == 4...12)
    }

    @Test func referencesAreRenamedWhereTheyAreReferences() {
        #expect(ReferenceText.renamed("$alice.id $$alice.id $alicea.id alice", from: "alice", to: "bob") == "$bob.id $$alice.id $alicea.id alice")
        #expect(PlanTemplate(text: ReferenceText.literal("costs $5, $alice.id")).pieces == [.literal("costs $5, $alice.id")])
    }
}
