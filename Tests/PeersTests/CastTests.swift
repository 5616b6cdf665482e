import Contracts
import Journaling
import Profiles
import Testing
import Wire

@testable import Peers

/// Who a plan's users are to the server, and with which credentials.
@Suite struct CastTests {
    private func cast(_ principals: [String: String] = [:], tokens: [String: String] = [:]) -> Cast {
        var cast = Cast()
        cast.principals = principals
        cast.tokens = tokens
        return cast
    }

    private func opened(
        _ steps: String, users: [String], _ cast: Cast
    ) throws -> (play: PlayBook, commands: [String]) {
        var play = try PlayBook("1 alice connect /ws\n2 alice until open within 1s\n" + steps, users: users, cast: cast)
        play.begin()
        let commands = play.open(0, at: 1)
        return (play, commands)
    }

    @Test func whatIsSentNamesThePrincipal() throws {
        let steps = #"3 alice send {"a":$alice.id,"b":$bob.id,"c":"{user} $bob.id","d":$carol.id}"#
        let (play, commands) = try opened(
            steps, users: ["alice credential header", "bob credential none", "carol credential none"],
            cast(["alice": "alice-7", "bob": "bob-7"]))
        #expect(commands.contains(#"0 > text {"a":"alice-7","b":"bob-7","c":"alice-7 bob-7","d":"carol"}"#))
        let token = JWT.first(in: try #require(play.requests[0]?.value("authorization")))
        #expect(token?.subject == "alice-7")
        #expect(token?.isSigned(with: Minter.developmentKey) == true)
        var other = try ContractLoader().load("agent-chat")
        other.identity.mint?.algorithm = "HS512"
        let long = JWT(Minter(contract: other, key: Minter.developmentKey, epoch: 0).token(for: "u"))
        #expect(long?.algorithm == "HS512" && long?.isSigned(with: Minter.developmentKey) == true)
    }

    @Test func eventsOfThePrincipalBindForTheUserAndOthersDoNot() throws {
        let contract = try Shipped.contract()
        var play = try PlayBook(
            """
            1 alice connect /ws
            2 alice until agent_started and agent_started within 1s
            3 alice send {"type":"cancel","run_id":$run1.run_id}
            """, contract: contract, cast: cast(["alice": "a@example.org"]))
        play.begin()
        play.open(0, at: 1)
        play.says(0, #"{"type":"agent_started","user_id":"alice","run_id":"r-foreign","thread_id":"t"}"#, at: 2)
        let said = play.says(
            0, #"{"type":"agent_started","user_id":"a@example.org","run_id":"r-own","thread_id":"t"}"#, at: 3)
        #expect(said.contains(#"0 > text {"type":"cancel","run_id":"r-own"}"#))
    }

    @Test func castsThatPlaySideBySideShareNoCanaryNoKeyAndNoMask() throws {
        let steps = #"3 alice send {"c":"{canary} {uuid}"}"#
        let users = ["alice credential none"]
        let one = try opened(steps, users: users, cast(["alice": "alice-1"]))
        let same = try opened(steps, users: users, cast(["alice": "alice-1"]))
        let other = try opened(steps, users: users, cast(["alice": "alice-2"]))
        #expect(one.commands == same.commands)
        #expect(one.commands != other.commands)
        #expect(
            one.play.requests[0]?.value("sec-websocket-key") != other.play.requests[0]?.value("sec-websocket-key"))
    }

    @Test func aGivenCredentialIsSentAsItIs() throws {
        let steps = #"3 alice send {"t":"{credential}","b":$bob.credential}"#
        let (play, commands) = try opened(
            steps, users: ["alice credential header", "bob credential none"],
            cast(tokens: ["alice": "s3cret-of-alice", "bob": "bobs"]))
        #expect(play.requests[0]?.value("authorization") == "Bearer s3cret-of-alice")
        #expect(commands.contains(#"0 > text {"t":"s3cret-of-alice","b":"bobs"}"#))
    }

    @Test func anotherUsersCredentialStandsInAHeader() throws {
        let (play, _) = try opened(
            "3 alice connect /ws header Authorization: Bearer $bob.credential",
            users: ["alice credential header", "bob credential none"], cast(["bob": "bob-3"]))
        var second = play
        second.at(2, .connected(1))
        let value = try #require(second.requests[1]?.value("authorization"))
        #expect(JWT.first(in: value)?.subject == "bob-3")
    }

    @Test func badFormsDeriveFromWhatWasGiven() throws {
        let good = JWT.sign(try JSON.parse(#"{"sub":"u","exp":99999}"#), key: Array("theirs".utf8))
        let corrupt = try #require(GivenCredential.text(good, .corrupt))
        #expect(corrupt == String(good.dropLast(6)))
        let forged = try #require(GivenCredential.text(good, .forged))
        let token = try #require(JWT(forged))
        #expect(token.claims == JWT(good)?.claims)
        #expect(token.signature.count == 32)
        #expect(forged != good)
        #expect(!token.isSigned(with: Array("theirs".utf8)))
        #expect(GivenCredential.text(good, .expired) == nil)
        #expect(GivenCredential.text("abcd-wxyz", .forged) == "abcd-xyza")
        #expect(GivenCredential.text("----", .forged) == "----x")
        #expect(GivenCredential.text("abc", .corrupt) == "a")
        #expect(GivenCredential.text("", .corrupt) == "")
        let unsigned = try #require(GivenCredential.text("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1In0.", .forged))
        #expect(JWT(unsigned)?.signature.count == 32)
    }

    @Test func whatCannotBeMadeIsSaidOfEveryStepOfThatUserAndOfWhoWantsIt() throws {
        var play = try PlayBook(
            "1 alice connect /ws\n2 alice until open within 1s\n3 bob connect /ws\n4 bob until open within 1s\n"
                + "5 bob send {\"t\":$alice.credential}",
            users: ["alice credential header expired", "bob credential none"], cast: cast(tokens: ["alice": "given"]))
        #expect(play.begin() == ["connect 0"])
        play.open(0, at: 1)
        #expect(
            play.results == [
                "1 cannot: the credential given for alice cannot be made expired 0+0",
                "2 cannot: the credential given for alice cannot be made expired 0+0",
                "3 ok 0+1", "4 ok 1+0", "5 cannot: nothing has bound $alice.credential yet 1+0",
            ])
    }
}
