package import Contracts
package import Journaling

/// Judges a journal, live or later: the same entries in the same order give the same judgement, whenever and however
/// often time is advanced between them.
package struct Judge: Sendable {
    private var reader: Reader
    /// Nil: somebody else keeps it.
    private var ledger: Ledger?
    private var seats: [Seat]
    private var collector: Collector
    private var board: MonitorBoard
    private var entries: UInt64 = 0
    private let kinds: [String]
    /// By the number of a kind of reading: the seats that hear it, a bit each, so that none is looked at that has nothing to do.
    private let listeners: [UInt64]
    private let timed: [Int]
    /// The seats that are asked, a bit each: not those that do not apply, nor one that threw. It is inconclusive then, and
    /// nothing else suffers.
    private var asked: UInt64 = 0
    /// Room for the next readings.
    private var spare: [Reading] = []

    /// A property and what it has said.
    private struct Seat: Sendable {
        var property: any Property
        var summary: PropertySummary
        var requirement: String
    }

    /// Without a contract only H1 (nothing before the 101) is asked.
    /// - Parameter absence: what the journal is known to lack. What the gaps in its numbers tell is seen anyway.
    package init(contract: Contract?, absence: Absence = []) {
        self.init(contract: contract, properties: PropertyRegistry.all, absence: absence)
    }

    /// Nothing is judged; the monitors of connections watch alone.
    /// - Parameter seesFrames: false when the journal holds only what happens once a session does.
    package init(watchingOnly seesFrames: Bool) { self.init(contract: nil, properties: [], seesFrames: seesFrames) }

    init(
        contract: Contract?, properties: [any Property.Type], absence: Absence = [], capacity: Reader.Capacity = .init(),
        seesFrames: Bool = true
    ) {
        reader = Reader(contract, absence: absence, capacity: capacity)
        collector = Collector(contractFile: contract?.file ?? "")
        ledger = properties.isEmpty ? nil : Ledger()
        board = MonitorBoard(contract, absence: absence, seesFrames: seesFrames)
        kinds = contract?.errors?.kinds ?? []
        listeners = (0..<ReadingKinds.RawValue.bitWidth).map { number in
            properties.indices.reduce(0) {
                properties[$1].hears.contains(ReadingKinds(rawValue: 1 << number)) ? $0 | Self.bit($1) : $0
            }
        }
        timed = properties.indices.filter { properties[$0].isTimed }
        seats = properties.map { type in
            var summary = PropertySummary(id: type.id, name: type.name)
            summary.notApplicable = type.missingKey(in: contract)
            return Seat(property: type.init(contract), summary: summary, requirement: type.requirement)
        }
        for index in seats.indices where seats[index].summary.notApplicable == nil { asked |= Self.bit(index) }
    }

    /// There are 64, of three times as many as there are properties.
    private static func bit(_ seat: Int) -> UInt64 { 1 << UInt64(clamping: seat) }

    /// Entries in journal order: (instant, loop, sequence), ticks included.
    package mutating func observe(_ entry: Entry) {
        if !entry.body.isTick { entries += 1 }
        ledger?.observe(entry)
        reader.noteHoles(entry)
        advance(to: Reader.horizon(of: entry))
        board.advance(to: entry)
        reader.read(entry)
        board.observe(entry, &reader.pulses)
        if !reader.readings.isEmpty { hear() }
    }

    /// From now on it is kept how each message was read; whoever asks takes it, and soon.
    package mutating func tellMessages() { reader.readout = [] }

    package mutating func takeMessages() -> [MessageReading] {
        guard let readings = reader.readout, !readings.isEmpty else { return [] }
        reader.readout = []
        return readings
    }

    /// Nothing earlier than `now` will be observed any more: deadlines due before it fire.
    package mutating func advance(to now: Instant) {
        while reader.fireNext(before: now) {
            if !reader.readings.isEmpty { hear() }
        }
        if !timed.isEmpty { ask(timed) { try $0.advance(to: now) } }
    }

    /// Findings that are new since the last call, for the live proxy. `conclude` gives them all again, complete.
    package mutating func newFindings() -> [Finding] { collector.takeNew() }

    /// Alerts that opened or cleared since the last call.
    package mutating func newAlerts() -> [AlertChange] { board.takeNews() }

    /// Where things stand, without what an end of the journal would bring: cheap enough to be asked for each second.
    package var standing: MonitorReport {
        var report = board.report
        report.properties = seats.map(\.summary)
        report.errorKinds = kinds.count
        report.errorsDelivered = kinds.filter(reader.errorsDelivered.contains).count
        return report
    }

    /// What was judged so far, as if the journal ended here; the judge itself goes on unchanged.
    package func conclude(at end: Instant) -> Judgement {
        var copy = self
        return copy.finish(at: end)
    }

    private mutating func finish(at end: Instant) -> Judgement {
        advance(to: end)
        board.conclude(at: end)
        let before = undecided
        let standing = collector.findings.map(\.id)
        reader.conclude(at: end)
        hear()
        ask(Array(seats.indices)) { try $0.conclude(at: end) }
        var judgement = Judgement()
        judgement.properties = seats.map(\.summary)
        judgement.pending = max(0, undecided - before - reader.lasting)
        judgement.standing = standing
        judgement.findings = collector.findings
        judgement.toolErrors = ledger?.differences ?? []
        judgement.errorKinds = kinds
        judgement.errorsDelivered = kinds.filter(reader.errorsDelivered.contains)
        judgement.sessions = reader.sessionCount
        judgement.runs = Int(clamping: reader.lastRun)
        judgement.entries = entries
        judgement.faultsActed = reader.faultsActed
        judgement.notes = reader.notes
        judgement.alerts = board.alerts
        judgement.monitors = board.statuses
        judgement.vitals = board.vitals
        if collector.dropped > 0 { judgement.notes.append("\(collector.dropped) more findings are not listed") }
        return judgement
    }

    /// What may change as long as the journal goes on: everything but passes and excuses.
    private var undecided: Int { seats.reduce(0) { $0 + $1.summary.inconclusive + $1.summary.failed } }

    /// Tells the properties what the reader made of the entry in hand.
    private mutating func hear() {
        // The two buffers take turns: neither is copied, and both keep their room.
        var readings: [Reading] = []
        swap(&readings, &spare)
        swap(&readings, &reader.readings)
        var items: [Collector.Item] = []
        for reading in readings {
            let kind = reading.kind
            if !kind.isDisjoint(with: MonitorBoard.hears) { board.hear(reading) }
            var rest = listeners[kind.number] & asked
            while rest != 0 {
                let index = rest.trailingZeroBitCount
                rest &= rest &- 1
                do {
                    guard let ruling = try seats[index].property.observe(reading) else { continue }
                    if case .pass = ruling { seats[index].summary.pass() } else { count(ruling, at: index, into: &items) }
                } catch {
                    excuse(index, for: error)
                }
            }
        }
        // Of few, this is a tenth of what it costs to remove all at once.
        while readings.popLast() != nil {}
        swap(&readings, &spare)
        if !items.isEmpty { collector.add(items) }
    }

    private mutating func ask(_ places: [Int], _ question: (inout any Property) throws -> [Ruling]) {
        var items: [Collector.Item] = []
        for index in places where asked & Self.bit(index) != 0 {
            do {
                let rulings = try question(&seats[index].property)
                for ruling in rulings { count(ruling, at: index, into: &items) }
            } catch {
                excuse(index, for: error)
            }
        }
        if !items.isEmpty { collector.add(items) }
    }

    /// It is asked no more.
    private mutating func excuse(_ index: Int, for error: any Error) {
        asked &= ~Self.bit(index)
        seats[index].summary.checked += 1
        seats[index].summary.inconclusive += 1
        note("the judge of \(seats[index].summary.id) failed: \(error)", at: index, in: \.reasons)
    }

    private mutating func count(_ ruling: Ruling, at index: Int, into items: inout [Collector.Item]) {
        if case .pass = ruling { return seats[index].summary.pass() }
        seats[index].summary.checked += 1
        switch ruling {
        case .pass: break
        case .excused(let why):
            seats[index].summary.excused += 1
            note("\(seats[index].summary.id) \(why)", at: index, in: \.excuses)
        case .inconclusive(let why):
            seats[index].summary.inconclusive += 1
            note(why, at: index, in: \.reasons)
        case .fail(let violation):
            seats[index].summary.failed += 1
            items.append(
                .init(property: seats[index].summary.id, requirement: seats[index].requirement, violation: violation))
        }
    }

    private mutating func note(_ text: String, at index: Int, in list: WritableKeyPath<PropertySummary, [String]>) {
        let known = seats[index].summary[keyPath: list]
        if known.count < 8, !known.contains(text) { seats[index].summary[keyPath: list].append(text) }
    }
}
