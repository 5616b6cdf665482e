/// Runs a compiled expression over a short text, one thread to its end before the next, in order of preference, and from no
/// place twice: as linear as `RegexMachine` and of the same answers, and several times as quick where most of an expression
/// leaves no choice.
struct RegexTrail {
    /// Places (instructions x offsets) that are kept in mind at most; beyond them `RegexMachine` takes less room.
    static let most = 1 << 16

    private let table: RegexTable
    private let text: [UInt32]
    /// One bit for each marked step and offset that was tried.
    private var tried: [UInt64]
    private var work: [Work] = []

    private enum Work {
        case visit(pc: Int, offset: Int)
        /// Puts a slot back once the branch that set it has failed.
        case restore(slot: Int, value: Int)
    }

    /// Nil when there are too many places.
    init?(table: RegexTable, text: [UInt32]) {
        guard Self.takes(table, length: text.count) else { return nil }
        self.table = table
        self.text = text
        tried = Array(repeating: 0, count: table.steps.count * (text.count + 1) / 64 + 1)
        work.reserveCapacity(16)
    }

    /// - Parameter length: of the text, in scalars.
    static func takes(_ table: RegexTable, length: Int) -> Bool {
        let (places, overflow) = table.steps.count.multipliedReportingOverflow(by: length + 1)
        return !overflow && places <= most
    }

    /// The capture slots (scalar offsets, -1 = unset), or nil when the text as a whole does not match.
    mutating func run(slotCount: Int) -> [Int]? {
        var slots = Array(repeating: -1, count: slotCount)
        work.append(.visit(pc: 0, offset: 0))
        while let next = work.popLast() {
            switch next {
            case .visit(let pc, let offset): if follow(pc, offset, &slots) { return slots }
            case .restore(let slot, let value): slots[slot] = value
            }
        }
        return nil
    }

    /// Goes on from there until it fails. True: the text is over, and so is the expression.
    private mutating func follow(_ start: Int, _ begin: Int, _ slots: inout [Int]) -> Bool {
        var pc = start
        var offset = begin
        while true {
            let step = table.steps[pc]
            if step.isMarked { guard isNew(pc, offset) else { return false } }
            switch step.kind {
            case .scalar:
                guard offset < text.count, Int(text[offset]) == step.first else { return false }
                offset += 1
                pc += 1
            case .any:
                guard offset < text.count, RegexInstruction.any.accepts(text[offset]) else { return false }
                offset += 1
                pc += 1
            case .set:
                guard offset < text.count, table.accepts(text[offset], at: pc) else { return false }
                offset += 1
                pc += 1
            case .jump: pc = step.first
            case .split:
                work.append(.visit(pc: step.second, offset: offset))
                pc = step.first
            case .save:
                if step.first < slots.count {
                    work.append(.restore(slot: step.first, value: slots[step.first]))
                    slots[step.first] = offset
                }
                pc += 1
            case .start: if offset == 0 { pc += 1 } else { return false }
            case .end: if offset == text.count { pc += 1 } else { return false }
            case .wordBoundary: if RegexAssertion.wordBoundary.holds(at: offset, in: text) { pc += 1 } else { return false }
            case .noWordBoundary: if RegexAssertion.noWordBoundary.holds(at: offset, in: text) { pc += 1 } else { return false }
            case .match: return offset == text.count
            }
        }
    }

    private mutating func isNew(_ pc: Int, _ offset: Int) -> Bool {
        let place = pc * (text.count + 1) + offset
        let bit: UInt64 = 1 << UInt64(place % 64)
        guard tried[place / 64] & bit == 0 else { return false }
        tried[place / 64] |= bit
        return true
    }
}

extension RegexInstruction {
    /// Whether it takes that scalar; one that takes none does not.
    func accepts(_ scalar: UInt32) -> Bool {
        switch self {
        case .scalar(let wanted): wanted == scalar
        case .any: scalar != 0x0a && scalar != 0x0d && scalar != 0x2028 && scalar != 0x2029
        case .set(let set): set.contains(scalar)
        case .split, .jump, .save, .assert, .match: false
        }
    }
}

extension RegexAssertion {
    func holds(at offset: Int, in text: [UInt32]) -> Bool {
        switch self {
        case .start: return offset == 0
        case .end: return offset == text.count
        case .wordBoundary, .noWordBoundary:
            let before = offset > 0 && RegexSet.word.contains(text[offset - 1])
            let after = offset < text.count && RegexSet.word.contains(text[offset])
            return (before != after) == (self == .wordBoundary)
        }
    }
}
