import Journaling
import NIOCore
import Wire

/// Faults that come, change and go while traffic flows. Nothing is lost by it and nothing is sent twice: what is under way
/// stays in its order, what a fault that is gone kept back goes on at once, and what has been told to be done is done.
extension SessionMachine {
    mutating func reconfigure(_ configuration: SessionConfiguration, at now: Instant, _ output: inout SessionOutput) {
        self.configuration = configuration
        let gone = trigger.adopt(configuration)
        guard phase != .over else { return }
        if isBegun { note(.note(Self.change(configuration.profile)), at: now, &output) }
        if let user, !configuration.borrows.contains(user) { configuration.lender.withdraw(id) }
        retire(gone, at: now, &output)
        rearrange(without: gone, at: now, &output)
    }

    /// `accepted` was told, whose entry is the first one.
    private var isBegun: Bool { nextOrdinal > 1 }

    /// One sentence for the journal: which profile decides from here on.
    static func change(_ profile: Profile?) -> String {
        guard let profile, !profile.faults.isEmpty else { return "profile: no faults from here on" }
        return "profile \(profile.name) \(profile.hash) from here on: \(profile.faults.map(\.id).joined(separator: ", "))"
    }

    /// Kill switch.
    mutating func faultsOff(at now: Instant, _ output: inout SessionOutput) {
        let gone = trigger.turnOff()
        guard phase != .over else { return }
        if !gone.isEmpty, isBegun { note(.note("faults are off from here on"), at: now, &output) }
        retire(gone, at: now, &output)
        reopenConduits(without: gone, at: now, &output)
        for direction in Direction.allCases where !isStillWanted(direction) { letGo(direction, at: now, &output) }
    }

    /// What these faults kept back goes on.
    private mutating func retire(_ gone: [String], at now: Instant, _ output: inout SessionOutput) {
        guard !gone.isEmpty else { return }
        if case .waiting(let until?)? = opening?.dial, let holds = opening?.holds.without(gone) {
            opening?.holds = holds
            opening?.dial = .waiting(until: min(until, holds.end ?? now))
        }
        for index in pauses.stalls.indices where gone.contains(pauses.stalls[index].hold.fault) {
            pauses.stalls[index].hold.until = min(pauses.stalls[index].hold.until, now)
        }
        endVisits(of: gone, "the fault was taken away", at: now, &output)
        retireMeetings(gone)
        if let fault = abandoned?.fault, gone.contains(fault) { endAbandoned(at: now, &output) }
        for direction in Direction.allCases where phase != .over { retire(gone, direction, at: now, &output) }
    }

    private mutating func retire(
        _ gone: [String], _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        if self[direction].gathering != nil, gone.contains(self[direction].gatherer) {
            self[direction].gathering = nil
            self[direction].outbox.hurry(at: now)
        }
        self[direction].outbox.release(without: gone, at: now)
        for index in self[direction].later.indices {
            guard let fault = self[direction].later[index].faults.last, gone.contains(fault) else { continue }
            self[direction].later[index].until = min(self[direction].later[index].until, now)
        }
        let owed = self[direction].owed.filter { gone.contains($0.fault) }
        self[direction].owed.removeAll { gone.contains($0.fault) }
        for crossing in owed { notApplied(crossing, "the fault was taken away", at: now, &output) }
    }

    /// The rules that hold now find what they need: messages lifted, bytes in hand, the server dialled.
    mutating func rearrange(without gone: [String], at now: Instant, _ output: inout SessionOutput) {
        if case .waiting(nil)? = opening?.dial, opening?.head == nil, opening?.stageEnds != .distantFuture,
            phase == .opening, !trigger.acceptNeedsHead
        {
            acceptFaults(at: now, &output)
        }
        for direction in Direction.allCases where phase != .over {
            switch self[direction].mode {
            case .scan where mustLift(direction, self[direction].extensions):
                switchToWork(ByteBuffer(), direction, at: now, &output)
            case .work where !isStillWanted(direction): letGo(direction, at: now, &output)
            default: break
            }
        }
        reopenConduits(without: gone, at: now, &output)
    }

    /// Something may still be made of the message that waits for its end.
    private func isStillWanted(_ direction: Direction) -> Bool {
        trigger.lifts(direction) || !self[direction].owed.isEmpty
            || (self[direction].work?.isRecoding == true && self[direction].work?.isCompressed == true)
    }
}
