import Journaling
import Wire

/// What can be said only when the whole contract is read.
extension ContractReader {
    /// Rules that never get their turn, and kinds that nothing provokes.
    mutating func checkRules() {
        let marks = items(document["reject"], "reject").map(\.mark)
        guard marks.count == contract.reject.count else { return }
        for (index, rule) in contract.reject.enumerated() where !rule.when.isEmpty {
            let earlier = contract.reject[..<index].firstIndex { $0.covers(rule) }
            if let earlier {
                warn(
                    marks[index],
                    "rule \(index + 1) can never hold: rule \(earlier + 1) matches everything it matches",
                    remedy: "put it above rule \(earlier + 1), or leave it out")
            }
        }
        guard !contract.reject.isEmpty, let kinds = document["errors"]?["kinds"] else { return }
        for item in items(kinds, "errors.kinds") {
            guard let kind = item.scalar?.text, !contract.reject.contains(where: { $0.outcomes.contains(.kind(kind)) }) else {
                continue
            }
            warn(item.mark, "kind \"\(kind)\" has no rule that provokes it", remedy: "add a rule with: \(kind)")
        }
    }

    /// A flow is a valid conversation: none of its messages may have to be refused.
    mutating func checkFlows() {
        let recogniser = Recognizer(contract)
        let labeler = Labeler(contract)
        let written = document["flows"]?.map ?? []
        for (flow, field) in zip(contract.flows, written) {
            guard let items = field.value.list, items.count == flow.steps.count else { continue }
            for (index, step) in flow.steps.enumerated() {
                guard case .send(let template) = step else { continue }
                let sample = Template.fill(template, now: 1) { .string($0 == "n" ? "1" : $0) }
                let request = recogniser.recognise(sample, direction: .toServer)
                guard case .mustReject(let rule, _) = labeler.label(request, in: NothingKnown()) else { continue }
                fail(
                    items[index].mark, "flow \(flow.name), step \(index + 1) is must-reject by rule \(rule + 1)",
                    remedy: "a flow is a valid conversation")
            }
        }
    }

    private struct NothingKnown: LabelContext {
        func hasSeen(_ name: MessageName) -> Bool { false }
        func isRunOpen(key: JSON?) -> Bool { false }
        func isForeign(_ path: Path, _ value: JSON) -> Bool { false }
    }
}

extension RejectRule {
    /// Whether this rule surely holds wherever the other does. Errs towards no.
    func covers(_ other: RejectRule) -> Bool {
        guard unless.isEmpty, before == nil, after == nil, run == nil else { return false }
        return other.when.allSatisfy { wanted in when.contains { $0.covers(wanted) } }
    }
}

extension RejectRule.Condition {
    func covers(_ other: RejectRule.Condition) -> Bool {
        switch (self, other) {
        case (.malformed, .malformed), (.unknown, .unknown), (.invalid, .invalid): true
        case (.pattern(let mine), .pattern(let theirs)): mine.test.covers(theirs.test)
        default: false
        }
    }
}

extension Pattern.Test {
    /// Whether every value that passes `other` passes this one too. Errs towards no.
    func covers(_ other: Pattern.Test) -> Bool {
        if self == other { return true }
        switch (self, other) {
        case (_, .anyOf(let theirs)): return theirs.allSatisfy { covers($0) }
        case (.anyOf(let mine), _): return mine.contains { $0.covers(other) }
        case (.fields(let mine), .fields(let theirs)):
            return mine.allSatisfy { field in theirs.contains { $0.path == field.path && field.test.covers($0.test) } }
        case (.glob(let mine), .glob(let theirs)): return theirs.isExact && mine.matches(theirs.text)
        case (.regex(let mine), .glob(let theirs)): return theirs.isExact && mine.matches(theirs.text)
        case (.words(let mine), .words(let theirs)): return mine.isSuperset(of: theirs) || mine.contains(.any) && !theirs.contains(.absent)
        case (.words(let mine), .glob(let theirs)):
            let wanted: Set<Pattern.TypeWord> = theirs.isExact && !theirs.text.isEmpty ? [.any, .string, .text] : [.any, .string]
            return !mine.isDisjoint(with: wanted)
        default: return false
        }
    }
}
