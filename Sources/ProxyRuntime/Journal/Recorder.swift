import Captures
import Journaling
import NIOCore
import NIOPosix
import Oracles
import Synchronization

/// The thread behind the loops: puts what they hand over into journal order and shows it to recording, oracle and
/// observers. Its queue is bounded (trust.md L11): when it is behind, sockets are no longer read, first those of sessions that
/// brought the most; nothing is dropped.
final class Recorder: Sendable {
    /// Tells a loop that the recorder has caught up, with these sessions or as a whole.
    typealias Resume = @Sendable (_ loop: Int, _ sessions: [SessionID], _ wholly: Bool) -> Void
    /// Asks a loop for its watermark.
    typealias Poke = @Sendable (_ loop: Int) -> Void

    private let thread: any EventLoop
    private let desk: NIOLoopBound<RecorderDesk>
    private let waiting = Atomic<Int>(0)
    private let limit: Int
    private let resume: Resume
    private let poke: Poke
    private let loops: Int
    private let poked: [Flag]
    /// What the run came to; the thread may be gone from then on.
    private let conclusion = Mutex<RunResult?>(nil)

    /// Set while a loop was asked for its watermark and has not answered.
    private final class Flag: Sendable {
        let isSet = Atomic<Bool>(false)
    }

    init(
        thread: any EventLoop, limit: Int, loops: Int, desk: NIOLoopBound<RecorderDesk>, resume: @escaping Resume,
        poke: @escaping Poke
    ) {
        self.thread = thread
        self.limit = limit
        self.loops = loops
        self.resume = resume
        self.poke = poke
        self.desk = desk
        poked = (0..<loops).map { _ in Flag() }
    }

    /// Half of what may wait does; the other half is for sessions that have not had their share.
    var isBehind: Bool { waiting.load(ordering: .relaxed) > limit / 2 }

    /// What each of so many sessions may have waiting while the recorder is behind as a whole.
    func share(of sessions: Int) -> Int { limit / 2 / max(1, sessions) }

    /// From any loop; never blocks.
    func accept(_ batch: Batch) {
        waiting.add(batch.bytes, ordering: .relaxed)
        thread.execute { [self] in
            if poked.indices.contains(batch.loop) { poked[batch.loop].isSet.store(false, ordering: .relaxed) }
            let outcome = desk.value.work(batch)
            for (backlog, inflated) in outcome.inflated { backlog.learn(inflated) }
            release(outcome.settled)
            if outcome.needsWatermarks { pokeAll(but: batch.loop) }
        }
    }

    private func release(_ settled: [Batch]) {
        var freed = 0
        var sessions = [[SessionID]](repeating: [], count: loops)
        for batch in settled {
            freed += batch.bytes
            for (backlog, bytes) in batch.charges where backlog.remove(bytes) {
                if sessions.indices.contains(backlog.loop) { sessions[backlog.loop].append(backlog.session) }
            }
        }
        let (old, new) = waiting.subtract(freed, ordering: .relaxed)
        let wholly = old > limit / 4 && new <= limit / 4
        for loop in 0..<loops where wholly || !sessions[loop].isEmpty { resume(loop, sessions[loop], wholly) }
    }

    private func pokeAll(but loop: Int) {
        for other in 0..<loops where other != loop {
            if !poked[other].isSet.exchange(true, ordering: .relaxed) { poke(other) }
        }
    }

    /// Behind all batches: closes the recording and sums up. Once.
    func conclude(lasted: Duration, drained: Bool) async -> RunResult {
        await withCheckedContinuation { continuation in
            thread.execute { [self] in
                let result = desk.value.conclude(lasted: lasted, drained: drained)
                conclusion.withLock { $0 = result }
                continuation.resume(returning: result)
            }
        }
    }

    /// What was judged and counted so far; the run goes on. Behind its end, what it came to.
    func snapshot(lasted: Duration) async -> RunResult {
        await withCheckedContinuation { continuation in
            // Asked under the lock, so that it is queued before the thread is let go: a thread that is gone would drop
            // the question, and the answer would never come.
            let known = conclusion.withLock { known in
                if known == nil {
                    thread.execute { [self] in
                        continuation.resume(returning: desk.value.result(lasted: lasted, drained: true))
                    }
                }
                return known
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    /// Numbers of this instant; nil once the run is over.
    func gauges(now: @escaping @Sendable () -> Instant) async -> Gauges? {
        await withCheckedContinuation { continuation in
            let isOver = conclusion.withLock { known in
                if known == nil {
                    thread.execute { [self] in
                        var gauges = desk.value.gauges(now: now())
                        gauges.waitingBytes = waiting.load(ordering: .relaxed)
                        continuation.resume(returning: gauges)
                    }
                }
                return known != nil
            }
            if isOver { continuation.resume(returning: nil) }
        }
    }
}
