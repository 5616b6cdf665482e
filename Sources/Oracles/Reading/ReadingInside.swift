import Contracts
import Journaling

/// Requests that are refused by an error inside the run that they start (contract.md, semantics 5, `inside`).
extension Reader {
    /// The request takes its turn for the start like a valid one. False: its rule refuses it in the plain way.
    mutating func openInside(_ request: inout Request, rule: Int, isStateful: Bool, on id: SessionID) -> Bool {
        guard let contract, contract.reject.indices.contains(rule), let name = contract.reject[rule].inside,
            let index = contract.runs.firstIndex(where: { $0.name == name })
        else { return false }
        var refused = request
        refused.waits = .refusal(rule: rule, isStateful: isStateful)
        let run = beginRun(index, for: &request, on: id, isDoubtful: request.isIndeterminate)
        runs[run]?.inside = refused
        request.waits = .start(run: run)
        return true
    }

    /// The run has reached its end: by an error, as it must, or by anything else, which is E4.
    mutating func endInside(_ number: UInt64, _ event: Event, _ contract: Terms) {
        guard let run = runs[number], let request = run.inside else { return }
        runs[number]?.inside = nil
        guard stillRefused(request) else { return }
        if event.isError {
            let kind = event.recognition.value.flatMap(contract.errorKind)
            if let kind, allows(request, kind: kind), contract.errors?.kinds.contains(kind) == true { errorsDelivered.insert(kind) }
            return tell(rejectionOf: request, .kept(event.type))
        }
        if run.isIndeterminate { return tell(rejectionOf: request, .undecided("its link to events is not unique")) }
        if let why = mayBeOfUnseen(request.user, at: event.at, isNamed: true) { return tell(rejectionOf: request, .undecided(why)) }
        var evidence = evidence(of: run, entry: event.entry, at: event.at)
        evidence.causes.append(.request(request.number))
        readings.append(
            .success(
                .init(request: request.value.card(line(of: request)), event: event.type, byKey: true, evidence: evidence)))
    }

    /// The run went another way: of one that never ends E1 tells.
    mutating func leaveInside(_ number: UInt64, _ fate: Fate) {
        guard let request = runs[number]?.inside else { return }
        runs[number]?.inside = nil
        switch fate {
        case .cut, .undecided, .kept: tell(rejectionOf: request, fate)
        case .missed, .broken: break
        }
    }

    private mutating func tell(rejectionOf request: Request, _ fate: Fate) {
        if let obligation = obligation(of: request), !isSilent(request) { readings.append(.settled(obligation, fate)) }
    }
}
