/// Servers for reruns of a finding: of a command a process for each, a few at a time, so that what one rerun leaves behind
/// reaches no other; of an address that one, for one rerun at a time.
package actor TargetStand: Stand {
    private let source: TargetKeeper.Source
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    package init(_ source: TargetKeeper.Source) {
        self.source = source
        // Reruns wait more than they work, and share the machine's processors with their server.
        free = if case .command = source { 3 } else { 1 }
    }

    package func take() async throws -> (endpoint: Endpoint, held: TargetKeeper) {
        if free > 0 { free -= 1 } else { await withCheckedContinuation { waiting.append($0) } }
        let keeper = TargetKeeper(source)
        do { return (try await keeper.start(), keeper) } catch {
            leave()
            throw error
        }
    }

    package func give(back held: TargetKeeper) async {
        await held.stop()
        leave()
    }

    private func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
