import Journaling
import Plans

package struct HeaderCount: OddHeaders {
    package static let name = "header-count"
    package static let summary = "Up to 200 further fields."
    package init() {}

    func headers(in workshop: Workshop, dice: inout Dice) -> [Plan.Header]? {
        let count = dice.pick([1, 2, 10, 32, 50, 64, 90, 100, 101, 128, 150, 200]) ?? 100
        let isSame = dice.chance(0.3)
        return (1...count).map { Plan.Header(isSame ? "X-Many" : "X-Many-\($0)", "\($0)") }
    }
}
