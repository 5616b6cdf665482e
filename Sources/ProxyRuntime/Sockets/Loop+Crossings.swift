import Faults
import Journaling
import NIOCore

/// What sessions have to do with one another, on whichever loop each lives.
extension Loop {
    func cross(_ crossing: Crossing, from session: Session) {
        guard let place = shared.directory.partner(for: crossing) else {
            return deliver(.crossingRefused(crossing, reason: "no live session of another user"), to: session)
        }
        var crossing = crossing
        crossing.partner = place.label
        let partner = place.session
        shared.loops.execute(on: place.loop) { [crossing] there in there.arrive(crossing, at: partner) }
    }

    private func arrive(_ crossing: Crossing, at id: SessionID) {
        guard let partner = sessions[id.value], !partner.isOver else {
            return answer(crossing, refused: "the partner's session had ended")
        }
        deliver(.crossed(crossing), to: partner)
    }

    /// Brings the answer back to the session that the message came from, wherever that lives.
    func answer(_ crossing: Crossing, refused: String?) {
        guard let place = shared.directory.place(of: crossing.from) else { return }
        shared.loops.execute(on: place.loop) { home in
            guard let session = home.sessions[crossing.from.value], !session.isOver else { return }
            let event: SessionEvent =
                refused.map { .crossingRefused(crossing, reason: $0) } ?? .crossingTaken(crossing)
            home.deliver(event, to: session)
        }
    }

    /// Whatever waits for other sessions is looked at again.
    func rouse(but session: Session?) {
        for id in sessions.keys.sorted() {
            if let other = sessions[id], other !== session { deliver(.roused, to: other) }
        }
        guard session != nil else { return }
        for handle in shared.loops.all where handle.eventLoop !== eventLoop { handle.execute { $0.rouse(but: nil) } }
    }
}
