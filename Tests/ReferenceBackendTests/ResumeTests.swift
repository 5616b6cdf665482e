import NIOCore
import Testing
import Wire

@testable import ReferenceBackend

/// History, resume and the bounded queue of a reader that stands still; B18, B19 and B20 in them.
@Suite struct ResumeTests {
    private func start(_ agent: String, _ more: String = "", user: String = "alice") -> String {
        #"{"type":"agent_started","user_id":"\#(user)","agent_name":"\#(agent)"\#(more)}"#
    }

    private func numbers(_ stage: Stage, _ id: BackendConnectionID) -> [Int] {
        stage.events(id).compactMap { $0["seq"]?.integer }
    }

    private func thread(_ stage: Stage, _ id: BackendConnectionID) -> String {
        stage.events(id).lazy.compactMap { $0["thread_id"]?.string }.first ?? ""
    }

    /// A connection of that user that asks to go on.
    private func resume(_ stage: inout Stage, _ user: String, _ query: String) -> BackendConnectionID {
        let id = stage.dial()
        stage.receive(Stage.head("/ws?\(query)", ["Authorization: Bearer " + Stage.token(user)]), on: id)
        stage.pass(.milliseconds(2))
        return id
    }

    private func get(_ stage: inout Stage, _ path: String, _ user: String?, method: String = "GET") -> String {
        let id = stage.dial()
        let field = user.map { "Authorization: Bearer \(Stage.token($0))\r\n" } ?? ""
        stage.receive("\(method) \(path) HTTP/1.1\r\nHost: x\r\n\(field)\r\n", on: id)
        #expect(stage.isReleased(id))
        return String(buffer: stage.bytes(id))
    }

