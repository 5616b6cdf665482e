/// Runs a compiled expression over a whole text: every thread of the automaton advances together, so the work is at
/// most (instructions x scalars), whatever the pattern. Threads are in order of preference, the first to match wins.
struct RegexMachine {
    let program: [RegexInstruction]
    let text: [UInt32]
    private var stack: [Work] = []
    /// Instructions looked at so far: what a match costs, as a number that no clock blurs.
    private(set) var steps = 0

    mutating func count() { steps += 1 }

    struct Threads {
        var list: [(pc: Int, slots: [Int])] = []
        /// The step (plus one) in which each instruction was last added.
        var marks: [Int]
    }

    private enum Work {
        case visit(Int)
        /// Puts a slot back once the branch that set it is explored.
        case restore(slot: Int, value: Int)
    }

    init(program: [RegexInstruction], text: [UInt32]) {
        self.program = program
        self.text = text
    }

    /// The capture slots (scalar offsets, -1 = unset), or nil when the text as a whole does not match, or more steps than
    /// `budget` were made.
    mutating func run(slotCount: Int, budget: Int = .max) -> [Int]? {
        var current = Threads(marks: Array(repeating: 0, count: program.count))
        var next = current
        add(0, slots: Array(repeating: -1, count: slotCount), at: 0, to: &current)
        for (offset, scalar) in text.enumerated() {
            if current.list.isEmpty || steps > budget { return nil }
            for thread in current.list {
                steps += 1
                guard program[thread.pc].accepts(scalar) else { continue }
                add(thread.pc + 1, slots: thread.slots, at: offset + 1, to: &next)
            }
            swap(&current, &next)
            next.list.removeAll(keepingCapacity: true)
        }
        return current.list.first { program[$0.pc] == .match }?.slots
    }

    /// Follows everything that consumes nothing. A stack of our own: patterns may nest as deep as they are long.
    mutating func add(_ start: Int, slots: [Int], at offset: Int, to threads: inout Threads) {
        var slots = slots
        stack.append(.visit(start))
        while let work = stack.popLast() {
            guard case .visit(let pc) = work else {
                if case .restore(let slot, let value) = work { slots[slot] = value }
                continue
            }
            steps += 1
            guard threads.marks[pc] != offset + 1 else { continue }
            threads.marks[pc] = offset + 1
            switch program[pc] {
            case .jump(let by): stack.append(.visit(pc + by))
            case .split(let first, let second):
                stack.append(.visit(pc + second))
                stack.append(.visit(pc + first))
            case .save(let slot):
                if slot < slots.count {
                    stack.append(.restore(slot: slot, value: slots[slot]))
                    slots[slot] = offset
                }
                stack.append(.visit(pc + 1))
            case .assert(let assertion):
                if assertion.holds(at: offset, in: text) { stack.append(.visit(pc + 1)) }
            case .scalar, .any, .set, .match:
                threads.list.append((pc, slots))
            }
        }
    }
}
