import Journaling
import Oracles
import Peers
import Plans
import Synchronization

/// Plays nothing: a script says what each play would have shown.
final class ScriptedRunner: CaseRunner {
    struct Play: Sendable {
        var findings: [Finding] = []
        /// Of the property with this id one obligation stays open.
        var undecided: String?
        var isCut = false
        var unreachable: [String] = []
    }
    private let script: @Sendable (Plan, Int) async -> Play
    private let played = Mutex<(plans: [Plan], now: Int, most: Int)>(([], 0, 0))

    /// - Parameter script: what the n-th play (from 1) of that plan shows.
    init(_ script: @escaping @Sendable (Plan, Int) async -> Play) { self.script = script }

    var plans: [Plan] { played.withLock { $0.plans } }
    /// How many were under way at once.
    var most: Int { played.withLock { $0.most } }

    func run(_ plan: Plan, _ options: CaseOptions) async -> CaseRun {
        let number = played.withLock { state in
            state.plans.append(plan)
            state.now += 1
            state.most = max(state.most, state.now)
            return state.plans.count
        }
        let play = await script(plan, number)
        played.withLock { $0.now -= 1 }
        return Self.run(play)
    }

    static func run(_ play: Play) -> CaseRun {
        var judgement = Judgement()
        judgement.findings = play.findings
        if let id = play.undecided {
            var summary = PropertySummary(id: id, name: id)
            summary.checked = 1
            summary.inconclusive = 1
            summary.reasons = ["\(id) is still open"]
            judgement.properties = [summary]
        }
        var run = CaseRun(steps: [], judgement: judgement, entries: [], took: .zero)
        run.isCut = play.isCut
        run.unreachable = play.unreachable
        return run
    }

    static func finding(_ property: String, _ fingerprint: String = "abcdef", users: [String] = ["alice"]) -> Finding {
        Finding(
            property: property, fingerprint: fingerprint, sentence: "alice's request gets no answer within 500 ms",
            requirement: "errors reach the requester", expected: "error for alice by 1.000, 500 ms after the request",
            found: "nothing for alice until 1.000", offending: nil, witness: [], sessions: [], users: users,
            instant: .zero, faults: [], contractFile: "demo.yaml", contractLine: 1)
    }
}
