import Contracts
import NIOCore
import Profiles
import Testing
import Wire

@testable import Peers

/// Each verb of a plan, as a transcript of what arrives and what the machine commands.
@Suite struct PlayVerbTests {
    /// alice is connected at 2 ms, and the steps behind her first two are played from then on.
    static func opened(_ steps: String, missesAllowed: Int? = nil) throws -> (PlayBook, [String]) {
        var play = try PlayBook("1 alice connect /ws\n2 alice until open within 1s\n" + steps, missesAllowed: missesAllowed)
        #expect(play.begin() == ["connect 0"])
        #expect(play.at(1, .connected(0)) == ["0 > GET /ws"])
        let commands = play.at(2, .received(0, play.accept(0)))
        return (play, commands)
    }

    @Test func connectAsksAndUntilOpenWaitsForTheAnswer() throws {
        let (play, commands) = try Self.opened("")
        #expect(commands == ["played"])
        #expect(play.results == ["1 ok 0+1", "2 ok 1+1"])
        #expect(play.requests[0]?.value("host") == "127.0.0.1:80")
    }

    @Test func connectionsHaveNamesAndHeadersOfTheirOwn() throws {
        var play = try PlayBook(
            """
            1 alice connect /ws?u={user} as phone header Origin: http://a.example header X-Of: $alice.id
            2 alice connect /ws
            3 alice until open within 1s
            4 alice.phone until open within 1s
            5 alice.phone send {"n":1}
            6 alice send {"n":2}
            7 alice.tablet send {"n":3}
            """)
        play.begin()
        #expect(play.at(1, .connected(0)) == ["0 > GET /ws?u=alice", "connect 1"])
        #expect(play.requests[0]?.value("origin") == "http://a.example")
        #expect(play.requests[0]?.value("x-of") == "alice")
        #expect(play.open(1, at: 2) == ["1 > GET /ws"])
        #expect(play.at(3, .received(0, play.accept(0))) == [#"0 > text {"n":1}"#, #"1 > text {"n":2}"#, "played"])
        #expect(play.results.last == "7 cannot: alice has no connection 3+0")
    }

    @Test func credentialsGoWhereThePlanSays() throws {
        var play = try PlayBook(
            "1 a connect /ws\n2 b connect /ws\n3 c connect /ws\n4 d connect /ws header Authorization: mine",
            users: ["a credential header", "b credential query", "c credential cookie", "d credential header"])
        play.begin()
        for id in 0..<4 { play.at(Int64(id), .connected(id)) }
        #expect(play.requests[0]?.value("authorization")?.hasPrefix("Bearer ey") == true)
        #expect(play.requests[1]?.target.hasPrefix("/ws?token=ey") == true)
        #expect(play.requests[2]?.value("cookie")?.hasPrefix("token=ey") == true)
        #expect(play.requests[3]?.value("authorization") == "mine")
    }

