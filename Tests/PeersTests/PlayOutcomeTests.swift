import NIOCore
import Testing
import Wire

@testable import Peers

/// What becomes of a guard, and what people are told when it does not hold.
@Suite struct PlayOutcomeTests {
    private static func opened(_ steps: String, missesAllowed: Int? = nil) throws -> PlayBook {
        try PlayVerbTests.opened(steps, missesAllowed: missesAllowed).0
    }

    private func event(_ type: String) -> String { #"{"type":"\#(type)"}"# }

    @Test func everyNameNeedsAnEventOfItsOwnInAnyOrder() throws {
        var play = try Self.opened("3 alice until done and done and error within 1s")
        #expect(play.says(0, event("done"), at: 3) == [])
        #expect(play.says(0, event("error"), at: 4) == [])
        #expect(play.says(0, event("other"), at: 5) == [])
        #expect(play.says(0, event("done"), at: 6) == ["played"])
        #expect(play.results.last == "3 ok 2+4")
    }

    @Test func eitherOfTwoIsEnough() throws {
        var play = try Self.opened("3 alice until done|error within 1s\n4 alice until done|ended within 1s")
        #expect(play.says(0, event("error"), at: 3) == [])
        #expect(play.says(0, event("done"), at: 4) == ["played"])
    }

    @Test func aGuardTakesFromBehindTheOneBefore() throws {
        var play = try Self.opened("3 alice until a within 1s\n4 alice until b within 1s\n5 alice until a within 10ms")
        #expect(play.says(0, event("b"), at: 3) == [])
        #expect(play.says(0, event("a"), at: 4) == [])
        // This b is behind a, the one before is not.
        #expect(play.says(0, event("b"), at: 5) == [])
        #expect(play.at(15, .wake) == ["played"])
        #expect(play.results.suffix(3) == ["3 ok 2+2", "4 ok 4+1", "5 failed: nothing came 5+10"])
    }

    @Test func whatComesTooLateDoesNotCount() throws {
        var play = try Self.opened("3 alice until a within 10ms")
        #expect(play.says(0, event("a"), at: 13) == ["played"])
        #expect(play.results.last == "3 failed: got a 2+11")
    }

    @Test func whatComesAtTheBoundCounts() throws {
        var play = try Self.opened("3 alice until a within 10ms")
        #expect(play.says(0, event("a"), at: 12) == ["played"])
        #expect(play.results.last == "3 ok 2+10")
    }

    @Test func whatCameInsteadIsTold() throws {
        var play = try Self.opened("3 alice until a within 10ms\n4 alice until a within 10ms")
        for type in ["b", "c", "d", "e", "f"] { play.says(0, event(type), at: 3) }
        play.at(12, .wake)
        play.says(0, event("g"), at: 13)
        #expect(play.at(22, .wake) == ["played"])
        #expect(play.results.suffix(2) == ["3 failed: got b, c, d and 2 more 2+10", "4 failed: got g 12+10"])
    }

    @Test func anotherUserWhoGotItIsNamed() throws {
        var play = try PlayBook(
            """
            1 alice connect /ws
            2 bob connect /ws
            3 bob until open within 1s
            4 alice send {"n":1}
            5 alice until error within 1s
            """)
        play.begin()
        play.open(0, at: 1)
        #expect(play.open(1, at: 2) == ["1 > GET /ws", #"0 > text {"n":1}"#])
        play.says(1, event("other"), at: 3)
        play.says(1, event("error"), at: 8)
        #expect(play.at(1_002, .wake) == ["played"])
        #expect(play.results.last == "5 failed: bob got error at 6 ms 2+1000")
    }

    /// What bob got before alice did anything about it is not what she waits for.
    @Test func whatAnotherUserGotBeforeIsNotNamed() throws {
        var play = try PlayBook(
            """
            1 alice connect /ws
            2 bob connect /ws
            3 bob until error within 1s
            4 alice send {"n":1}
            5 alice until error within 1s
            """)
        play.begin()
        play.open(0, at: 1)
        play.open(1, at: 2)
        play.says(1, event("error"), at: 3)
        play.at(5, .wake)
        #expect(play.at(1_003, .wake) == ["played"])
        // At the same instant as her request it may be an answer to it; a moment later it is not earlier.
        #expect(play.results.last == "5 failed: bob got error at <1 ms 3+1000")
        var earlier = try PlayBook(
            """
            1 alice connect /ws
            2 bob connect /ws
            3 bob until error within 1s
            4 bob quiet for 5ms
            5 alice send {"n":1}
            6 alice until error within 1s
            """)
        earlier.begin()
        earlier.open(0, at: 1)
        earlier.open(1, at: 2)
        earlier.says(1, event("error"), at: 3)
        earlier.at(8, .wake)
        #expect(earlier.at(1_008, .wake) == ["played"])
        #expect(earlier.results.last == "6 failed: nothing came 8+1000")
    }

    @Test func aRefusalCannotBecomeOpen() throws {
        var play = try PlayBook(
            "1 alice connect /ws\n2 alice until refused within 1s\n3 alice until open within 1s\n4 alice until answered within 1s\n"
                + "5 alice send {\"n\":1}\n6 alice send bytes 00\n7 alice until ended within 1s\n8 alice until x within 1s")
        play.begin()
        play.at(1, .connected(0))
        #expect(play.at(3, .received(0, PlayBook.refusal(401))) == ["finish 0", "played"])
        let refused = "refused with 401 3+0"
        #expect(
            play.results.suffix(7) == [
                "2 ok 1+2", "3 cannot: \(refused)", "4 ok 3+0", "5 cannot: \(refused)", "6 cannot: \(refused)", "7 ok 3+0",
                "8 failed: \(refused)",
            ])
        #expect(play.at(4, .ended(0, .finish)) == [])
    }

