import NIOCore
import NIOPosix
import Testing

/// Tests at real sockets run on threads of their own. On those that Swift has for all tasks, one a processor, a test beside
/// them that computes for seconds would keep them from seeing what the proxy does meanwhile: what comes two seconds late would
/// be there before anybody looks.
struct OwnThreads: SuiteTrait, TestTrait, TestScoping {
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 4)

    /// One of the threads.
    static var next: any TaskExecutor { Executor(loop: group.next()) }

    var isRecursive: Bool { true }

    func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? { testCase == nil ? nil : self }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(Self.next) { try await function() }
    }

    private final class Executor: TaskExecutor {
        private let loop: any EventLoop
        init(loop: any EventLoop) { self.loop = loop }

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            loop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        }
    }
}

extension Trait where Self == OwnThreads {
    /// Nobody else's work keeps these tests waiting.
    static var ownThreads: Self { Self() }
}
