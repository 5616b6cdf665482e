import Contracts
import Journaling
import NIOCore

/// The target as a whole: its resources, and whether an honest user is still served while others are not honest.
extension Reader {
    mutating func readTarget(_ record: TargetRecord, _ entry: Entry) {
        switch record {
        case .sentinel(let user):
            targetWatch.sentinel = user
            readings.append(.target(.sentinel(user)))
        case .calibrated(let time):
            let (four, overflow) = time.nanoseconds.multipliedReportingOverflow(by: 4)
            leastBound = overflow || four < 0 ? .zero : .nanoseconds(four)
        case .gone(let how): readings.append(.target(.gone(how, evidence(ofTarget: [entry]))))
        case .usage(let usage):
            targetWatch.add(usage, entry)
            judgePeak(usage, entry)
            if usage.isQuiet { for resource in TargetWatch.Resource.allCases { judgeGrowth(of: resource) } }
        }
    }

    /// What left for the server, and who was there at once.
    mutating func weigh(_ entry: Entry) {
        let size: UInt64? =
            switch entry.body {
            case .frame(let frame) where frame.passage.direction == .toServer && frame.passage.out != nil: frame.wireSize
            case .bytes(let bytes) where bytes.passage.direction == .toServer && bytes.passage.out != nil: bytes.wireSize
            case .head(let head) where head.passage.direction == .toServer && head.passage.out != nil: head.wireSize
            default: nil
            }
        if let size { targetWatch.sent = targetWatch.sent.addingReportingOverflow(size).partialValue }
    }

    /// What was open on a connection that is over may keep the server at work for as long as the contract gives it.
    mutating func keepsAtWork(_ session: Session, at now: Instant) {
        guard !session.runs.isEmpty else { return }
        targetWatch.busyUntil = max(targetWatch.busyUntil, longestWait(from: now))
    }

    private mutating func judgePeak(_ usage: TargetUsage, _ entry: Entry) {
        guard isWholeJournal, !targetWatch.isPeakTold, let peak = targetWatch.peak(of: usage), peak.grown > peak.allowed,
            let first = targetWatch.first
        else { return }
        targetWatch.isPeakTold = true
        var evidence = evidence(ofTarget: [entry, first.entry])
        let all = sessions.keys.sorted().compactMap { sessions[$0] }
        if let session = all.first(where: { !$0.faults.isEmpty }) ?? all.first {
            evidence.sessions = [session.id]
            evidence.users = [session.user.label]
            evidence.witness += session.faults.suffix(3) + session.opening.suffix(1)
            evidence.faults = session.faultRecords
        }
        readings.append(.target(.peak(grown: peak.grown, allowed: peak.allowed, sent: targetWatch.sent, evidence)))
    }

    private mutating func judgeGrowth(of resource: TargetWatch.Resource) {
        guard isWholeJournal, !targetWatch.told.contains(resource), let growth = targetWatch.growth(of: resource) else { return }
        targetWatch.told.insert(resource)
        readings.append(
            .target(
                .grows(
                    resource.rawValue, from: growth.from, to: growth.to,
                    sessions: growth.last.usage.sessions - growth.first.usage.sessions,
                    evidence(ofTarget: [growth.last.entry, growth.first.entry]))))
    }

    /// The journal ends: what the checkpoints say, once.
    mutating func concludeTarget() {
        guard targetWatch.count > 1 else { return }
        let quiet = targetWatch.quiet.count
        if targetWatch.told.isEmpty, (TargetWatch.beginning..<TargetWatch.leastPoints).contains(quiet) {
            readings.append(.target(.tooFew(quiet)))
            lasting += 1
        } else if targetWatch.told.isEmpty, !targetWatch.isPeakTold {
            readings.append(.target(.bounded))
        }
    }

    /// What was sent, and who was there, is all in it.
    private var isWholeJournal: Bool { absence.holdsEverybody && holes.last == nil }

    private func evidence(ofTarget entries: [Entry]) -> Evidence {
        Evidence(
            causes: [], offending: entries.first?.ref, witness: entries, sessions: [], users: [], instant: entries.first?.instant ?? .zero,
            faults: [])
    }

    // MARK: The sentinel

    /// It asks for something, and its loop's clock is read.
    mutating func noteAsked(_ request: Request, loop: UInt16) {
        guard case .start = request.waits, request.user.name == targetWatch.sentinel else { return }
        guard targetWatch.marks.count < TargetWatch.mostMarks else {
            targetWatch.lacksMarks = true
            return
        }
        targetWatch.marks[request.number] = starvation.mark(loop, at: request.at)
    }

    /// One of its runs was settled.
    mutating func followSentinel(_ run: Run, _ fate: Fate) {
        guard run.owner.name == targetWatch.sentinel else { return }
        let mark = run.request.flatMap { targetWatch.marks.removeValue(forKey: $0) }
        guard case .kept = fate, let session = sessions[run.session], !session.isOver,
            !session.isClosedByClient, session.obscured == nil, let asked = Self.atServer(run.value.firstEntry),
            let done = Self.atServer(run.value.lastEntry), done > asked
        else { return }
        let others = sessions.keys.sorted().compactMap { sessions[$0] }
            .filter { $0.user != run.owner && $0.id != session.id && !$0.isRefused }
        // What our own faults do to the sentinel is no measure of the server.
        guard session.faultRecords.isEmpty, isWholeJournal else { return }
        let took = asked.duration(to: done)
        let isHeld = held(run, since: asked, until: done) != .none
        var pending = Pending(since: asked, bound: took, mark: mark)
        pending.due = asked
        let why: String? =
            if isHeld {
                "what was sent to \(run.owner.label) lay unread"
            } else if mark == nil, targetWatch.lacksMarks {
                "more of its requests are open than miswire keeps"
            } else {
                starvation.excuse(session.loop, pending, at: done, isLate: true)
            }
        var evidence = evidence(for: session, entry: run.value.lastEntry, at: done)
        if let first = run.value.firstEntry { evidence.witness.insert(first, at: min(1, evidence.witness.count)) }
        for other in others.prefix(3) {
            evidence.sessions.append(other.id)
            evidence.users.append(other.user.label)
            evidence.witness += other.faults.suffix(1) + other.opening.suffix(1)
            evidence.faults += other.faultRecords
        }
        readings.append(.target(.served(run.owner.label, took: took, isAlone: others.isEmpty, doubt: why, evidence)))
    }

    private static func atServer(_ entry: Entry?) -> Instant? {
        guard let entry, case .frame(let frame) = entry.body else { return nil }
        return frame.passage.atServer
    }
}
