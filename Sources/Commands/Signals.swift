import Dispatch

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
                _ = unsafe signal(number, SIG_IGN)
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
    private let sources: [any DispatchSourceSignal & Sendable]
    init(_ sources: [any DispatchSourceSignal]) {
        self.sources = sources.map { $0 as any DispatchSourceSignal & Sendable }
    }
    func cancel() { for source in sources { source.cancel() } }
}
