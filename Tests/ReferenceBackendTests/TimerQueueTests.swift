import Journaling
import Testing

@testable import ReferenceBackend

@Suite struct TimerQueueTests {
    @Test func comesOutInOrderOfDueTimeThenOfSetting() {
        var dice = Dice(
            DiceKey(seed: 1, profile: "", user: "", connection: 1), direction: nil, message: 0, fault: "")
        var queue = TimerQueue<Int>()
        let dues = (0..<500).map { _ in Int64(dice.below(50)) }
        for (number, due) in dues.enumerated() { queue.set(number, at: Instant(nanoseconds: due)) }
        #expect(queue.pop(at: Instant(nanoseconds: -1)) == nil)
        var out: [Int] = []
        while let (due, number) = queue.pop(at: Instant(nanoseconds: 49)) {
            #expect(due.nanoseconds == dues[number])
            out.append(number)
        }
        let expected = dues.indices.sorted { (dues[$0], $0) < (dues[$1], $1) }
        #expect(out == expected)
        #expect(queue.next == nil)
    }

    @Test func sweepingKeepsTheOrderOfTheLiving() {
        var queue = TimerQueue<Int>()
        for number in 0..<1_000 {
            queue.set(number, at: Instant(nanoseconds: Int64(1_000 - number)))
            queue.sweep { $0 % 10 == 0 }
        }
        queue.sweep { $0 % 10 == 0 }
        #expect(queue.count < 700)
        var out: [Int] = []
        while let (_, number) = queue.pop(at: .distantFuture) { out.append(number) }
        #expect(out.filter { $0 % 10 == 0 } == Array(stride(from: 990, through: 0, by: -10)))
    }
}
