import Journaling
import NIOCore
import Wire

/// A side that waits for a peer which is gone and has not said so.
struct Abandoned: Sendable {
    var side: Side
    var until: Instant
    var fault: String
}

extension SessionMachine {
    /// From here on nothing goes to that side, and nothing of it goes on. The other one is not told either: its own words go
    /// nowhere, and when it leaves, only its own transport is closed.
    mutating func abandon(
        _ side: Side, reads: Bool, until: Instant, fault: String, at now: Instant, _ output: inout SessionOutput
    ) {
        guard phase != .over, abandoned == nil else { return }
        for direction in Direction.allCases { shut(direction, at: now, &output) }
        ends.silenced.append((side, fault))
        if !reads { pause(side, .silent, true, at: now, &output) }
        abandoned = Abandoned(side: side, until: until, fault: fault)
        // An end that is here already is not handed on any more.
        if ends.isTold(side) { overBy(.fault, cause: fault, server: .half, at: now, &output) }
    }

    /// Its time is over. What has left by itself is closed already.
    mutating func endAbandoned(at now: Instant, _ output: inout SessionOutput) {
        guard let abandoned, phase != .over else { return }
        overBy(.fault, cause: abandoned.fault, server: ends.isTold(.server) ? nil : .reset, at: now, &output)
    }

    /// One of the two left. The one that is left alone keeps its transport; when it is that one, all is over.
    mutating func endedAlone(_ side: Side, at now: Instant, _ output: inout SessionOutput) {
        guard let abandoned else { return }
        if side == abandoned.side {
            overBy(.fault, cause: abandoned.fault, server: .half, at: now, &output)
        } else {
            ends.told(side)
            output.commands.append(.close(side, .half))
        }
    }
}
