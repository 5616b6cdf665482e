import Journaling
package import Plans

/// A plan of a corpus, with the place it came from.
package struct CorpusSeed: Sendable, Equatable {
    /// What is played: without the head and comments of the file.
    package var plan: Plan
    /// 40 hex digits over what is played, so the same for the same plan under any name.
    package var hash: String
    /// `corpus/I2-7c1e44.plan`
    package var path: String
    package var origin: Origin
    package enum Origin: String, Sendable, Hashable {
        case plan
        /// A finding's plan: a seed that is never deleted.
        case finding
        /// Lifted from a recording.
        case recording
    }

    package init(_ plan: Plan, path: String, origin: Origin) {
        self.plan = Self.bare(plan)
        hash = Self.hash(of: plan)
        self.path = path
        self.origin = origin
    }

    package static func hash(of plan: Plan) -> String { Digest.sha256Hex(text(of: plan), digits: 40) }

    /// What a kept plan's file holds.
    static func text(of plan: Plan) -> String { PlanText.print(bare(plan)) }

    private static func bare(_ plan: Plan) -> Plan {
        var plan = plan
        plan.head = Plan.Head()
        plan.tail = []
        for index in plan.users.indices { plan.users[index].above = [] }
        for index in plan.faults.indices { plan.faults[index].above = [] }
        for index in plan.steps.indices {
            plan.steps[index].above = []
            plan.steps[index].comment = nil
        }
        return plan
    }
}

/// Why a corpus cannot be used at all.
package struct CorpusError: Error, Sendable, Hashable, CustomStringConvertible {
    package var place: String
    /// One sentence: `there is no such directory`.
    package var sentence: String
    package var remedy: String
    package init(place: String, sentence: String, remedy: String) {
        self.place = place
        self.sentence = sentence
        self.remedy = remedy
    }
    package var description: String { "\(ForeignText.shown(place)): error: \(sentence); \(remedy)" }
}

/// Words of files and file names as messages may hold them (trust.md T38).
enum ForeignText {
    static func shown(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars.prefix(400) {
            let isPlain = scalar.value >= 0x20 && scalar.value != 0x7f
                && ![.control, .format, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
            if isPlain { out.unicodeScalars.append(scalar) } else { out += "\\u{\(String(scalar.value, radix: 16))}" }
        }
        return out
    }
}
