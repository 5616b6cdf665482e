import Journaling
import Testing
@testable import Oracles

/// What it holds is what a dictionary beside a list of its keys in their order would hold.
@Suite struct FadingTests {
    /// Keys of which many have the same hash.
    private struct Key: Hashable {
        var number: Int
        func hash(into hasher: inout Hasher) { hasher.combine(number % 7) }
    }

    private struct Model {
        var values: [Key: Int] = [:]
        var order: [Key] = []
        var forgotten = 0

        mutating func set(_ key: Key, _ value: Int, renews: Bool, capacity: Int) {
            if values.updateValue(value, forKey: key) != nil {
                guard renews else { return }
                order.removeAll { $0 == key }
            }
            order.append(key)
            while order.count > capacity {
                values[order.removeFirst()] = nil
                forgotten += 1
            }
        }
    }

    @Test(arguments: [1, 2, 17, 64, 1_000], [1, 2, 3] as [UInt64]) func holdsWhatADictionaryHolds(capacity: Int, seed: UInt64) {
        var (fading, model) = (Fading<Key, Int>(capacity: capacity), Model())
        var state = seed
        for step in 0..<3_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let key = Key(number: Int(state >> 33) % 120)
            switch state >> 60 {
            case 0...5:
                fading.set(key, step)
                model.set(key, step, renews: false, capacity: capacity)
            case 6...9:
                fading.set(key, step, renews: true)
                model.set(key, step, renews: true, capacity: capacity)
            case 10...11:
                let found = fading.value(of: key) { step }
                #expect(found == model.values[key] ?? step)
                if model.values[key] == nil { model.set(key, step, renews: false, capacity: capacity) }
            case 12...14:
                fading.update(key) { $0 += 1 }
                model.values[key]? += 1
            default:
                fading.transform { $0 &* 3 }
                model.values = model.values.mapValues { $0 &* 3 }
            }
            #expect(fading[key] == model.values[key])
            #expect(fading.count == model.values.count && fading.forgotten == model.forgotten)
        }
        for number in 0..<130 { #expect(fading[Key(number: number)] == model.values[Key(number: number)]) }
    }

    @Test func whatIsForgottenIsTheOldest() {
        var fading = Fading<String, Int>(capacity: 3)
        for (value, key) in ["a", "b", "c"].enumerated() { fading.set(key, value) }
        fading.set("a", 7)
        fading.set("b", 8, renews: true)
        fading.set("d", 9)
        #expect(fading["a"] == nil && fading["c"] == 2 && fading["b"] == 8 && fading["d"] == 9)
        #expect(fading.forgotten == 1 && fading.count == 3)
    }

    /// Also one of which most places were left by keys that were renewed.
    @Test func copiesGoTheirOwnWays() {
        var fading = Fading<Int, [Int]>(capacity: 8)
        for step in 0..<10_000 { fading.set(step % 4, [step], renews: true) }
        var copy = fading
        copy.update(1) { $0.append(0) }
        copy.set(9, [9])
        #expect(fading[1] == [9_997] && fading[9] == nil && fading.count == 4)
        #expect(copy[1] == [9_997, 0] && copy[9] == [9] && copy.count == 5)
    }
}

/// The end of a run is known by its number until so many others have ended.
@Suite struct LastWordsTests {
    @Test func theLatestAreKept() {
        var words = LastWords()
        func entry(_ number: Int64) -> Entry { Entry(instant: Instant(nanoseconds: number), loop: 0, sequence: 0, ref: nil, body: .tick(crowded: 0)) }
        for run in [1, 2, 16_385] as [UInt64] { words.set(entry(Int64(run)), of: run) }
        #expect(words[1] == nil && words[2]?.instant == Instant(nanoseconds: 2) && words[16_385]?.instant == Instant(nanoseconds: 16_385))
        #expect(words[3] == nil && words[0] == nil && words[.max] == nil)
    }
}

/// What a run leaves for evidence: how it began, and what came last.
@Suite struct TrailTests {
    @Test(arguments: 0...12, [true, false]) func theFirstTwoAndTheLastThree(count: Int, hasRequest: Bool) {
        func entry(_ number: Int) -> Entry {
            Entry(instant: Instant(nanoseconds: Int64(number)), loop: 0, sequence: 0, ref: nil, body: .tick(crowded: 0))
        }
        var trail = Trail(hasRequest ? entry(-1) : nil)
        for number in 0..<count { trail.note(entry(number)) }
        let all = (hasRequest ? [-1] : []) + Array(0..<count)
        let kept = all.count <= 5 ? all : Array(all.prefix(2) + all.suffix(3))
        #expect(trail.entries.map { Int($0.instant.nanoseconds) } == kept)
        #expect(trail.first?.instant.nanoseconds == kept.first.map(Int64.init) && trail.last?.instant.nanoseconds == kept.last.map(Int64.init))
    }
}
