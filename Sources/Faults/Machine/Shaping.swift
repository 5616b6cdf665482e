import Journaling
import NIOCore
import Wire

/// Transport faults: what leaves the outboxes goes through a conduit, if the profile has something for that direction.
extension SessionMachine {
    private func hasConduit(_ direction: Direction) -> Bool {
        direction == .toServer ? conduitToServer != nil : conduitToClient != nil
    }

    /// Taken out to be changed, so that its arrays are not copied.
    private mutating func takeConduit(_ direction: Direction) -> Conduit? {
        defer { if direction == .toServer { conduitToServer = nil } else { conduitToClient = nil } }
        return direction == .toServer ? conduitToServer : conduitToClient
    }

    private mutating func put(_ conduit: Conduit?, _ direction: Direction) {
        if direction == .toServer { conduitToServer = conduit } else { conduitToClient = conduit }
    }

    // MARK: Rules

    /// It is known whom the session concerns: the rules that do have their places from here on.
    mutating func openConduits(at now: Instant, _ output: inout SessionOutput) {
        guard opening?.hasConduits == false else { return }
        opening?.hasConduits = true
        for direction in Direction.allCases {
            let spans = spans(direction, at: now)
            if !spans.isEmpty { put(Conduit(direction, spans), direction) }
        }
        advanceConduits(at: now, &output)
    }

    /// Other rules hold from here on. What those that are gone held goes on, behind what went before and before the rest.
    mutating func reopenConduits(without gone: [String], at now: Instant, _ output: inout SessionOutput) {
        guard opening?.hasConduits ?? true, phase != .over else { return }
        var places: [String: Conduit.Span] = [:]
        for direction in Direction.allCases {
            let all = spans(direction, at: now, begun: true)
            for span in all { places[trigger.rules[span.rule].rule.id] = span }
            let spans = all.filter { !trigger.rules[$0.rule].hasBegun(direction) }
            if hasConduit(direction) {
                run(direction, at: now, &output) { conduit, out in
                    conduit.retire(gone, places, at: now)
                    conduit.advance(at: now, into: &out)
                }
            }
            guard !spans.isEmpty, phase != .over else { continue }
            var conduit = takeConduit(direction) ?? Conduit(direction, [])
            conduit.add(spans)
            put(conduit, direction)
        }
        advanceConduits(at: now, &output)
    }

    /// - Parameter begun: those too that are at work already.
    private func spans(_ direction: Direction, at now: Instant, begun: Bool = false) -> [Conduit.Span] {
        trigger.shaping(direction == .toServer ? .bytesToServer : .bytesToClient)
            .filter { $0.to > now && $0.to > $0.from && (begun || !trigger.rules[$0.rule].hasBegun(direction)) }
            .map { Conduit.Span(rule: $0.rule, from: $0.from, to: $0.to) }
    }

    /// Rules begin and end, and what waited for its time goes on.
    mutating func advanceConduits(at now: Instant, _ output: inout SessionOutput) {
        for direction in Direction.allCases where hasConduit(direction) {
            while let span = nextSpan(direction, at: now) { begin(span, direction, at: now, &output) }
            run(direction, at: now, &output) { conduit, out in conduit.advance(at: now, into: &out) }
        }
    }

    private mutating func nextSpan(_ direction: Direction, at now: Instant) -> Conduit.Span? {
        direction == .toServer ? conduitToServer?.nextSpan(at: now) : conduitToClient?.nextSpan(at: now)
    }

    /// Asks the rule's fault what is to become of the stream.
    private mutating func begin(
        _ span: Conduit.Span, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        let parcel = Parcel.stream(direction)
        guard span.to > now, trigger.rules.indices.contains(span.rule),
            let action = trigger.act(span.rule, on: parcel, in: scene(of: parcel, of: trigger.rules[span.rule], at: now), direction, ordinal: 0)
        else { return }
        let armed = trigger.rules[span.rule]
        trigger.began(span.rule, direction)
        var record = armed.record(direction == .toServer ? .serverOut : .clientOut, on: nil)
        switch action {
        case .pass: break
        case .notApplied(let reason):
            record.detail = reason
            record.applied = false
            note(.fault(record), at: now, &output)
        case .effects(let effects, let detail):
            record.detail = detail
            var isTold = false
            for case .pauseReads(let paused, let until) in effects {
                let until = min(until, span.to)
                if until < .distantFuture { record.held = now.duration(to: until) }
                note(.fault(record), at: now, &output)
                isTold = true
                stall(paused.source, Hold(fault: armed.rule.id, until: until), at: now, &output)
            }
            for case .shape(let shaper) in effects {
                record.held = max(record.held, shaper.held)
                var conduit = takeConduit(direction)
                conduit?.add(
                    Conduit.Stage(
                        span: span, fault: armed.rule.id, shaper: shaper, record: isTold ? nil : record))
                put(conduit, direction)
                self[direction].isShaped = true
            }
        }
    }

