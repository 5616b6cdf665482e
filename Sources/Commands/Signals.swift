import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Waiting for the signals that end a verb.
///
/// The handler writes a signal's number into a pipe, and a thread reads it there: from the moment that a stream exists no
/// signal is lost, however soon it comes. A dispatch source of signals is registered some time after it was made, and what
/// arrives between is gone.
enum Signals {
    private struct Listener {
        var numbers: Set<Int32>
        var continuation: AsyncStream<Int32>.Continuation
    }
    private struct Desk {
        var next = 0
        var listeners: [Int: Listener] = [:]
    }
    private static let desk = Mutex(Desk())
    /// The pipe's end that the handler writes into; -1 where there is no pipe.
    private static let writeEnd = Atomic<Int32>(-1)

    /// Returns at the first SIGTERM or SIGINT, with its number.
    @discardableResult
    static func untilAskedToStop() async -> Int32 {
        for await number in stream([SIGTERM, SIGINT]) { return number }
        return SIGTERM
    }

    /// Each arrival of one of these signals, which no longer end the process by themselves.
    static func stream(_ numbers: [Int32]) -> AsyncStream<Int32> {
        AsyncStream { continuation in
            let place = desk.withLock { desk in
                desk.next += 1
                desk.listeners[desk.next] = Listener(numbers: Set(numbers), continuation: continuation)
                return desk.next
            }
            continuation.onTermination = { _ in desk.withLock { $0.listeners[place] = nil } }
            _ = reader
            // Without a pipe a signal does what it always does.
            if writeEnd.load(ordering: .relaxed) >= 0 { for number in numbers { handle(number) } }
        }
    }

    private static func handle(_ number: Int32) {
        // Only what may be done in a handler (signal-safety(7)).
        _ = signal(number) { number in
            let saved = errno
            var byte = UInt8(truncatingIfNeeded: number)
            _ = unsafe write(Signals.writeEnd.load(ordering: .relaxed), &byte, 1)
            errno = saved
        }
    }

    private static let reader: Void = {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // A handler must not wait, not even for a reader behind 65,536 signals.
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        writeEnd.store(ends[1], ordering: .relaxed)
        let input = ends[0]
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while true {
                let count = unsafe read(input, &byte, 1)
                if count < 0, errno == EINTR { continue }
                guard count == 1 else { return }
                let number = Int32(byte)
                let listeners = desk.withLock { Array($0.listeners.values) }
                for listener in listeners where listener.numbers.contains(number) { listener.continuation.yield(number) }
            }
        }
    }()
}
