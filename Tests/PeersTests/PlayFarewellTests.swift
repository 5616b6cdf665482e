import Journaling
import NIOCore
import Testing
import Wire

@testable import Peers

/// However a play is ended, it is over: at once when nothing is open, at the latest when the farewell's time is up.
@Suite struct PlayFarewellTests {
    /// What a connection is in the midst of when the play is ended, at 10 ms.
    enum Phase: String, CaseIterable, Sendable {
        case dialling, asked, accepted, paused, refused, halfClosed, silent, closing, cut, serverEnded, broken, unreachable

        var steps: String {
            let open = "1 alice connect /ws\n2 alice until open within 1s\n"
            return switch self {
            case .halfClosed: open + "3 alice cut half\n4 alice until x within 1m"
            case .silent: open + "3 alice cut silent\n4 alice until x within 1m"
            case .paused: open + "3 alice pause reading"
            case .closing: open + "3 alice close 1000\n4 alice until closed within 1m"
            case .cut: open + "3 alice cut reset"
            default: open + "3 alice until x within 1m"
            }
        }

        func lead(_ play: inout PlayBook) {
            play.begin()
            if self == .dialling { return }
            if self == .unreachable {
                play.at(1, .connectFailed(0, "connection refused"))
                return
            }
            play.at(1, .connected(0))
            if self == .asked { return }
            play.at(2, .received(0, self == .refused ? PlayBook.refusal(503) : play.accept(0)))
            if self == .serverEnded { play.at(3, .ended(0, .finish)) }
            if self == .broken { play.at(3, .received(0, ByteBuffer(bytes: [0xff, 0x00]))) }
        }

        /// What ending the play makes of it.
        var farewell: [String] {
            switch self {
            case .dialling, .asked, .silent: ["reset 0", "over"]
            case .accepted: ["reads 0 on", "0 > close 1000"]
            case .paused: ["reads 0 on", "0 > close 1000"]
            case .refused, .halfClosed, .closing, .broken: ["reads 0 on"]
            case .cut, .serverEnded, .unreachable: ["over"]
            }
        }
        var endsAtOnce: Bool { farewell.last == "over" }
    }

    private func isOver(_ commands: [String]) -> Bool { commands.last == "over" }

    @Test(arguments: Phase.allCases) func aServerThatSaysNothingMoreIsLeft(_ phase: Phase) throws {
        var play = try PlayBook(phase.steps)
        phase.lead(&play)
        let commands = play.at(10, .finish).filter { $0 != "played" }
        #expect(commands == phase.farewell)
        if phase.endsAtOnce { return }
        #expect(play.alarm == 1_010)
        #expect(play.at(1_009, .wake) == [])
        #expect(play.at(1_010, .wake) == ["reset 0", "over"])
        #expect(play.at(1_020, .ended(0, .reset)) == [])
    }

    @Test(arguments: Phase.allCases.filter { !$0.endsAtOnce }, [EndStyle.finish, .reset])
    func aServerThatEndsIsNotWaitedForAnyLonger(_ phase: Phase, _ end: EndStyle) throws {
        var play = try PlayBook(phase.steps)
        phase.lead(&play)
        play.at(10, .finish)
        #expect(isOver(play.at(20, .ended(0, end))))
    }

    /// The Close comes back, our side ends, and only then the server's.
    @Test func theClosingHandshakeIsFinished() throws {
        var play = try PlayBook(Phase.accepted.steps)
        Phase.accepted.lead(&play)
        #expect(play.at(10, .finish) == ["reads 0 on", "0 > close 1000", "played"])
        let echo = FrameWriter.bytes(Frame(opcode: .close, payload: CloseBody(code: 1000).payload))
        #expect(play.at(11, .received(0, echo)) == ["finish 0"])
        #expect(play.at(12, .ended(0, .finish)) == ["over"])
    }

    /// Regression: what became of the dialled transport afterwards was waited for, and it never came.
    @Test func aConnectionGivenUpWhileDiallingIsNotWaitedFor() throws {
        var play = try PlayBook("1 alice connect /ws\n2 bob connect /ws")
        play.begin()
        #expect(play.at(3, .finish) == ["reset 0", "played", "over"])
        #expect(play.at(4, .connected(0)) == [])
        #expect(play.at(5, .connectFailed(0, "too late")) == [])
        #expect(play.results == ["1 cannot: the play was stopped 0+3"])
    }

    @Test func oneSilentServerDoesNotKeepTheOthers() throws {
        var play = try PlayBook(
            "1 alice connect /ws\n2 bob connect /ws\n3 alice until open within 1s\n4 bob until open within 1s")
        play.begin()
        play.open(0, at: 1)
        #expect(play.open(1, at: 2) == ["1 > GET /ws", "played"])
        #expect(play.at(5, .finish) == ["reads 0 on", "0 > close 1000", "reads 1 on", "1 > close 1000"])
        #expect(play.at(6, .ended(0, .finish)) == ["finish 0"])
        #expect(play.at(1_005, .wake) == ["reset 1", "over"])
    }

    @Test func aPlayThatNeverBeganIsOver() throws {
        var play = try PlayBook("1 alice connect /ws")
        #expect(play.at(0, .finish) == ["played", "over"])
        #expect(play.at(1, .begin) == [])
    }

    @Test func endingTwiceIsEndingOnce() throws {
        var play = try PlayBook(Phase.accepted.steps)
        Phase.accepted.lead(&play)
        play.at(10, .finish)
        #expect(play.at(500, .finish) == [])
        #expect(play.at(1_010, .wake) == ["reset 0", "over"])
    }

    @Test func stepsUnderWayAreToldAsStopped() throws {
        var play = try PlayBook(Phase.accepted.steps + "\n4 alice send {\"n\":1}")
        Phase.accepted.lead(&play)
        play.at(10, .finish)
        #expect(play.results.last == "3 cannot: the play was stopped 2+8")
        #expect(play.results.count == 3)
    }
}