    // MARK: Bytes

    /// From the outbox into the conduit.
    mutating func shape(_ item: Outbox.Item, _ direction: Direction, at now: Instant, _ output: inout SessionOutput) {
        switch item {
        case .crossing: break
        case .bytes(let bytes, let note):
            if bytes.readableBytes == 0 { return }
            let parts = arrived(bytes, note, direction, at: now, &output)
            run(direction, at: now, &output) { conduit, out in
                for (bytes, note) in parts { conduit.take(bytes, note, at: now, into: &out) }
            }
        case .end, .halfClose, .cut, .abandon, .over:
            run(direction, at: now, &output) { conduit, out in conduit.take(item, at: now, into: &out) }
        }
    }

    /// What goes in has its entry by now, and each frame will have its own when it leaves.
    private mutating func arrived(
        _ bytes: ByteBuffer, _ note: Outbox.Note, _ direction: Direction, at now: Instant,
        _ output: inout SessionOutput
    ) -> [(ByteBuffer, Outbox.Note)] {
        switch note {
        case .whole(let kind, let arrived):
            let ref = piece(direction, kind, bytes, in: arrived, out: nil, at: now, &output)
            return [(bytes, .departure(kind, Provenance(source: ref)))]
        case .departure(.frame, _): return Self.frames(bytes).map { ($0, note) }
        case .departure, .made, .recoded, .told: return [(bytes, note)]
        }
    }

    private mutating func run(
        _ direction: Direction, at now: Instant, _ output: inout SessionOutput,
        _ body: (inout Conduit, inout [Conduit.Outcome]) -> Void
    ) {
        guard var conduit = takeConduit(direction) else { return }
        var outcomes: [Conduit.Outcome] = []
        body(&conduit, &outcomes)
        let limits = configuration.limits
        if conduit.isLong, conduit.price > limits.heldBytes {
            limit("L10", "more than \(limits.heldBytes) bytes held, the oldest go on early", direction, at: now, &output)
            conduit.relieve(to: limits.heldBytes, at: now, into: &outcomes)
        }
        self[direction].isShaped = conduit.isActive
        let most = conduit.isLong ? limits.heldBytes : limits.pendingHigh
        if conduit.price > most {
            pause(direction.source, .shaped, true, at: now, &output)
        } else if conduit.price <= most / 2 {
            pause(direction.source, .shaped, false, at: now, &output)
        }
        put(conduit.isOver ? nil : conduit, direction)
        for outcome in outcomes { perform(outcome, direction, at: now, &output) }
    }

    private mutating func perform(
        _ outcome: Conduit.Outcome, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        switch outcome {
        case .write(let bytes, let apart):
            if self[direction].isShut { return ends.lost(direction.destination, bytes.readableBytes) }
            if !apart { return write(bytes, direction, &output) }
            flush(direction, &output)
            output.commands.append(.write(direction.destination, bytes))
            output.commands.append(.flush(direction.destination))
        case .told(.departed(let bytes, let note)):
            if !self[direction].isShut { tell(bytes, note, direction, at: now, &output) }
        case .told(.partly(_, .told, _, _)): break
        case .told(.partly(let bytes, let note, let left, let fault)):
            let faults = fault.isEmpty ? [] : [fault]
            piece(
                direction, .bytes(.illegal), bytes, in: nil, out: left, Provenance(source: note.source, faults: faults),
                at: now, &output)
        case .lost(let count, let fault):
            ends.lost(direction.destination, count)
            if !ends.silenced.contains(where: { $0.side == direction.destination }) {
                ends.silenced.append((direction.destination, fault))
            }
        case .acted(let record): note(.fault(record), at: now, &output)
        case .deed(let item):
            if phase != .over { perform(item, direction, at: now, &output) }
        }
    }

    /// Nothing more goes that way: what was under way is lost.
    mutating func closeConduit(_ direction: Direction, at now: Instant, _ output: inout SessionOutput) {
        guard var conduit = takeConduit(direction) else { return }
        self[direction].isShaped = false
        var outcomes: [Conduit.Outcome] = []
        ends.lost(direction.destination, conduit.close(into: &outcomes))
        pause(direction.source, .shaped, false, at: now, &output)
        for outcome in outcomes { perform(outcome, direction, at: now, &output) }
    }
}

extension Outbox.Note {
    /// The entry of what arrived.
    fileprivate var source: EntryRef? {
        switch self {
        case .whole, .told: nil
        case .departure(_, let provenance), .made(let provenance), .recoded(let provenance, _): provenance.source
        }
    }
}
