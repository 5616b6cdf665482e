package import Oracles
package import Plans

/// A finding as a file: a plan whose head says what it shows. Its name is the finding's id, made by us from a fixed
/// alphabet, so no input ever becomes a path (trust.md T31).
package struct FindingPlan: Sendable, Equatable {
    package var plan: Plan
    package var name: String

    /// - Parameters:
    ///   - steps: the reduced plan that still shows the finding.
    ///   - origin: `demo, seed 1, miswire 0.1.0, profile none, contract demo 3f9c21`
    ///   - attribution: `intrinsic, 5 of 5`
    package init(_ finding: Finding, steps: Plan, origin: String, attribution: String) {
        var plan = steps
        plan.head = Plan.Head()
        plan.head.comments = [
            finding.sentence + ". Edit anything below the line of dashes and replay."
        ]
        plan.head.finding = finding.id
        plan.head.also = finding.also
        plan.head.found = origin
        plan.head.attribution = attribution
        self.plan = plan
        name = Self.fileName(finding.id)
    }

    /// `[A-Za-z0-9-]{1,64}.plan`
    package static func fileName(_ id: String) -> String {
        let allowed = id.unicodeScalars.filter { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "-": true
            default: false
            }
        }
        return String(String.UnicodeScalarView(allowed.prefix(64))) + ".plan"
    }
}
