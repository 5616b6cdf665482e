import Contracts
import Testing
import Wire

@testable import Plans

@Suite struct BindingTests {
    private func json(_ text: String) throws -> JSON { try JSON.parse(text) }

    private func render(_ text: String, _ binding: Binding, as user: String = "alice") throws -> String {
        var variables = Variables(seed: 1, user: user, credential: "t0ken", epoch: 1_000)
        return try PlanTemplate(json: text).render(
            value: { binding.value(of: $0, for: user) }, variable: { variables.text(of: $0) })
    }

    @Test func valuesStandWhereJSONValuesDoAndInStrings() throws {
        var binding = Binding(contract: nil)
        binding.observe(try json(#"{"run_id":"r-1","thread_id":"t\"1","n":7,"o":{"a":[1]}}"#), user: "alice")
        #expect(try render(#"{"a":$run1.thread_id,"b":"<$run1.n>","c":$run1.o,"d":$alice.id}"#, binding)
            == #"{"a":"t\"1","b":"<7>","c":{"a":[1]},"d":"alice"}"#)
        #expect(try render(#"{"a":"x $run1.thread_id"}"#, binding) == #"{"a":"x t\"1"}"#)
        #expect(try render(#"["$$run1.n","$5","$alice"]"#, binding) == #"["$run1.n","$5","$alice"]"#)
        #expect(try render(#"{"deep":$run1.o.a}"#, binding) == #"{"deep":[1]}"#)
    }

    @Test func runsAreNumberedByUserInTheOrderOfTheirFirstEvents() throws {
        var binding = Binding(contract: nil)
        binding.observe(try json(#"{"run_id":"r-b","thread_id":"t-b"}"#), user: "bob")
        binding.observe(try json(#"{"run_id":"r-1","thread_id":"t-1"}"#), user: "alice")
        binding.observe(try json(#"{"run_id":"r-2"}"#), user: "alice")
        binding.observe(try json(#"{"run_id":"r-1","thread_id":"t-1b"}"#), user: "alice")
        #expect(try render(#"[$run1.thread_id,$run2.run_id,$bob.run1.thread_id]"#, binding) == #"["t-1b","r-2","t-b"]"#)
        #expect(try render("[$run1.run_id]", binding, as: "bob") == #"["r-b"]"#)
        #expect(try render("[$bob.thread_id]", binding) == #"["t-b"]"#)
    }

    @Test func whatNothingBoundIsNamed() throws {
        let binding = Binding(contract: nil)
        #expect(throws: PlanTemplate.Unbound(reference: "$run1.thread_id")) {
            try render("[$run1.thread_id]", binding)
        }
    }

    @Test func variablesAreAFunctionOfSeedUserAndUse() throws {
        var first = Variables(seed: 7, user: "alice", credential: "c", epoch: 100)
        var again = Variables(seed: 7, user: "alice", credential: "c", epoch: 100)
        var other = Variables(seed: 8, user: "alice", credential: "c", epoch: 100)
        let names: [Variable] = [.canary, .canary, .uuid, .n, .n, .now(3600), .user, .credential]
        let one = names.map { first.text(of: $0) }
        #expect(one == names.map { again.text(of: $0) })
        #expect(one[0] != other.text(of: .canary))
        #expect(one[0] != one[1])
        #expect(one[0].wholeMatch(of: /mwc-[a-z2-7]{26}/) != nil)
        #expect(one[2].wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
        #expect(Array(one[3...]) == ["1", "2", "3700", "alice", "c"])
        #expect(Variable("now+1h") == .now(3600))
        #expect(Variable("now-90s") == .now(-90))
        #expect(Variable("nov") == nil)
    }

    @Test func variablesStandInStringsOnlyAndOtherBracesAreLiteral() throws {
        let binding = Binding(contract: nil)
        #expect(try render(#"{"user":"{user} {other} {credential}"}"#, binding) == #"{"user":"alice {other} t0ken"}"#)
    }

    @Test func everyPrefixOfATemplateIsReadOrRefused() {
        let text = #"{"a":$run1.thread_id,"b":"{canary} $alice.id \" {now+1h}","c":[$bob.run2.x.y,1]}"#
        for end in text.indices { _ = try? PlanTemplate(json: String(text[..<end])) }
        #expect(throws: Never.self) { try PlanTemplate(json: text) }
    }

    @Test func aFloodOfRunsBindsNoMoreThanItsBound() throws {
        var binding = Binding(contract: nil)
        for number in 0..<(Binding.mostRuns + 10) {
            binding.observe(.object([.init(key: "run_id", value: .number("\(number)"))]), user: "alice")
        }
        #expect(throws: PlanTemplate.Unbound.self) { try render("[$run10001.run_id]", binding) }
        #expect(try render("[$run10000.run_id]", binding) == "[9999]")
    }
}
