import Journaling
import Testing
@testable import Contracts
@testable import Oracles

/// What stands in lists by its number is what a dictionary would hold.
@Suite struct NumberMapTests {
    /// Small ones, ones that only a longer list tells apart from these, ones that no list does, and the largest.
    private static let numbers: [UInt64] = Array(0..<70) + [128, 129, 192, (1 << 16) - 1, 1 << 16, (1 << 16) + 1, 1 << 20, (1 << 20) + 1, .max]

    @Test(arguments: [1, 2, 3] as [UInt64]) func holdsWhatADictionaryHolds(seed: UInt64) {
        var (map, known) = (NumberMap<UInt64, [Int]>(), [UInt64: [Int]]())
        var state = seed
        for step in 0..<4_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let number = Self.numbers[Int(state >> 33) % Self.numbers.count]
            switch state >> 60 {
            case 0...4:
                map[number] = [step]
                known[number] = [step]
            case 5...7:
                map[number]?.append(step)
                known[number]?.append(step)
            case 8...9:
                map[number, default: []].append(step)
                known[number, default: []].append(step)
            case 10...12: #expect(map.removeValue(forKey: number) == known.removeValue(forKey: number))
            default:
                map[number] = nil
                known[number] = nil
            }
            #expect(map[number] == known[number])
            #expect(map.count == known.count && map.isEmpty == known.isEmpty)
        }
        #expect(map.keys.sorted() == known.keys.sorted())
        #expect(map.values.flatMap { $0 }.sorted() == known.values.flatMap { $0 }.sorted())
        for number in Self.numbers { #expect(map[number] == known[number]) }
    }

    @Test func copiesGoTheirOwnWays() {
        var map = SessionMap<Int>()
        map[SessionID(7)] = 1
        var copy = map
        copy[SessionID(7)] = 2
        copy[SessionID(8)] = 3
        #expect(map[SessionID(7)] == 1 && map[SessionID(8)] == nil && map.count == 1)
        #expect(copy[SessionID(7)] == 2 && copy.count == 2)
    }
}

/// Who has several connections is known without asking for each.
@Suite struct CompanyTests {
    @Test func severalAreToldFromOne() {
        let (ann, bob) = (Principal.named("ann"), Principal.named("bob"))
        var company = Company()
        #expect(!company.hasSeveral(ann) && company[ann] == nil)
        company.add(SessionID(1), to: ann)
        company.add(SessionID(2), to: bob)
        #expect(!company.hasSeveral(ann) && !company.hasSeveral(bob))
        company.add(SessionID(3), to: ann)
        company.add(SessionID(4), to: ann)
        #expect(company.hasSeveral(ann) && !company.hasSeveral(bob))
        #expect(company[ann] == [SessionID(1), SessionID(3), SessionID(4)])
        company.remove(SessionID(3), from: ann)
        #expect(company.hasSeveral(ann))
        company.remove(SessionID(1), from: ann)
        #expect(!company.hasSeveral(ann) && company[ann] == [SessionID(4)])
        // Nobody's, or gone already.
        company.remove(SessionID(1), from: ann)
        company.remove(SessionID(9), from: bob)
        #expect(company[ann] == [SessionID(4)] && company[bob] == [SessionID(2)])
        company.remove(SessionID(4), from: ann)
        #expect(company[ann] == nil)
        // Twice the same, and both gone at once.
        for _ in 0..<2 { company.add(SessionID(5), to: ann) }
        company.remove(SessionID(5), from: ann)
        #expect(company[ann] == nil && !company.hasSeveral(ann))
    }
}

/// A key's run is its own until another takes it, or it is over.
@Suite struct KeyedRunsTests {
    private let key = RunKey(rule: 0, session: nil, text: "run_1")

    @Test func aRunThatTookTheKeyIsFound() {
        var (runs, open) = (KeyedRuns(), Set<UInt64>([1, 2]))
        runs.set(key, 1)
        for id in [SessionID(1), SessionID(2)] { #expect(runs.find(key, on: id, isOpen: open.contains) == 1) }
        // The old one is still under way.
        runs.set(key, 2)
        for id in [SessionID(1), SessionID(2)] { #expect(runs.find(key, on: id, isOpen: open.contains) == 2) }
        runs.remove(key, of: 1)
        #expect(runs.find(key, on: SessionID(1), isOpen: open.contains) == 2 && runs[key] == 2)
        open.remove(2)
        runs.remove(key, of: 2)
        for id in [SessionID(1), SessionID(2)] { #expect(runs.find(key, on: id, isOpen: open.contains) == nil) }
        #expect(runs[key] == nil)
    }

    @Test func aKeyThatComesAgainIsTheNewRuns() {
        var (runs, open) = (KeyedRuns(), Set<UInt64>([1]))
        runs.set(key, 1)
        #expect(runs.find(key, on: SessionID(1), isOpen: open.contains) == 1)
        open = [2]
        runs.remove(key, of: 1)
        runs.set(key, 2)
        #expect(runs.find(key, on: SessionID(1), isOpen: open.contains) == 2)
    }

    @Test func othersAreAskedForOnTheSameConnection() {
        var runs = KeyedRuns()
        let other = RunKey(rule: 0, session: nil, text: "run_2")
        runs.set(key, 1)
        runs.set(other, 2)
        for _ in 0..<3 {
            #expect(runs.find(key, on: SessionID(1)) { _ in true } == 1)
            #expect(runs.find(other, on: SessionID(1)) { _ in true } == 2)
        }
        runs.forget(SessionID(1))
        #expect(runs.find(key, on: SessionID(1)) { _ in true } == 1)
    }
}
