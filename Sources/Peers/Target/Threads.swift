import Glibc
import Synchronization

/// Plain threads, for calls that block.
enum Threads {
    /// False when no thread is left; then nothing was called.
    static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        let box = unsafe Unmanaged.passRetained(Box(body)).toOpaque()
        var thread = pthread_t()
        let failed = unsafe pthread_create(
            &thread, nil,
            { pointer in
                if let pointer = unsafe pointer { unsafe Unmanaged<Box>.fromOpaque(pointer).takeRetainedValue().body() }
                return nil
            }, box)
        if failed == 0 {
            pthread_detach(thread)
        } else {
            unsafe Unmanaged<Box>.fromOpaque(box).release()
        }
        return failed == 0
    }

    /// What the call says, or `otherwise` when it has not come back by then (name servers keep their own time) or no
    /// thread is left for it. A late call ends by itself, unheard.
    static func run<Value: Sendable>(
        within bound: Duration, otherwise: Value, _ body: @escaping @Sendable () -> Value
    ) async -> Value {
        await withCheckedContinuation { (heard: CheckedContinuation<Value, Never>) in
            let once = Once(heard)
            let timer = Task {
                try? await Task.sleep(for: bound)
                once.resume(otherwise)
            }
            let isRunning = start {
                once.resume(body())
                timer.cancel()
            }
            if !isRunning {
                once.resume(otherwise)
                timer.cancel()
            }
        }
    }

    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private final class Once<Value: Sendable>: Sendable {
        private let waiting: Mutex<CheckedContinuation<Value, Never>?>
        init(_ continuation: CheckedContinuation<Value, Never>) { waiting = Mutex(continuation) }

        func resume(_ value: Value) {
            waiting.withLock { waiting in
                defer { waiting = nil }
                return waiting
            }?.resume(returning: value)
        }
    }
}
