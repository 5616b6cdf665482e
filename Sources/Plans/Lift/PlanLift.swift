package import Contracts
package import Journaling

/// A plan that does again what the clients of some sessions did.
package struct LiftedPlan: Sendable, Equatable {
    package var plan: Plan
    /// In the order in which they began.
    package var sessions: [SessionID]
    /// Who the plan's users were in the recording.
    package var principals: [String: String]
    /// Which session the step with that label opens.
    package var openings: [Int: SessionID]
    /// How long after the same user's last act the step with that label was done; of a first act, after the beginning.
    package var gaps: [Int: Duration]
    package init(
        plan: Plan, sessions: [SessionID], principals: [String: String] = [:], openings: [Int: SessionID] = [:],
        gaps: [Int: Duration] = [:]
    ) {
        self.plan = plan
        self.sessions = sessions
        self.principals = principals
        self.openings = openings
        self.gaps = gaps
    }
}

/// What a recording gave.
package struct Lift: Sendable, Equatable {
    /// In the order in which their first sessions began.
    package var plans: [LiftedPlan] = []
    /// Sessions that no plan can do again, each with one phrase why.
    package var left: [Left] = []
    package init() {}

    package struct Left: Sendable, Equatable {
        package var session: SessionID
        package var reason: String
        package init(session: SessionID, reason: String) {
            self.session = session
            self.reason = reason
        }
    }
}

/// Makes plans of recorded sessions (fuzzing.md, "A test is a plan"): the client side as it arrived at the proxy, faults
/// left out, with the values that a server made bound to where they came from. Sessions that overlap in time or that
/// hand values to each other become one plan, so that who overlaps whom is kept; any other session is a plan of its own.
package enum PlanLift {
    package static let mostSteps = 2_000
    package static let mostPlans = 1_000

    /// - Parameters:
    ///   - entries: one recording, in order.
    ///   - epoch: seconds since 1970 at instant zero, by which texts that say the time become `{now}`; nil leaves them.
    ///   - mostSteps: sessions that take more together become a plan each, and of a longer one the end is left out.
    package static func lift(
        entries: [Entry], contract: Contract?, epoch: Int64? = nil, mostSteps: Int = mostSteps
    ) -> Lift {
        var reader = LiftReader(contract: contract)
        for entry in entries { reader.take(entry) }
        let read = reader.finish()
        var lift = Lift()
        lift.left = read.left
        for group in LiftGroups.split(read.sessions, contract: contract) {
            // Too long together: each alone, as far as a plan goes.
            let whole = compose(group, contract, epoch, mostSteps)
            let parts = whole.map { [$0] } ?? group.compactMap { compose([$0], contract, epoch, mostSteps, cut: true) }
            for plan in parts {
                if lift.plans.count < mostPlans {
                    lift.plans.append(plan)
                } else {
                    lift.left += plan.sessions.map { Lift.Left(session: $0, reason: "\(mostPlans) plans are made") }
                }
            }
        }
        lift.left.sort { $0.session < $1.session }
        return lift
    }

    /// Nil when it takes more steps than a plan may have, unless it may be cut.
    private static func compose(
        _ group: [LiftSession], _ contract: Contract?, _ epoch: Int64?, _ mostSteps: Int, cut: Bool = false
    ) -> LiftedPlan? {
        var composer = LiftComposer(group, contract: contract, epoch: epoch, mostSteps: mostSteps)
        return composer.compose(cut: cut)
    }
}
