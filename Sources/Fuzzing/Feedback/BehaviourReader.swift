package import Contracts
import Journaling
import NIOCore
import Oracles
package import Peers
package import Plans
import Wire

/// What a target did in one run, as a set of hashes (fuzzing.md, "Feedback"). Only what the server decided makes a
/// feature; values, ids, names and times make none, so that equal behaviour is equal whoever plays and when.
package struct BehaviourReader: Sendable {
    private let contract: Contract
    private let recognizer: Recognizer

    package init(contract: Contract, recognizer: Recognizer) {
        self.contract = contract
        self.recognizer = recognizer
    }

    /// At most 4,096, sorted, without repeats.
    /// - Parameter plan: what was played; without it nothing is said of its steps.
    package func features(of run: CaseRun, plan: Plan? = nil) -> [UInt64] {
        var walk = BehaviourWalk(contract: contract, recognizer: recognizer)
        for entry in run.entries { walk.take(entry) }
        walk.finish()
        var features = walk.features
        tellVerdicts(run.judgement, into: &features)
        if let plan { tellSteps(run.steps, of: plan, into: &features) }
        return features.sorted
    }

    /// How many of these are edges of the state automata.
    package func edges(of features: [UInt64]) -> Int { features.count(where: FeatureHash.isEdge) }

    private func tellVerdicts(_ judgement: Judgement, into features: inout FeatureSet) {
        for property in judgement.properties {
            guard let verdict = property.verdict else { continue }
            features.insert(.verdict, FeatureHash.text(property.id), UInt64(clamping: verdict.rawValue))
        }
        for finding in judgement.findings {
            features.insert(.verdict, FeatureHash.text(finding.property), FeatureHash.text(finding.fingerprint), 1)
        }
        for kind in judgement.errorsDelivered { features.insert(.verdict, FeatureHash.text(kind), 0, 2) }
    }

    private func tellSteps(_ steps: [StepResult], of plan: Plan, into features: inout FeatureSet) {
        var verbs: [Int: UInt64] = [:]
        for step in plan.steps { verbs[step.number] = Self.kind(of: step.verb) }
        for step in steps { features.insert(.step, verbs[step.number] ?? 0, Self.outcome(step.outcome)) }
    }

    private static func kind(of verb: Plan.Verb) -> UInt64 {
        FeatureHash.text(PlanText.keyword(of: verb))
    }

    private static func outcome(_ outcome: StepResult.Outcome) -> UInt64 {
        switch outcome {
        case .ok: 1
        case .failed: 2
        case .cannot: 3
        }
    }
}