    @Test func whoShouldBeRefusedAndIsNotIsOpen() throws {
        var play = try PlayBook("1 alice connect /ws\n2 alice until refused within 1s\n3 alice until answered within 1s")
        play.begin()
        play.at(1, .connected(0))
        #expect(play.at(5, .received(0, play.accept(0))) == ["played"])
        #expect(play.results.suffix(2) == ["2 failed: open at 5 ms 1+4", "3 ok 5+0"])
    }

    @Test func anUpgradeWithoutAnAnswerSaysSo() throws {
        var play = try PlayBook("1 alice connect /ws\n2 alice until open within 20ms")
        play.begin()
        play.at(1, .connected(0))
        #expect(play.at(21, .wake) == ["played"])
        #expect(play.results.last == "2 failed: the upgrade was not answered 1+20")
    }

    @Test func aServerThatIsNotThereCannotBePlayedAgainst() throws {
        var play = try PlayBook("1 alice connect /ws\n2 alice until open within 1s\n3 alice send {\"n\":1}")
        play.begin()
        #expect(play.at(4, .connectFailed(0, "connection refused")) == ["played"])
        #expect(
            play.results == [
                "1 cannot: connection refused 0+4", "2 cannot: connection refused 4+0", "3 cannot: connection refused 4+0",
            ])
    }

    @Test func aConnectionThatNeverComesIsGivenUp() throws {
        var play = try PlayBook("1 alice connect /ws\n2 alice until open within 1s")
        play.begin()
        #expect(play.alarm == 6_000)
        #expect(play.at(6_000, .wake) == ["played"])
        let gone = "no connection within 6 s"
        #expect(play.results == ["1 cannot: no connection 0+6000", "2 cannot: \(gone) 6000+0"])
        #expect(play.at(6_001, .connected(0)) == [])
    }

    @Test(arguments: [
        (EndOf.close(1001), "closed with 1001"), (.closeBare, "closed without a code"),
        (.finish, "the server ended the connection"), (.reset, "the connection was reset"),
        (.garbage, "an illegal frame: "),
    ])
    func waitingOnAConnectionThatEndsFailsAtOnce(_ end: EndOf, _ why: String) throws {
        var play = try Self.opened("3 alice until a within 1s\n4 alice until closed|x within 1s\n5 alice until ended within 1s")
        play.at(5, end.event)
        #expect(play.results.dropFirst(2).first?.hasPrefix("3 failed: " + why) == true)
        #expect(play.results.last == "5 ok 5+0")
        #expect(play.results.count == 5)
    }

    enum EndOf: Sendable {
        case close(UInt16), closeBare, finish, reset, garbage
        var event: PlayMachine.Event {
            switch self {
            case .close(let code):
                .received(0, FrameWriter.bytes(Frame(opcode: .close, payload: CloseBody(code: code).payload)))
            case .closeBare: .received(0, FrameWriter.bytes(Frame(opcode: .close, payload: ByteBuffer())))
            case .finish: .ended(0, .finish)
            case .reset: .ended(0, .reset)
            case .garbage: .received(0, ByteBuffer(bytes: [0xff, 0x00]))
            }
        }
    }

    @Test func aServerThatAnswersNothingMakesLaterGuardsHasty() throws {
        let waits = (3...6).map { "\($0) alice until a within 2s\n" }.joined() + "7 alice until a within 100ms\n"
            + "8 alice until a within 10ms"
        var play = try Self.opened(waits, missesAllowed: 2)
        while play.results.count < 8, play.wake() != nil {}
        #expect(
            play.results.suffix(6).map { $0.split(separator: "+").last } == ["2000", "2000", "200", "200", "60", "10"])
        var patient = try Self.opened(waits)
        while patient.results.count < 8, patient.wake() != nil {}
        #expect(
            patient.results.suffix(6).map { $0.split(separator: "+").last }
                == ["2000", "2000", "2000", "2000", "100", "10"])
    }

    /// With a contract an event goes by its declared name; what it does not know goes by its type.
    @Test func eventsGoByTheNamesOfTheContract() throws {
        var play = try PlayBook(
            "1 alice connect /ws\n2 alice until open within 1s\n3 alice until agent_started and other within 1s\n"
                + "4 alice send {\"thread\":$run1.thread_id}",
            contract: Shipped.contract())
        play.begin()
        play.open(0, at: 1)
        #expect(play.says(0, #"{"type":"other"}"#, at: 2) == [])
        let started = #"{"type":"agent_started","user_id":"alice","thread_id":"t","run_id":"r"}"#
        #expect(play.says(0, started, at: 3) == [#"0 > text {"thread":"t"}"#, "played"])
    }

    @Test func theSamePlanAndEventsGiveTheSameBytes() throws {
        func once() throws -> [String] {
            let (play, commands) = try PlayVerbTests.opened("3 alice send {\"c\":\"{canary} {uuid}\"}\n4 alice send bytes 81")
            return commands + [play.requests[0]?.value("sec-websocket-key") ?? ""]
        }
        #expect(try once() == once())
    }
}
