import Journaling
import NIOCore
import Peers
import Plans
import ReferenceBackend
import Testing

/// A play can be given up at any moment, and then it ends.
@Suite(.timeLimit(.minutes(3))) struct PlayTests {
    private static func plan() throws -> Plan {
        try PlanText.parse(
            ReplayTests.malformed.replacing("until error within 400ms", with: "until agent_completed within 1h"))
    }

    private static func machine() throws -> PlayMachine {
        PlayMachine(
            try plan(),
            settings: PlayMachine.Settings(host: "127.0.0.1:1", contract: nil, seed: 1, key: [1], epoch: 0))
    }

    private static func words(_ commands: [PlayMachine.Command]) -> [String] {
        commands.map { "\($0)".prefix { $0 != "(" }.description }
    }

    @Test func givenUpWhileItsTransportIsDialled() throws {
        var machine = try Self.machine()
        var commands: [PlayMachine.Command] = []
        machine.handle(.begin, at: .zero, into: &commands)
        #expect(Self.words(commands) == ["connect", "wake"])
        commands = []
        machine.handle(.finish, at: Instant(nanoseconds: 5), into: &commands)
        #expect(Self.words(commands) == ["reset", "played", "over"])
        commands = []
        // What becomes of the transport is nobody's concern any more.
        machine.handle(.connected(0), at: Instant(nanoseconds: 9), into: &commands)
        machine.handle(.wake, at: Instant(nanoseconds: 2_000_000_000), into: &commands)
        #expect(Self.words(commands) == [])
    }

    @Test func givenUpBeforeItBegan() throws {
        var machine = try Self.machine()
        var commands: [PlayMachine.Command] = []
        machine.handle(.finish, at: .zero, into: &commands)
        #expect(Self.words(commands) == ["played", "over"])
        commands = []
        machine.handle(.begin, at: Instant(nanoseconds: 5), into: &commands)
        #expect(Self.words(commands) == [])
    }

    @Test func aTransportThatNeverEndsEndsWithTheFarewell() throws {
        var machine = try Self.machine()
        var commands: [PlayMachine.Command] = []
        machine.handle(.begin, at: .zero, into: &commands)
        machine.handle(.connected(0), at: .zero, into: &commands)
        let refusal = ByteBuffer(string: "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
        machine.handle(.received(0, refusal), at: .zero, into: &commands)
        commands = []
        machine.handle(.finish, at: .zero, into: &commands)
        #expect(Self.words(commands).contains("over") == false)
        let due = commands.compactMap { if case .wake(let instant) = $0 { instant } else { nil } }
        commands = []
        machine.handle(.wake, at: try #require(due.last), into: &commands)
        #expect(Self.words(commands) == ["reset", "over"])
    }

    /// At whatever point of dialling, asking and talking: all of them end, and a step that waited says why it no longer does.
    @Test func givenUpAtAnyMoment() async throws {
        let server = try await BackendServer.start(seed: 1)
        let endpoint = Endpoint(host: "127.0.0.1", port: server.port)
        let plan = try Self.plan()
        await withTaskGroup(of: [StepResult].self) { group in
            for number in 0..<60 {
                group.addTask {
                    let performance = Player(options: Player.Options(contract: nil)).begin(plan, at: endpoint)
                    for _ in 0..<number { await Task.yield() }
                    if number % 2 == 1 { try? await Task.sleep(for: .microseconds(number * 200)) }
                    await performance.finish()
                    return await performance.played()
                }
            }
            for await steps in group {
                #expect(steps.count <= plan.steps.count)
                #expect(steps.dropFirst(3).allSatisfy { $0.outcome == .cannot("the play was stopped") })
            }
        }
        await server.stop()
        await server.stop()
    }
}
