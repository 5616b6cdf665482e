/// An expression worked out beforehand: a state is what threads `RegexMachine` would have, in order of preference, so that a
/// byte costs one look, and the way of the thread that matched is followed back for its groups. Of the same answers in every
/// case, for texts of ASCII; an expression that looks at the borders of words, or has too many states, has none.
struct RegexStates: Sendable {
    /// States times classes of characters, and threads in all of them.
    static let most = 4_096
    /// Steps of the automaton in which they are worked out.
    static let mostSteps = 1 << 16

    /// How a thread came here: the thread that it was before that byte, and the slots that were set between.
    struct Link: Sendable {
        var from: UInt16
        var saves: UInt64
    }

    /// What takes the same characters is of one class.
    private let classes: [UInt8]
    private let width: Int
    /// By state and class: the next one, 0 = none; and where the links of its threads begin.
    private let next: [UInt16]
    private let firsts: [UInt16]
    private let links: [Link]
    /// By state: how the best thread matches when the text ends there.
    private let ends: [Link?]

    enum Answer: Sendable {
        /// The text is not of ASCII.
        case unknown
        case misfit, fits
    }

    /// Offsets of bytes, -1 = unset.
    typealias Slots = InlineArray<64, Int>
    /// Texts of so many bytes need no list to be followed back.
    private static let short = 64

    init?(_ table: RegexTable) {
        guard var builder = RegexStatesBuilder(table), builder.build() else { return nil }
        classes = builder.classes
        width = builder.width
        next = builder.next
        firsts = builder.firsts
        links = builder.links
        ends = builder.ends
    }

    /// - Parameter slotCount: so many slots are filled; 0: only whether it matches is asked.
    func run(_ text: Span<UInt8>, slotCount: Int, into slots: inout Slots) -> Answer {
        if slotCount == 0 { return walk(text) { _, _ in }.answer }
        if text.count <= Self.short {
            var trace = InlineArray<64, UInt16>(repeating: 0)
            let (answer, end) = walk(text) { place, index in trace[place] = index }
            if let end { fill(&slots, slotCount, end, text.count) { trace[$0] } }
            return answer
        }
        var trace: [UInt16] = []
        trace.reserveCapacity(text.count)
        let (answer, end) = walk(text) { _, index in trace.append(index) }
        if let end { fill(&slots, slotCount, end, text.count) { trace[$0] } }
        return answer
    }

    /// - Parameter note: is told of each place and what was looked up there.
    @inline(__always)
    private func walk(_ text: Span<UInt8>, note: (Int, UInt16) -> Void) -> (answer: Answer, end: Link?) {
        var state = 1
        for place in text.indices {
            let byte = text[place]
            guard byte < 0x80 else { return (.unknown, nil) }
            let index = state &* width &+ Int(classes[Int(byte)])
            note(place, UInt16(truncatingIfNeeded: index))
            state = Int(next[index])
            // Whatever follows, no thread is left.
            if state == 0 { return (.misfit, nil) }
        }
        return ends[state].map { (.fits, $0) } ?? (.misfit, nil)
    }

    @inline(__always)
    private func fill(_ slots: inout Slots, _ count: Int, _ end: Link, _ length: Int, _ trace: (Int) -> UInt16) {
        var missing: UInt64 = count < 64 ? 1 << UInt64(count) &- 1 : .max
        var link = end
        var offset = length
        while true {
            var saves = link.saves & missing
            missing &= ~saves
            while saves != 0 {
                slots[saves.trailingZeroBitCount] = offset
                saves &= saves &- 1
            }
            guard offset > 0, missing != 0 else { return }
            offset -= 1
            link = links[Int(firsts[Int(trace(offset))]) + Int(link.from)]
        }
    }
}

/// Works them out: from each state, what a byte of each class leads to.
private struct RegexStatesBuilder {
    private(set) var classes: [UInt8] = Array(repeating: 0, count: 128)
    private(set) var width = 1
    private(set) var next: [UInt16] = []
    private(set) var firsts: [UInt16] = []
    private(set) var links: [RegexStates.Link] = []
    private(set) var ends: [RegexStates.Link?] = []

    private let table: RegexTable
    /// One character of each class.
    private var samples: [UInt32] = []
    /// By state: the steps that its threads begin with.
    private var states: [[Int]] = [[], [0]]
    private var numbers: [[Int]: Int] = [[]: 0]
    private var work = 0
    private var marks: [Bool]

