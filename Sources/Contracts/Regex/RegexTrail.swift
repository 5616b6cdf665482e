/// Runs a compiled expression over a short text, one thread to its end before the next, in order of preference, and from no
/// place twice: as linear as `RegexMachine` and of the same answers, and several times as quick where most of an expression
/// leaves no choice.
struct RegexTrail {
    /// Places (instructions x offsets) that are kept in mind at most; beyond them `RegexMachine` takes less room.
    static let most = 1 << 16

    private let program: [RegexInstruction]
    private let text: [UInt32]
    /// One bit for each place that was tried.
    private var tried: [UInt64]
    private var work: [Work] = []

    private enum Work {
        case visit(pc: Int, offset: Int)
        /// Puts a slot back once the branch that set it has failed.
        case restore(slot: Int, value: Int)
    }

    /// Nil when there are too many places.
    init?(program: [RegexInstruction], text: [UInt32]) {
        let (places, overflow) = program.count.multipliedReportingOverflow(by: text.count + 1)
        guard !overflow, places <= Self.most else { return nil }
        self.program = program
        self.text = text
        tried = Array(repeating: 0, count: places / 64 + 1)
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
        while isNew(pc, offset) {
            switch program[pc] {
            case .scalar(let wanted):
                guard offset < text.count, text[offset] == wanted else { return false }
                offset += 1
                pc += 1
            case .any, .set:
                guard offset < text.count, program[pc].accepts(text[offset]) else { return false }
                offset += 1
                pc += 1
            case .jump(let by): pc += by
            case .split(let first, let second):
                work.append(.visit(pc: pc + second, offset: offset))
                pc += first
            case .save(let slot):
                if slot < slots.count {
                    work.append(.restore(slot: slot, value: slots[slot]))
                    slots[slot] = offset
                }
                pc += 1
            case .assert(let assertion):
                guard assertion.holds(at: offset, in: text) else { return false }
                pc += 1
            case .match: return offset == text.count
            }
        }
        return false
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
