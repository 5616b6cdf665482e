import ArgumentParser

#if canImport(Glibc)
    import Glibc
#endif

/// The run was stopped by SIGINT or SIGTERM before it had its own summary.
struct Interrupted: Error {}

/// A verb that ends itself on a signal, with its own summary.
protocol StopsBySignal {}

/// Lets a verb run until it ends or a signal stops it: the first is waited for for a moment, a second ends at once.
enum Interruption {
    private enum Happening: Sendable {
        case ended(Result<Void, any Error>)
        case asked
    }

    /// What the stopped verb may still use to end the processes that it started.
    private static let patience = Duration.seconds(2)

    static func run(_ arguments: [String], _ console: Console) async throws {
        let command = try Miswire.parseAsRoot(arguments)
        let isServing = (command as? Replay)?.isServing ?? false
        guard !(command is any StopsBySignal), !isServing else { return try await perform(arguments) }
        let (happenings, sink) = AsyncStream.makeStream(of: Happening.self)
        let work = Task {
            do {
                try await perform(arguments)
                sink.yield(.ended(.success(())))
            } catch { sink.yield(.ended(.failure(error))) }
        }
        let watch = Task { for await _ in Signals.stream([SIGINT, SIGTERM]) { sink.yield(.asked) } }
        defer { watch.cancel() }
        var asked = false
        for await happening in happenings {
            switch happening {
            case .ended(let result):
                if asked { throw Interrupted() }
                return try result.get()
            case .asked:
                if asked { throw Interrupted() }
                asked = true
                console.hush()
                work.cancel()
                Task {
                    try? await Task.sleep(for: patience)
                    sink.yield(.asked)
                }
            }
        }
    }

    private static func perform(_ arguments: [String]) async throws {
        var command = try Miswire.parseAsRoot(arguments)
        if var command = command as? any AsyncParsableCommand {
            try await command.run()
        } else {
            try command.run()
        }
    }
}
