extension LinearRegex {
    /// What is found, leftmost first and by preference, gives way to `template`, in which `$<name>` stands for what a named
    /// group took. At most `most` places; `count` of them.
    /// - Parameter budget: steps of the automaton; nil is answered when they are used up, so that no pattern and no text can
    ///   hold up who asks (trust.md T23).
    package func replacing(
        in candidate: String, with template: String, most: Int, budget: Int = 2_000_000
    ) -> (text: String, count: Int)? {
        guard candidate.utf8.count <= Self.maximumText else { return nil }
        let scalars = Array(candidate.unicodeScalars)
        var machine = RegexMachine(program: program, text: scalars.map(\.value))
        var out = String.UnicodeScalarView()
        var count = 0
        var copied = 0
        var from = 0
        while count < most, from <= scalars.count {
            guard let found = machine.search(from: from, slotCount: 2 * groups.count, budget: budget) else { break }
            count += 1
            out.append(contentsOf: scalars[copied..<found.range.lowerBound])
            fill(template, from: scalars, found.slots, into: &out)
            copied = found.range.upperBound
            // Behind an empty match one scalar is left as it is.
            from = found.range.isEmpty ? copied + 1 : copied
        }
        if machine.steps > budget { return nil }
        out.append(contentsOf: scalars[copied...])
        return (String(out), count)
    }

    private func fill(
        _ template: String, from text: [Unicode.Scalar], _ slots: [Int], into out: inout String.UnicodeScalarView
    ) {
        var rest = template.unicodeScalars[...]
        while let scalar = rest.first {
            if rest.starts(with: "$<".unicodeScalars), let end = rest.firstIndex(of: ">"),
                let group = groups.firstIndex(of: String(rest[rest.index(rest.startIndex, offsetBy: 2)..<end]))
            {
                let (first, last) = (slots[2 * group], slots[2 * group + 1])
                if first >= 0, last >= first { out.append(contentsOf: text[first..<last]) }
                rest = rest[rest.index(after: end)...]
            } else {
                out.append(scalar)
                rest = rest.dropFirst()
            }
        }
    }
}

extension RegexMachine {
    /// The leftmost match that begins at or behind an offset. Nil when there is none, or more steps than `budget` were made.
    mutating func search(from start: Int, slotCount: Int, budget: Int) -> (range: Range<Int>, slots: [Int])? {
        var current = Threads(marks: Array(repeating: 0, count: program.count))
        var next = current
        // Behind the slots of the groups: where the thread began.
        let fresh = Array(repeating: -1, count: slotCount)
        var found: (range: Range<Int>, slots: [Int])?
        for offset in start...text.count {
            if found == nil { add(0, slots: fresh + [offset], at: offset, to: &current) }
            if steps > budget { return nil }
            if current.list.isEmpty, found != nil { break }
            for thread in current.list {
                count()
                if program[thread.pc] == .match {
                    // Those behind it are of less preference.
                    found = ((thread.slots.last ?? offset)..<offset, thread.slots)
                    break
                }
                guard offset < text.count, program[thread.pc].accepts(text[offset]) else { continue }
                add(thread.pc + 1, slots: thread.slots, at: offset + 1, to: &next)
            }
            swap(&current, &next)
            next.list.removeAll(keepingCapacity: true)
        }
        return found
    }
}
