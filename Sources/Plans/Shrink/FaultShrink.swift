import Faults

extension Plan {
    /// How long its faults together may keep something back.
    package var longestHold: Duration {
        faults.reduce(.zero) { min($0 + FaultShrink.longestHold($1), PlanDuration.longest) }
    }
}

/// Smaller fault lines: without what is drawn by chance, and without conditions that do not matter.
package enum FaultShrink {
    /// What is drawn is as large as it may be: chance has no say any more in whether a plan shows something, whatever is taken
    /// out of it. The plan itself when nothing in it is drawn.
    package static func certain(_ plan: Plan) -> Plan {
        var plan = plan
        plan.faults = plan.faults.map(certain)
        return plan
    }

    /// Nothing drawn; then each line without one of its conditions. Settings stay: a default that is not written is harder to
    /// read than a value that is.
    static func proposals(_ plan: Plan) -> [Plan] {
        [certain(plan)]
            + plan.faults.indices.flatMap { index in
                shorter(plan.faults[index]).map { line in
                    var smaller = plan
                    smaller.faults[index] = line
                    return smaller
                }
            }
    }

    private static func certain(_ line: Plan.FaultLine) -> Plan.FaultLine {
        guard var rule = try? line.rule(), let parameters = FaultRegistry.kind(line.kind)?.parameters else { return line }
        let drawn = rule.settings
        for parameter in parameters {
            let settings = rule.settings.values
            guard let base = parameter.spreads, let spread = duration(parameter.name, settings),
                let length = duration(base, settings) ?? parameters.first(where: { $0.name == base })?.default.flatMap(UnitText.duration)
            else { continue }
            rule.settings.values.removeAll { $0.name == parameter.name || $0.name == base }
            rule.settings.values.append((base, [PlanDuration.print(min(length + spread, PlanDuration.longest))]))
        }
        var certain = Plan.FaultLine(rule: rule)
        certain.above = line.above
        return rule.settings == drawn ? line : certain
    }

    private static func duration(_ name: String, _ settings: [(name: String, values: [String])]) -> Duration? {
        settings.first { $0.name == name }?.values.first.flatMap(UnitText.duration)
    }

    /// How long it may keep something back: every duration that it has, added up.
    static func longestHold(_ line: Plan.FaultLine) -> Duration {
        guard let rule = try? line.rule(), let parameters = FaultRegistry.kind(line.kind)?.parameters else { return .zero }
        return parameters.reduce(.zero) { sum, parameter in
            guard parameter.unit == .duration else { return sum }
            let said = duration(parameter.name, rule.settings.values) ?? parameter.default.flatMap(UnitText.duration)
            return min(sum + (said ?? .zero), PlanDuration.longest)
        }
    }

    /// Conditions have one value, but for those that say which one: `message nth 2`. What is left must be a fault.
    private static func shorter(_ line: Plan.FaultLine) -> [Plan.FaultLine] {
        guard let rule = try? line.rule() else { return [] }
        let conditions = (2 * rule.settings.values.count)..<(line.words.firstIndex(of: "expect") ?? line.words.count)
        return conditions.flatMap { start in
            [2, 3].compactMap { length in
                guard start + length <= conditions.upperBound else { return nil }
                var shorter = line
                shorter.words.removeSubrange(start..<start + length)
                return (try? shorter.rule()) == nil ? nil : shorter
            }
        }
    }
}