    @Test func sendsAreMaskedTextOrBytesAsTheyAre() throws {
        let (play, commands) = try Self.opened(
            #"""
            3 alice send {"n":1,"id":$alice.id,"r":"{user}-{n}","s":"{user}-{n}"}
            4 alice send text "{\"cut"
            5 alice send bytes 81 7e 00
            """#)
        #expect(
            commands == [
                #"0 > text {"n":1,"id":"alice","r":"alice-1","s":"alice-2"}"#, #"0 > text {"cut"#, "0 > bytes 81 7e 00",
                "played",
            ])
        #expect(play.results.allSatisfy { $0.contains(" ok ") })
    }

    @Test func canariesAreOfTheirFormAndDiffer() throws {
        let (_, commands) = try Self.opened("3 alice send text \"{canary} {canary}\"")
        let sent = try #require(commands.first).wholeMatch(of: /0 > text (mwc-[a-z2-7]{26}) (mwc-[a-z2-7]{26})/)
        #expect(sent.map { $0.1 != $0.2 } == true)
    }

    @Test func valuesAreBoundByWhatCame() throws {
        var (play, commands) = try Self.opened(
            """
            3 alice until started within 1s
            4 alice send {"thread":$run1.thread_id,"text":"<$run1.n>"}
            5 alice send {"thread":$run2.thread_id}
            6 alice send text "$bob.thread_id"
            """)
        #expect(commands == [])
        commands = play.says(0, #"{"type":"started","run_id":"r","thread_id":"t\"1","n":7}"#, at: 5)
        #expect(commands == [#"0 > text {"thread":"t\"1","text":"<7>"}"#, "played"])
        #expect(
            play.results.suffix(2) == [
                "5 cannot: nothing has bound $run2.thread_id yet 5+0", "6 cannot: nothing has bound $bob.thread_id yet 5+0",
            ])
    }

    @Test func bytesCanBeSentBeforeTheAnswerAndTextCannot() throws {
        var play = try PlayBook("1 alice connect /ws\n2 alice send {\"n\":1}\n3 alice send bytes 01\n4 alice close 1000")
        play.begin()
        #expect(play.at(1, .connected(0)) == ["0 > GET /ws", "0 > bytes 01", "played"])
        #expect(
            play.results == [
                "1 ok 0+1", "2 cannot: the connection is not open 1+0", "3 ok 1+0",
                "4 cannot: the connection is not open 1+0",
            ])
    }

    @Test func quietHoldsWhenNothingComes() throws {
        var (play, commands) = try Self.opened("3 alice quiet for 50ms\n4 alice quiet for 50ms")
        #expect(commands == [])
        #expect(play.alarm == 52)
        #expect(play.at(51, .wake) == [])
        commands = play.at(52, .wake)
        #expect(commands == [])
        #expect(play.says(0, #"{"type":"late"}"#, at: 60) == ["played"])
        #expect(play.results.suffix(2) == ["3 ok 2+50", "4 failed: got late at 8 ms 52+8"])
    }

    @Test func pausedReadingIsResumedByTheNextGuard() throws {
        var (play, commands) = try Self.opened("3 alice pause reading\n4 alice send {\"n\":1}\n5 alice until x within 1s")
        #expect(commands == ["reads 0 off", #"0 > text {"n":1}"#, "reads 0 on"])
        commands = play.says(0, #"{"type":"x"}"#, at: 4)
        #expect(commands == ["played"])
    }

    @Test func aCutByResetIsTheEnd() throws {
        let (play, commands) = try Self.opened("3 alice cut reset\n4 alice send {\"n\":1}\n5 alice close 1000\n6 alice cut half")
        #expect(commands == ["reset 0", "played"])
        let gone = "cannot: the connection was reset 2+0"
        #expect(play.results.suffix(4) == ["3 ok 2+0", "4 \(gone)", "5 \(gone)", "6 \(gone)"])
    }

    @Test func aHalfCutStillReads() throws {
        var (play, commands) = try Self.opened(
            "3 alice cut half\n4 alice send {\"n\":1}\n5 alice close 1000\n6 alice until x within 1s\n7 alice until ended within 1s")
        #expect(commands == ["finish 0"])
        #expect(play.says(0, #"{"type":"x"}"#, at: 4) == [])
        let ping = FrameWriter.bytes(Frame(opcode: .ping, payload: ByteBuffer(string: "p")))
        #expect(play.at(5, .received(0, ping)) == [])
        commands = play.at(6, .ended(0, .finish))
        #expect(commands == ["played"])
        #expect(
            play.results.suffix(5) == [
                "3 ok 2+0", "4 cannot: the connection is not open 2+0", "5 cannot: the connection is not open 2+0",
                "6 ok 2+2", "7 ok 4+2",
            ])
    }

    @Test func aSilentCutNeitherReadsNorWrites() throws {
        var (play, commands) = try Self.opened(
            "3 alice cut silent\n4 alice send {\"n\":1}\n5 alice send bytes 81 00\n6 alice until x within 20ms")
        #expect(commands == ["reads 0 off"])
        #expect(play.says(0, #"{"type":"x"}"#, at: 4) == [])
        commands = play.at(22, .wake)
        #expect(commands == ["played"])
        #expect(play.results.last == "6 failed: nothing came 2+20")
    }

    @Test func closeWritesItsCodeAndReason() throws {
        var (play, commands) = try Self.opened("3 alice close 4000 \"enough\"\n4 alice until closed within 1s\n5 alice send {\"n\":1}")
        #expect(commands == ["0 > close 4000 enough"])
        let echo = FrameWriter.bytes(Frame(opcode: .close, payload: CloseBody(code: 4000).payload))
        commands = play.at(5, .received(0, echo))
        #expect(commands == ["finish 0", "played"])
        #expect(play.results.suffix(2) == ["4 ok 2+3", "5 cannot: closed with 4000 5+0"])
    }

    /// Where the contract says that the server looks for it.
    @Test func theCursorGoesWhereTheContractTakesIt() throws {
        func played(_ place: String) throws -> [String] {
            let text = "miswire-contract: 1\nname: t\nwire: { type: type }\nevents: { at: {} }\ndelivery: { resume: { by: \(place), from: seq } }\n"
            let contract = try ContractLoader.parse(text: text, file: "t.yaml")
            var play = try PlayBook(
                "1 alice connect /ws\n2 alice until open within 1s\n3 alice reconnect cursor c9\n4 alice until open within 1s\n", contract: contract)
            play.begin()
            let commands = play.open(0, at: 1)
            return (commands.contains("connect 1") ? play.at(3, .connected(1)) : []) + play.results
        }
        #expect(try played("query since").first == "1 > GET /ws?since=c9")
        #expect(try played("header last-event-id").contains { $0.hasPrefix("3 cannot: the contract's cursor is no part of a query") })
    }

    @Test func reconnectClosesAndAsksAgainWithItsOwnCursor() throws {
        var (play, commands) = try Self.opened(
            """
            3 alice until at within 1s
            4 alice reconnect cursor $run1.cursor
            5 alice until open within 1s
            6 alice reconnect cursor c2
            7 bob reconnect
            """)
        commands = play.says(0, #"{"type":"at","run_id":"r","cursor":"c1"}"#, at: 3)
        #expect(commands == ["0 > close 1000", "connect 1"])
        #expect(play.at(4, .connected(1)) == ["1 > GET /ws?cursor=c1"])
        #expect(play.at(5, .received(1, play.accept(1))) == ["1 > close 1000", "connect 2"])
        #expect(play.at(6, .connected(2)) == ["2 > GET /ws?cursor=c2", "played"])
        #expect(play.results.last == "7 cannot: bob was not connected before 6+0")
    }

    @Test func aCursorThatNothingBoundCannotBeAskedFor() throws {
        let (play, commands) = try Self.opened("3 alice reconnect cursor $run1.cursor")
        #expect(commands == ["0 > close 1000", "played"])
        #expect(play.results.last == "3 cannot: nothing has bound $run1.cursor yet 2+0")
    }

    @Test func togetherReleasesItsStepsAtOnce() throws {
        var play = try PlayBook(
            """
            1 alice connect /ws
            2 bob connect /ws
            3 together 1,2
            4 alice until open within 1s
            5 bob until open within 1s
            6 alice send {"n":1}
            7 alice until x within 1s
            8 bob send {"n":2}
            9 together 6,8
            """)
        #expect(play.begin() == ["connect 0", "connect 1"])
        #expect(play.open(0, at: 1) == ["0 > GET /ws"])
        #expect(play.open(1, at: 2) == ["1 > GET /ws"])
        #expect(play.says(0, #"{"type":"x"}"#, at: 3) == [#"0 > text {"n":1}"#, #"1 > text {"n":2}"#, "played"])
        #expect(play.results.map { $0.split(separator: " ").first } == ["1", "2", "3", "4", "5", "6", "7", "8", "9"])
        #expect(play.results.allSatisfy { $0.contains(" ok ") })
    }
}