    private struct Thread {
        var pc: Int
        var link: RegexStates.Link
    }

    /// Nil: it asks what no state tells.
    init?(_ table: RegexTable) {
        guard table.steps.count <= 512 else { return nil }
        self.table = table
        marks = Array(repeating: false, count: table.steps.count)
        for step in table.steps {
            switch step.kind {
            case .wordBoundary, .noWordBoundary: return nil
            case .save: if step.first >= 64 { return nil }
            case .scalar, .any, .set, .split, .jump, .start, .end, .match: break
            }
        }
        guard part() else { return nil }
    }

    /// Parts the characters: those of a class are all taken by a step, or none is.
    private mutating func part() -> Bool {
        var takers: Set<Taken> = []
        for step in table.steps where step.low | step.high != 0 { takers.insert(Taken(low: step.low, high: step.high)) }
        guard takers.count <= 64 else { return false }
        let lists = Array(takers)
        var kinds: [UInt64: UInt8] = [:]
        for character in 0..<128 {
            var kind: UInt64 = 0
            for (number, list) in lists.enumerated() where list.holds(UInt32(character)) { kind |= 1 << UInt64(number) }
            if kinds[kind] == nil {
                kinds[kind] = UInt8(samples.count)
                samples.append(UInt32(character))
            }
            classes[character] = kinds[kind] ?? 0
        }
        width = samples.count
        return true
    }

    private struct Taken: Hashable {
        var low: UInt64
        var high: UInt64
        func holds(_ scalar: UInt32) -> Bool { (scalar < 64 ? low : high) >> UInt64(scalar & 63) & 1 == 1 }
    }

    /// False: they are too many.
    mutating func build() -> Bool {
        // No thread: it is never left.
        ends.append(nil)
        next += Array(repeating: 0, count: width)
        firsts += Array(repeating: 0, count: width)
        var state = 1
        while state < states.count {
            let entries = states[state]
            // Only the first is where the text begins: what comes behind a byte begins with no step before it.
            let isStart = state == 1
            let atEnd = follow(entries, isStart: isStart, isEnd: true)
            ends.append(atEnd.first { table.steps[$0.pc].kind == .match }?.link)
            let threads = follow(entries, isStart: isStart, isEnd: false)
            for sample in samples {
                firsts.append(UInt16(links.count))
                next.append(UInt16(number(of: threads, taking: sample)))
                guard work <= RegexStates.mostSteps, links.count <= RegexStates.most, states.count * width <= RegexStates.most else {
                    return false
                }
            }
            state += 1
        }
        return true
    }

    /// The state that such a character leads to; its links are added.
    private mutating func number(of threads: [Thread], taking sample: UInt32) -> Int {
        var entries: [Int] = []
        for thread in threads where table.accepts(sample, at: thread.pc) {
            // Of two that go on alike the first is preferred.
            guard !entries.contains(thread.pc + 1) else { continue }
            entries.append(thread.pc + 1)
            links.append(thread.link)
        }
        work += threads.count + entries.count * entries.count
        if let known = numbers[entries] { return known }
        numbers[entries] = states.count
        states.append(entries)
        return states.count - 1
    }

    /// Follows everything that consumes nothing, as `RegexMachine.add` does.
    private mutating func follow(_ entries: [Int], isStart: Bool, isEnd: Bool) -> [Thread] {
        for pc in marks.indices { marks[pc] = false }
        work += marks.count / 16
        var threads: [Thread] = []
        for (number, entry) in entries.enumerated() {
            var stack = [(pc: entry, saves: UInt64(0))]
            while let (pc, saves) = stack.popLast() {
                work += 1
                guard work <= RegexStates.mostSteps, !marks[pc] else { continue }
                marks[pc] = true
                let step = table.steps[pc]
                switch step.kind {
                case .jump: stack.append((step.first, saves))
                case .split:
                    stack.append((step.second, saves))
                    stack.append((step.first, saves))
                case .save: stack.append((pc + 1, saves | 1 << UInt64(step.first)))
                case .start: if isStart { stack.append((pc + 1, saves)) }
                case .end: if isEnd { stack.append((pc + 1, saves)) }
                case .scalar, .any, .set, .match, .wordBoundary, .noWordBoundary:
                    threads.append(Thread(pc: pc, link: .init(from: UInt16(number), saves: saves)))
                }
            }
        }
        return threads
    }
}
