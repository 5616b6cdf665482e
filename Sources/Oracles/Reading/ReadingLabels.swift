import Contracts
import Journaling

/// Labels that depend on a state fall with it (contract.md, semantics 3): a state that changes and comes back may have been
/// the other one where the server decided.
extension Reader {
    /// To be called when a message of that user has been read.
    mutating func recheckLabels(of user: Principal) {
        guard statefulLabels > 0 else { return }
        for id in members[user] ?? [] {
            for number in sessions[id]?.open ?? [] {
                guard let request = requests[number], case .refusal(_, isStateful: true) = request.waits, !stillRefused(request)
                else { continue }
                requests[number]?.waits = .nothing
                statefulLabels -= 1
            }
            for index in sessions[id]?.ghosts.indices ?? 0..<0 {
                guard let ghost = sessions[id]?.ghosts[index], case .refusal(_, isStateful: true) = ghost.request.waits,
                    !ghost.request.isIndeterminate, !stillRefused(ghost.request)
                else { continue }
                sessions[id]?.ghosts[index].request.isIndeterminate = true
            }
        }
    }
}
