import Contracts
import Journaling

/// What monitors are told of what the reader sees.
extension Reader {
    @inline(__always)
    mutating func pulse(_ kind: Pulse.Kind, _ id: SessionID) { pulses.append(Pulse(kind, id)) }

    mutating func pulseAsked(_ recognition: Recognition, _ id: SessionID) {
        if recognition.outcome != .ignored, recognition.heartbeat == nil { pulse(.asked, id) }
    }

    mutating func pulseEvent(_ recognition: Recognition, _ traits: EventTraits, _ id: SessionID) {
        guard recognition.outcome != .ignored, recognition.heartbeat == nil else { return }
        pulse(.event(isError: traits.contains(.isError), isReady: traits.contains(.isCalledReady)), id)
    }

    /// What became of a run that reached no end of its own.
    static func end(_ fate: Fate) -> RunEnd {
        switch fate {
        case .missed, .broken, .cut: .lost
        case .kept, .undecided: .abandoned
        }
    }
}
