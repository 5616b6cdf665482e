import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Waiting for the signals that end a verb.
enum Signals {
    /// Returns at the first SIGTERM or SIGINT, with its number.
    @discardableResult
    static func untilAskedToStop() async -> Int32 {
        for await number in stream([SIGTERM, SIGINT]) { return number }
        return SIGTERM
    }

    /// Each arrival of one of these signals, which no longer end the process by themselves.
    static func stream(_ numbers: [Int32]) -> AsyncStream<Int32> {
        AsyncStream { continuation in
            let sources = numbers.map { number in
                _ = signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler { continuation.yield(number) }
                source.resume()
                return source
            }
            let kept = SourceBox(sources)
            continuation.onTermination = { _ in kept.cancel() }
        }
    }
}

/// Keeps the sources alive for as long as somebody listens.
private final class SourceBox: Sendable {
    private let sources: Mutex<[any DispatchSourceSignal]>
    init(_ sources: sending [any DispatchSourceSignal]) { self.sources = Mutex(sources) }
    func cancel() { sources.withLock { for source in $0 { source.cancel() } } }
}
