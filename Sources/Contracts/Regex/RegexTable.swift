/// A compiled expression as `RegexTrail` reads it: flat steps with absolute targets, and sets as bits for ASCII, so that a
/// step costs a few instructions.
struct RegexTable: Sendable {
    enum Kind: UInt8, Sendable { case scalar, any, set, split, jump, save, start, end, wordBoundary, noWordBoundary, match }

    struct Step: Sendable {
        var kind: Kind
        /// More than one step leads here, or it leads to more than one: no offset is tried twice at it, so that no stretch
        /// between two such steps is walked twice.
        var isMarked = false
        /// The scalar, the slot, or the target that is tried first.
        var first: Int = 0
        /// The target that is tried second.
        var second: Int = 0
        /// The scalars below 64, and below 128, that it takes.
        var low: UInt64 = 0
        var high: UInt64 = 0
    }

    let steps: [Step]
    /// For scalars beyond ASCII.
    private let program: [RegexInstruction]

    init(_ program: [RegexInstruction]) {
        self.program = program
        var steps = program.enumerated().map { place, instruction in Step(instruction, at: place) }
        var ways = [Int](repeating: 0, count: steps.count)
        for place in steps.indices {
            for next in steps[place].successors(of: place) where ways.indices.contains(next) { ways[next] += 1 }
        }
        for place in steps.indices { steps[place].isMarked = steps[place].kind == .split || ways[place] > 1 }
        self.steps = steps
    }

    func accepts(_ scalar: UInt32, at place: Int) -> Bool {
        if scalar < 64 { return steps[place].low >> UInt64(scalar) & 1 == 1 }
        if scalar < 128 { return steps[place].high >> UInt64(scalar & 63) & 1 == 1 }
        return program[place].accepts(scalar)
    }
}

extension RegexTable.Step {
    fileprivate func successors(of place: Int) -> [Int] {
        switch kind {
        case .jump: [first]
        case .split: [first, second]
        case .match: []
        case .scalar, .any, .set, .save, .start, .end, .wordBoundary, .noWordBoundary: [place + 1]
        }
    }

    init(_ instruction: RegexInstruction, at place: Int) {
        switch instruction {
        case .scalar(let wanted):
            self.init(kind: .scalar, first: Int(wanted))
            take(wanted...wanted)
        case .any:
            self.init(kind: .any)
            for scalar: UInt32 in 0..<128 where instruction.accepts(scalar) { take(scalar...scalar) }
        case .set(let set):
            self.init(kind: .set)
            for range in set.ranges { take(range) }
        case .split(let first, let second): self.init(kind: .split, first: place + first, second: place + second)
        case .jump(let by): self.init(kind: .jump, first: place + by)
        case .save(let slot): self.init(kind: .save, first: slot)
        case .assert(let assertion):
            switch assertion {
            case .start: self.init(kind: .start)
            case .end: self.init(kind: .end)
            case .wordBoundary: self.init(kind: .wordBoundary)
            case .noWordBoundary: self.init(kind: .noWordBoundary)
            }
        case .match: self.init(kind: .match)
        }
    }

    private mutating func take(_ range: ClosedRange<UInt32>) {
        guard range.lowerBound < 128 else { return }
        for scalar in range.lowerBound...min(range.upperBound, 127) {
            if scalar < 64 { low |= 1 << UInt64(scalar) } else { high |= 1 << UInt64(scalar & 63) }
        }
    }
}
