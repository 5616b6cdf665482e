package import Contracts
import Journaling
import Wire

/// Compares two messages field by field, and remembers which ids stand for which.
struct MessageComparison: Sendable {
    let knowledge: FieldKnowledge
    var binding: Rebinding
    /// Seconds since 1970 at instant zero of the recording and of its replay.
    let recordedEpoch: Int64?
    let nowEpoch: Int64?

    /// Empty when nothing differs but what is made anew each time.
    mutating func compare(_ recorded: Said, _ now: Said, run: String) -> [FieldChange] {
        guard let old = recorded.value, let new = now.value else {
            return sameBytes(recorded, now) ? [] : [FieldChange(place: JSONPlace(), kind: .changed)]
        }
        if recorded.opcode != now.opcode { return [FieldChange(place: JSONPlace(), kind: .changed)] }
        let oldRoles = knowledge.roles(in: old, run: run)
        let newRoles = knowledge.roles(in: new, run: run)
        var changes: [FieldChange] = []
        let before = JSONPlace.leaves(of: old)
        let after = Dictionary(JSONPlace.leaves(of: new).map { ($0.place, $0.value) }, uniquingKeysWith: { $1 })
        var met: Set<JSONPlace> = []
        for leaf in before {
            guard let value = after[leaf.place] else {
                // A list or an object took its place, or it is gone.
                changes.append(FieldChange(place: leaf.place, kind: .gone))
                continue
            }
            met.insert(leaf.place)
            let role = FieldKnowledge.role(at: leaf.place, in: oldRoles) ?? FieldKnowledge.role(at: leaf.place, in: newRoles)
            if !same(leaf.value, value, leaf.place, role, recorded, now) {
                changes.append(FieldChange(place: leaf.place, kind: .changed))
            }
        }
        for leaf in JSONPlace.leaves(of: new) where !met.contains(leaf.place) {
            // What an old list or object at this place became is told by its leaves.
            changes.append(FieldChange(place: leaf.place, kind: .added))
        }
        return changes
    }

    private func sameBytes(_ recorded: Said, _ now: Said) -> Bool {
        guard recorded.opcode == now.opcode else { return false }
        if recorded.payload == now.payload { return true }
        guard recorded.opcode == .text, let old = recorded.payload, let new = now.payload else { return false }
        return renewedAlike(String(buffer: old), String(buffer: new))
    }

    private mutating func same(
        _ old: JSON, _ new: JSON, _ place: JSONPlace, _ role: FieldKnowledge.Role?, _ recorded: Said, _ now: Said
    ) -> Bool {
        switch role {
        case .volatile: return old.kind == new.kind
        case .identity(let name, let space):
            guard old.kind == new.kind else { return false }
            switch (old, new) {
            case (.string(let left), .string(let right)): if left.isEmpty != right.isEmpty { return false }
            case (.number, .number): break
            default: return old.isSame(as: new)
            }
            return binding.bind(old, new, as: name, in: space)
        case nil: break
        }
        if old.isSame(as: new) { return true }
        if let known = binding.now(for: old) { return known.isSame(as: new) }
        switch (old, new) {
        case (.string(let left), .string(let right)):
            if let form = ValueShape.strong(left), form == ValueShape.strong(right) {
                return form == .time || binding.bind(old, new, as: FieldKnowledge.short(place))
            }
            if renewedAlike(left, right) { return true }
            return knowledge.isRenewed(recorded.name, place, old, new)
                && binding.bind(old, new, as: FieldKnowledge.short(place), in: "\(recorded.name ?? "") \(place.general)")
        case (.number, .number):
            guard let left = old.double, let right = new.double else { return false }
            if let recordedEpoch, let nowEpoch,
                ValueShape.isTime(left, near: recordedEpoch), ValueShape.isTime(right, near: nowEpoch)
            {
                return true
            }
            return knowledge.isRenewed(recorded.name, place, old, new)
        default: return false
        }
    }

    /// Word by word the same, or what stands for it now, or made anew in a form that nothing else has.
    private func renewedAlike(_ old: String, _ new: String) -> Bool {
        let (before, after) = (ValueShape.words(old), ValueShape.words(new))
        guard before.count == after.count else { return binding.renewed(old) == new }
        return zip(before, after).allSatisfy { left, right in
            if left.text == right.text { return true }
            guard left.isWord, right.isWord else { return false }
            if let known = binding.now(for: left.text) { return known == right.text }
            guard let form = ValueShape.strong(left.text) else { return false }
            return form == ValueShape.strong(right.text)
        }
    }

    /// What a message says without what is made anew each time: equal for messages that may be the same one.
    /// - Parameter isRecorded: words that others stand for now are replaced.
    func signature(_ said: Said, isRecorded: Bool) -> String {
        let name = said.name ?? ""
        guard let value = said.value else {
            guard said.opcode == .text, let payload = said.payload else {
                return "\(said.opcode.rawValue) \(said.payload.map { Array($0.readableBytesView).description } ?? "")"
            }
            return name + " " + rough(String(buffer: payload), isRecorded)
        }
        let roles = knowledge.roles(in: value, run: "")
        let epoch = isRecorded ? recordedEpoch : nowEpoch
        let fields = JSONPlace.leaves(of: value).map { leaf -> String in
            let shown: String
            if FieldKnowledge.role(at: leaf.place, in: roles) != nil {
                shown = "~" + leaf.value.kind
            } else if case .string(let text) = leaf.value {
                shown = "\"" + rough(text, isRecorded)
            } else if let number = leaf.value.double,
                knowledge.isLearnt(said.name, leaf.place) || epoch.map({ ValueShape.isTime(number, near: $0) }) ?? false
            {
                shown = "#"
            } else {
                shown = leaf.value.canonical
            }
            return leaf.place.general + "=" + shown
        }
        return name + " " + fields.sorted().joined(separator: "\n")
    }

    private func rough(_ text: String, _ isRecorded: Bool) -> String {
        ValueShape.rough(isRecorded ? binding.renewed(text) : text)
    }
}

/// One field in which two messages differ.
package struct FieldChange: Sendable, Equatable {
    package enum Kind: Sendable, Equatable { case changed, gone, added }
    package var place: JSONPlace
    package var kind: Kind
    package init(place: JSONPlace, kind: Kind) {
        self.place = place
        self.kind = kind
    }
}
