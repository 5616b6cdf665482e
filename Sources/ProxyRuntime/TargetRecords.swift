package import Journaling

/// What whoever watches the target writes into the proxy's journal.
extension ProxyServer {
    /// Stands behind everything that the proxy had seen when this was called.
    package func tell(_ record: TargetRecord) {
        shared.loops.execute(on: 0) { $0.tell(record) }
    }

    /// Sessions so far, those that are over included.
    package var sessionsBegun: Int { shared.begun }
}
