import Testing
import Wire

@testable import Contracts

/// A look at single members never tells other than the whole condition.
@Suite struct MemberDemandTests {
    private static let values: [JSON] = [
        .null, .bool(true), .number("1"), .number("1.5"), .string(""), .string("a"), .string("ab"), .string("\u{e9}"),
        .string("e\u{301}"), .string("‹secret:a1›"), .array([]), .object([]), .object([.init(key: "x", value: "a")]),
    ]

    private static func tests() -> [Pattern.Test] {
        let words = Pattern.TypeWord.allCases.map { Pattern.Test.words([$0]) }
        let texts: [Pattern.Test] = [
            .glob(Glob("a")), .glob(Glob("a*")), .glob(Glob("\u{e9}")), .equal("a"), .equal(.null), .equal(.number("1.0")),
            .equal("e\u{301}"), .fields([]),
        ]
        let several: [Pattern.Test] = [
            .words([.absent, .null]), .words([.foreign, .number]), .anyOf([.glob(Glob("a")), .equal("ab")]),
            .anyOf([.glob(Glob("\u{e9}")), .glob(Glob("e\u{301}"))]), .anyOf([.glob(Glob("a")), .words([.absent])]),
            .anyOf([.equal("a"), .anyOf([.glob(Glob("b*"))])]),
        ]
        return words + texts + several
    }

    @Test(arguments: [true, false]) func neverAgainstTheWhole(areForeign: Bool) throws {
        let (path, other) = (try Path("a"), try Path("b.x"))
        var denied = 0
        for test in Self.tests() {
            let pattern = Pattern(text: "t", test: .fields([.init(path: path, test: test), .init(path: other, test: .words([.any, .absent]))]))
            var members: [String] = []
            let demands = MemberDemand.all(of: .pattern(pattern), but: nil, &members)
            #expect(demands.count <= 1 && members == (demands.isEmpty ? [] : ["a"]))
            #expect(MemberDemand.all(of: .pattern(pattern), but: path, &members).isEmpty)
            for value in Self.values.map({ Optional($0) }) + [nil] {
                let message = JSON.object(value.map { [.init(key: "a", value: $0)] } ?? [])
                let holds = pattern.holds(for: message, hidden: false) { _, _ in areForeign }
                let mayHold = demands.allSatisfy { $0.mayBe(message["a"]) { _, _ in areForeign } }
                #expect(mayHold || !holds, "\(test.summary) on \(message.text)")
                denied += mayHold ? 0 : 1
            }
        }
        #expect(denied > 100)
    }

    /// Two members of one rule are looked up once each, whoever asks.
    @Test func membersAreSharedByConditions() throws {
        var members: [String] = []
        for (name, expected) in [("a", 0), ("b", 1), ("a", 0)] {
            let pattern = Pattern(text: "t", test: .fields([.init(path: try Path(name), test: .words([.null]))]))
            #expect(MemberDemand.all(of: .pattern(pattern), but: nil, &members).map(\.member) == [expected])
        }
        #expect(members == ["a", "b"])
    }
}
