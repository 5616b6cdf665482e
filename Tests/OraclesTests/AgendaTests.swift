import Journaling
import Testing
@testable import Oracles

/// What is due comes soonest first, equal ones as they were asked for, in whichever order they were.
@Suite struct AgendaTests {
    /// Few bounds, as contracts have them; as many as there are instants; all of them falling.
    @Test(arguments: [1, 3, 7, 20, 1_000], [1, 2, 3] as [UInt64]) func comesInItsOrder(bounds: Int, seed: UInt64) {
        var agenda = Agenda<Int>()
        var model: [(due: Int64, subject: Int)] = []
        var state = seed
        func draw(_ below: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % below
        }
        for step in 0..<3_000 {
            let due = Int64(step / 3 + draw(bounds) * 40)
            agenda.add(step, at: Instant(nanoseconds: due))
            model.append((due, step))
            guard draw(3) > 0 else { continue }
            for _ in 0..<draw(4) {
                let next = model.indices.min { (model[$0].due, model[$0].subject) < (model[$1].due, model[$1].subject) }
                #expect(agenda.first?.subject == next.map { model[$0].subject })
                #expect(agenda.removeFirst()?.subject == next.map { model[$0].subject })
                if let next { model.remove(at: next) }
            }
        }
        model.sort { ($0.due, $0.subject) < ($1.due, $1.subject) }
        for item in model { #expect(agenda.removeFirst()?.subject == item.subject) }
        #expect(agenda.first == nil)
        #expect(agenda.removeFirst()?.subject == nil)
    }

    @Test func fallingOnesAndTheFarthest() {
        var agenda = Agenda<Int>()
        agenda.add(-1, at: .distantFuture)
        #expect(agenda.first?.subject == nil)
        for number in 0..<500 { agenda.add(number, at: Instant(nanoseconds: Int64(500 - number))) }
        for number in (0..<500).reversed() { #expect(agenda.removeFirst()?.subject == number) }
        agenda.add(7, at: .zero)
        #expect(agenda.first?.subject == 7)
    }
}
