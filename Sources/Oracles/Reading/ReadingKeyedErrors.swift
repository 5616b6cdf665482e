import Contracts
import Journaling
import Wire

/// Errors that bear the key of a run that is under way (contract.md, semantics 7).
extension Reader {
    /// An error that names a run ends it, unless its kind ends no run, or somebody has asked about that run: then it may be
    /// the answer, and the run goes on.
    mutating func endKeyed(
        _ number: UInt64, _ key: RunKey, _ kind: String?, _ event: Event, _ contract: Terms
    ) {
        guard !event.isCopy, let run = runs[number] else { return tellForm(of: event, nil, contract) }
        let ends = allows(contract.runs[run.rule], kind)
        let askers = openRequests(of: event.user).filter { names(key, $0, contract) }
        if ends, askers.isEmpty {
            tellForm(of: event, nil, contract)
            return step(number, event, contract)
        }
        runs[number]?.isIndeterminate = true
        let owed = askers.filter { awaits(kind, $0, contract) }
        let others = askers.filter { requests[$0]?.waits != .nothing && requests[$0]?.isRefusal == false }
        doubt(others)
        guard let asker = preferred(owed, event) ?? oldest(askers.filter { requests[$0]?.waits == .nothing }, event) else {
            return tellForm(of: event, nil, contract)
        }
        give(event, to: asker, isCertain: !ends && askers.count == 1, contract)
    }

    /// Its message bears that run's key.
    private func names(_ key: RunKey, _ number: UInt64, _ contract: Terms) -> Bool {
        guard let value = requests[number]?.recognition.value, contract.runs.indices.contains(key.rule) else { return false }
        return contract.key(of: contract.runs[key.rule], in: value).map { Identifiers.text($0) } == key.text
    }
}