    @Test func historyIsTheOwnersAlone() throws {
        var stage = Stage()
        let alice = stage.connect("alice")
        _ = stage.connect("bob")
        stage.say(start("assistant", #","message":"hi""#), on: alice)
        stage.pass(.milliseconds(50))
        let path = "/threads/\(thread(stage, alice))/events"
        let answer = get(&stage, path, "alice")
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        let body = answer.range(of: "\r\n\r\n").map { String(answer[$0.upperBound...]) } ?? ""
        let history = try JSON.parse(body)
        let told = try #require(history["events"]?.array)
        #expect(told == Array(stage.events(alice).dropFirst()), "byte for byte what was said")
        #expect(answer.contains("Content-Length: \(body.utf8.count)\r\n"))
        #expect(get(&stage, path, "bob").hasPrefix("HTTP/1.1 404 "))
        #expect(get(&stage, "/threads/none/events", "bob") == get(&stage, path, "bob"), "what exists is not told")
        #expect(get(&stage, path, nil).hasPrefix("HTTP/1.1 401 "))
        #expect(get(&stage, path, "alice", method: "POST").hasPrefix("HTTP/1.1 405 "))
        #expect(get(&stage, path, "alice", method: "HEAD").hasSuffix("\r\n\r\n"))
    }

    @Test func whatCameBehindTheCursorIsReplayedAndTheRunGoesOn() {
        var stage = Stage()
        let first = stage.connect("alice")
        stage.say(start("slow"), on: first)
        stage.pass(.milliseconds(10))
        #expect(numbers(stage, first) == [1, 2])
        stage.handle(.ended(first))
        let second = resume(&stage, "alice", "cursor=1")
        #expect(stage.types(second) == ["connected", "agent_thinking"])
        stage.pass(.milliseconds(300))
        #expect(numbers(stage, second) == [2, 3] && stage.types(second).last == "agent_completed")
        let third = resume(&stage, "alice", "cursor=3")
        #expect(stage.types(third) == ["connected"], "there is nothing behind it")
        let fourth = resume(&stage, "alice", "cursor=0&thread=\(thread(stage, first))")
        #expect(numbers(stage, fourth) == [1, 2, 3])
    }

    /// Twenty events in one thread; the buffer of a resume holds the last twelve.
    @Test(arguments: [(8, []), (7, ["history_truncated"]), (0, ["history_truncated"])])
    func aBufferTooShortSaysSo(cursor: Int, signal: [String]) {
        var stage = Stage()
        let first = stage.connect("alice")
        for number in 0..<4 {
            stage.say(start("assistant", number == 0 ? "" : #","thread_id":"\#(thread(stage, first))""#), on: first)
            stage.pass(.milliseconds(50))
        }
        stage.handle(.ended(first))
        let second = resume(&stage, "alice", "cursor=\(cursor)")
        #expect(numbers(stage, second) == Array(9...20))
        #expect(stage.types(second).filter { $0 == "history_truncated" } == signal)
        #expect(stage.types(second).dropFirst().prefix(signal.count) == signal[...], "before anything else")
    }

    @Test(arguments: ["cursor=9", "cursor=x", "cursor=-1", "cursor=1&thread=none"])
    func whatCannotBeResumedIsSaid(query: String) {
        var stage = Stage()
        let empty = resume(&stage, "alice", query)
        #expect(stage.types(empty) == ["connected", "history_truncated"])
        let first = stage.connect("alice")
        stage.say(start("assistant"), on: first)
        stage.pass(.milliseconds(50))
        let own = resume(&stage, "alice", query)
        #expect(stage.types(own) == ["connected", "history_truncated"])
        let foreign = resume(&stage, "bob", "cursor=1&thread=\(thread(stage, first))")
        #expect(stage.types(foreign) == ["connected", "history_truncated"])
    }

    /// Two threads were under way: the cursor is of the latest, the other's user is told.
    @Test func anotherThreadThatWasTornIsTold() {
        var stage = Stage()
        let first = stage.connect("alice")
        stage.say(start("slow"), on: first)
        stage.pass(.milliseconds(10))
        stage.say(start("slow"), on: first)
        stage.handle(.ended(first))
        stage.pass(.milliseconds(20))
        let second = resume(&stage, "alice", "cursor=1")
        #expect(stage.types(second) == ["connected", "history_truncated", "agent_thinking"])
        #expect(stage.events(second)[1]["thread_id"] == stage.events(first)[1]["thread_id"])
        stage.pass(.milliseconds(300))
        #expect(stage.types(second).filter { $0 == "agent_completed" }.count == 2)
    }

    @Test func b19SkipsOneAndSaysNothing() {
        for bugs in [[], [BackendBug.resumeOffByOne]] as [Set<BackendBug>] {
            var stage = Stage(bugs: bugs)
            let first = stage.connect("alice")
            for number in 0..<4 {
                stage.say(start("assistant", number == 0 ? "" : #","thread_id":"\#(thread(stage, first))""#), on: first)
                stage.pass(.milliseconds(50))
            }
            let whole = resume(&stage, "alice", "cursor=15")
            #expect(numbers(stage, whole) == Array(16...20))
            let edge = resume(&stage, "alice", "cursor=8")
            #expect(numbers(stage, edge) == Array((bugs.isEmpty ? 9 : 10)...20))
            let far = resume(&stage, "alice", "cursor=3")
            #expect(numbers(stage, far) == Array((bugs.isEmpty ? 9 : 10)...20))
            #expect(stage.types(far).contains("history_truncated") == bugs.isEmpty)
            #expect(stage.triggered(.resumeOffByOne).count == (bugs.isEmpty ? 0 : 2))
        }
    }

    @Test func b20DeliversTwiceWhatNobodyHeard() {
        for bugs in [[], [BackendBug.duplicateAfterReconnect]] as [Set<BackendBug>] {
            var stage = Stage(bugs: bugs)
            let first = stage.connect("alice")
            stage.say(start("assistant", #","request_id":"q1""#), on: first)
            stage.handle(.ended(first))
            stage.pass(.milliseconds(50))
            let second = resume(&stage, "alice", "cursor=1")
            #expect(numbers(stage, second) == [2, 3, 4, 5] + (bugs.isEmpty ? [] : [2, 3, 4, 5]))
            #expect(stage.triggered(.duplicateAfterReconnect).map { $0.request } == (bugs.isEmpty ? [] : ["q1"]))
        }
    }

    /// The transport takes nothing while a long report is written: 1013 and the rest by resume, or with B18 a hole.
    @Test func b18DropsWhatDoesNotFit() {
        for bugs in [[], [BackendBug.queueDropsSilently]] as [Set<BackendBug>] {
            var stage = Stage(bugs: bugs)
            let id = stage.connect("alice")
            stage.say(start("writer", #","request_id":"q1""#), on: id)
            stage.pass(.milliseconds(50))
            let before = numbers(stage, id).count
            stage.handle(.blocked(id))
            stage.pass(.milliseconds(400))
            #expect(numbers(stage, id).count == before, "nothing goes to a transport that takes nothing")
            stage.handle(.drained(id))
            stage.pass(.seconds(2))
            let heard = numbers(stage, id)
            if bugs.isEmpty {
                #expect(heard == Array(1...heard.count) && heard.count < 203)
                #expect(stage.closeCode(id) == 1013)
                stage.handle(.ended(id))
                let second = resume(&stage, "alice", "cursor=\(heard.count)")
                #expect(stage.types(second).dropFirst().first == "history_truncated" && numbers(stage, second).last == 203)
            } else {
                #expect(heard.first == 1 && heard.last == 203 && heard.count < 203)
                #expect(stage.closeCode(id) == nil)
                #expect(stage.triggered(.queueDropsSilently).first?.request == "q1")
            }
        }
    }

    @Test func aShortStandstillLosesNothing() {
        var stage = Stage()
        let id = stage.connect("alice")
        stage.say(start("researcher"), on: id)
        stage.handle(.blocked(id))
        stage.pass(.milliseconds(90))
        stage.say("{", on: id)
        stage.handle(.drained(id))
        #expect(stage.types(id).suffix(2) == ["agent_completed", "error"])
        #expect(numbers(stage, id) == Array(1...numbers(stage, id).count))
        #expect(stage.closeCode(id) == nil)
    }

    @Test func whatIsKeptIsBounded() {
        var threads = ThreadTable()
        for number in 0..<100 {
            threads.insert(ConversationThread(owner: "alice", stem: "s"), id: "t\(number)")
            for _ in 0..<300 {
                guard let sequence = threads.nextSequence(in: "t\(number)") else { continue }
                threads.keep(ByteBuffer(repeating: 0, count: 4_096), sequence: sequence, in: "t\(number)")
            }
        }
        let kept = (0..<100).map { threads["t\($0)"]?.events.count ?? 0 }
        #expect(kept.max() == 256 && kept[0] == 0)
        #expect(kept.reduce(0, +) * 4_096 <= ThreadTable.byteLimit)
        #expect(threads["t99"]?.events.map(\.sequence) == Array(45...300))
        #expect(threads.threads(of: "alice").last == "t99")
    }
}
