import Contracts
import Faults
import Testing

@testable import Plans

/// The plans that ship are part of the program: what reads them needs no file and no working directory.
@Suite struct PlanLibraryTests {
    @Test(arguments: PlanLibrary.names) func parsesAndPrintsBackIdentically(_ name: String) throws {
        let text = try #require(PlanLibrary.text(name))
        let plan = try PlanText.parse(text, file: name + ".plan")
        #expect(PlanText.print(plan) == text)
        #expect(PlanLibrary.plan(name) == plan)
        #expect(!plan.steps.isEmpty && !plan.users.isEmpty)
    }

    /// Nothing in it is refused when it is played: users, credentials, templates, barriers and fault lines all resolve.
    @Test(arguments: PlanLibrary.names) func everyLineResolves(_ name: String) throws {
        let plan = try #require(PlanLibrary.plan(name))
        let users = Set(plan.users.map(\.name))
        for user in plan.users { #expect(CredentialPlan(user.credential) != nil, "\(user.name)") }
        for step in plan.steps {
            if let user = step.user { #expect(users.contains(user), "step \(step.number)") }
        }
        for line in plan.faults { _ = try line.rule() }
    }

    @Test func nobodyElseIsKnown() {
        #expect(PlanLibrary.text("nobody") == nil)
        #expect(PlanLibrary.plan("nobody") == nil)
    }
}
