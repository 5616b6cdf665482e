import Foundation
import ProxyRuntime
import Testing

@testable import Peers

/// Servers that die, hang and refuse, each a few lines of Python; what is asserted is what is said about them, never how
/// long it took.
@Suite(.timeLimit(.minutes(3))) struct TargetKeeperTests {
    static let python = "/usr/bin/python3"
    static var isThere: Bool { FileManager.default.isExecutableFile(atPath: python) }

    /// Listens, and does that with each connection `c`.
    static func server(_ onConnection: String, before: String = "pass") -> TargetKeeper.Source {
        let text = """
            import os,signal,socket,sys,time
            \(before)
            s=socket.create_server(('127.0.0.1',int(sys.argv[1])))
            while True:
                c=s.accept()[0]
                \(onConnection)
                c.close()
            """
        return .command("\(python) -c \"\(text)\" {port}", variables: [])
    }

    static func quick(_ change: (inout TargetKeeper.Settings) -> Void = { _ in }) -> TargetKeeper.Settings {
        var settings = TargetKeeper.Settings()
        settings.firstDelay = .milliseconds(1)
        settings.longestDelay = .milliseconds(5)
        settings.sampleInterval = .zero
        settings.grace = .seconds(1)
        change(&settings)
        return settings
    }

    /// Dies of the connection that says this, not of those that only look whether it listens.
    static let dies = "if c.recv(9)==b'die': print('boom',flush=True); os.kill(os.getpid(),signal.SIGSEGV)"

    static func say(_ word: String, to endpoint: Endpoint) async {
        await Threads.run(within: .seconds(60), otherwise: ()) {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: python)
            process.arguments = [
                "-c", "import socket; c=socket.create_connection(('127.0.0.1',\(endpoint.port))); c.sendall(b'\(word)'); c.recv(1)",
            ]
            process.standardError = FileHandle.nullDevice
            try? process.run()
            process.waitUntilExit()
        }
    }

    /// Asks until the process is known to have ended: its death follows its last word, not at once.
    static func ended(_ keeper: TargetKeeper) async -> TargetKeeper.State {
        var state = await keeper.check()
        for _ in 0..<6_000 {
            if case .ended = state { return state }
            try? await Task.sleep(for: .milliseconds(10))
            state = await keeper.check()
        }
        return state
    }

    @Test(.enabled(if: isThere)) func aCrashIsNotedOnceAndSurvived() async throws {
        let keeper = TargetKeeper(Self.server(Self.dies), settings: Self.quick())
        let first = try await keeper.start()
        #expect(await keeper.check() == .up)
        await Self.say("die", to: first)
        let state = await Self.ended(keeper)
        #expect(state == .ended(.signal(11), tail: ["boom"]))
        #expect(await keeper.check() == state)
        #expect(await keeper.crashes.map(\.ending.description) == ["signal 11 (SIGSEGV)"])
        #expect(await keeper.crashes.first?.tail == ["boom"])

        // Two who found the same one dead share a restart; who comes later gets what there is.
        async let one = keeper.restart(since: 1)
        async let two = keeper.restart(since: 1)
        #expect(try await one == two)
        #expect(try await keeper.restart(since: 1) == keeper.endpoint)
        #expect(await keeper.restarts == 1)
        #expect(await keeper.generation == 2)
        #expect(await keeper.check() == .up)
        #expect(await keeper.crashCount == 1)
        await keeper.stop()
        #expect(await keeper.crashCount == 1)
    }

    @Test(.enabled(if: isThere)) func theExitStatusAndTheLastLinesAreKept() async throws {
        let end = "if c.recv(9)==b'die': print(*range(30),sep=chr(10),flush=True); os._exit(3)"
        let keeper = TargetKeeper(Self.server(end), settings: Self.quick())
        await Self.say("die", to: try await keeper.start())
        #expect(await Self.ended(keeper) == .ended(.exit(3), tail: (10..<30).map(String.init)))
        await keeper.stop()
    }

    @Test(.enabled(if: isThere)) func whatHangsIsDownAndCanBeStartedAgain() async throws {
        // From the second connection on it takes them and says nothing.
        let hang = "n=globals().get('n',0)+1; c.recv(999) and n==1 and c.sendall(b'HTTP/1.1 400 no') or time.sleep(600)"
        let settings = Self.quick {
            $0.upgrade = "/ws"
            $0.bound = .milliseconds(300)
        }
        let keeper = TargetKeeper(Self.server(hang), settings: settings)
        try await keeper.start()
        #expect(await keeper.check() == .down("takes connections and answers no upgrade within 300 ms"))
        try await keeper.restart()
        #expect(await keeper.generation == 2)
        // It was us who ended it.
        #expect(await keeper.crashCount == 0)
        await keeper.stop()
    }

    @Test(.enabled(if: isThere)) func aTargetThatCannotLiveIsGivenUp() async throws {
        let keeper = TargetKeeper(Self.server(Self.dies), settings: Self.quick { $0.mostRestarts = 3 })
        try await keeper.start()
        for _ in 0..<3 { try await keeper.restart() }
        // What was provoked on purpose does not count.
        try await keeper.restart(isWanted: true)
        await #expect(throws: TargetError.gone("had to be started 3 times within 60 s")) { try await keeper.restart() }
        #expect(await keeper.restarts == 4)
        await keeper.stop()
        await #expect(throws: TargetError.self) { try await keeper.restart(isWanted: true) }
    }

    @Test(.enabled(if: isThere)) func aTargetThatDiesAtStartIsTriedAgainAndThenGivenUp() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("keeper-\(UUID().uuidString)").path
        let once = "os.path.exists('\(path)') and os._exit(7); open('\(path)','w')"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let keeper = TargetKeeper(Self.server("pass", before: once), settings: Self.quick { $0.mostRestarts = 2 })
        try await keeper.start()
        await #expect(throws: TargetError.gone("had to be started 2 times within 60 s")) { try await keeper.restart() }
        await keeper.stop()
    }

    @Test(.enabled(if: isThere)) func theWholeGroupIsMeasured() async throws {
        let child = "import subprocess; subprocess.Popen(['sleep','600'])"
        let keeper = TargetKeeper(Self.server("pass", before: child), settings: Self.quick())
        try await keeper.start()
        var sample = await keeper.sample()
        for _ in 0..<3_000 where sample?.processes != 2 {
            try await Task.sleep(for: .milliseconds(20))
            sample = await keeper.sample()
        }
        let taken = try #require(sample)
        #expect(taken.processes == 2)
        #expect(taken.threads == 2)
        #expect(taken.descriptors >= 7)
        #expect((1_000_000..<200_000_000).contains(taken.memory))
        #expect(await keeper.samples.last == taken)
        await keeper.stop()
        #expect(await keeper.sample() == nil)
    }

    @Test func anAddressThatRefusesIsNotSilent() async throws {
        let keeper = TargetKeeper(
            .address(Endpoint(host: "127.0.0.1", port: try #require(FreePort.find()))), settings: Self.quick())
        await #expect(throws: TargetError.gone("refuses connections")) { try await keeper.start() }
        #expect(await keeper.check() == .down("is not started"))
        #expect(await keeper.sample() == nil)
        let nowhere = TargetKeeper(.address(Endpoint(host: "no.such.host.invalid", port: 1)), settings: Self.quick())
        await #expect(throws: TargetError.self) { try await nowhere.start() }
    }

    @Test(.enabled(if: isThere)) func anAddressIsWaitedFor() async throws {
        let server = TargetKeeper(Self.server(Self.dies), settings: Self.quick())
        let endpoint = try await server.start()
        let keeper = TargetKeeper(.address(endpoint), settings: Self.quick { $0.patience = .milliseconds(200) })
        #expect(try await keeper.start() == endpoint)
        #expect(await keeper.check() == .up)
        try await keeper.restart()
        await server.stop()
        #expect(await keeper.check() == .down("refuses connections"))
        await #expect(throws: TargetError.gone("refuses connections")) { try await keeper.restart() }
    }

    @Test func aSlopeIsThatOfAllSamples() {
        var history = SampleHistory()
        #expect(history.memory == nil)
        for second in 0..<10_000 {
            history.add(
                TargetSample(
                    at: .seconds(second), memory: 1_000 + 16 * UInt64(second), descriptors: 9, threads: second % 2 + 1,
                    processes: 1))
        }
        #expect(history.count == 10_000)
        #expect(history.points.count <= SampleHistory.most)
        #expect(history.memory?.least == 1_000)
        #expect(history.memory?.most == 160_984.0)
        #expect(abs((history.memory?.slope ?? 0) - 16) < 1e-6)
        #expect(history.descriptors == SampleHistory.Trend(least: 9, most: 9, slope: 0))
        #expect(history.threads?.most == 2)
    }

    @Test func theTailIsBounded() {
        #expect(Crash.tail(of: "a\r\n\n  \nb\nc") == ["a", "b", "c"])
        let long = Crash.tail(of: String(repeating: "é", count: 10_000) + "\n" + String(repeating: "x\n", count: 50))
        #expect(long.count == Crash.lines)
        #expect(Crash.tail(of: String(repeating: "x", count: 10_000)).first?.utf8.count == Crash.lineBytes)
    }
}
