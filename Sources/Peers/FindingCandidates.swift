package import Oracles
package import Plans

extension PlanReducer {
    /// Candidates that may still show the finding, smallest first; the plan itself is the last.
    package static func candidates(_ plan: Plan, for finding: Finding) -> [Plan] {
        candidates(plan, witnesses: finding.users, upTo: nil)
    }
}
