import Testing

@testable import Fuzzing

@Suite struct CaseNameTests {
    @Test(arguments: ["0", "47310", "47310.3", "1.2.3.4"])
    func reads(text: String) { #expect(CaseName(text)?.description == text) }

    @Test(arguments: ["", ".", "1.", "a", "-1", "1..2", "4294967296"])
    func refuses(text: String) { #expect(CaseName(text) == nil) }

    @Test func depthIsBounded() {
        var name = CaseName(1)
        for ordinal in 0..<100 { name = name.child(UInt32(ordinal)) }
        #expect(name.ordinals.count == CaseName.deepest)
        #expect(name.ordinals.last == 99)
    }

    @Test func drawsDependOnEverything() {
        var draws: Set<UInt64> = []
        for seed in [1, 2] as [UInt64] {
            for name in [CaseName(1), CaseName(2), CaseName(1).child(2), CaseName(12)] {
                for component in ["a", "b"] {
                    var dice = name.dice(seed: seed, component)
                    draws.insert(dice.next())
                }
            }
        }
        #expect(draws.count == 16)
    }
}
