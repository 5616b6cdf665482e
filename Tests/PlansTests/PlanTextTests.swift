import Testing

@testable import Plans

let findingFile = """
    miswire plan 1
    # alice's error is delivered to bob. Edit anything below the line of dashes and replay.
    finding   I2-7c1e44  also E3
    found     fuzz, seed 42, case 47310, miswire 0.1.0, profile none, contract agent-chat 3f9c21
    attrib    intrinsic, 5 of 5
    ----------------------------------------------------------------------------------------
    user  alice  credential header
    user  bob    credential header
    1  alice  connect /ws
    2  alice  until open within 2s
    3  bob    connect /ws
    4  bob    until open within 2s
    5  alice  send {"type":"agent_started","agent_name":"non_existent_agent","user_id":$alice.id}
    6  alice  until error within 1s                    # fails here: the error goes to bob
    faults none

    """

let everyVerb = """
    miswire plan 1
    ----------------------------------------------------------------------------------------
    # alice is the one who waits
    user  alice  credential query forged
    user  bob    credential none
     1  alice        connect /ws?token=x as phone header Origin: http://a.example header X-Empty: ""
     2  alice.phone  until open and connected within 250ms
     4  bob          send {"a":[1,"# no comment $run1.id",{"b":$alice.run2.thread_id}]}  # a comment
    # above a step
     7  bob          send text "{\\"type\\":\\n"
     8  bob          send bytes 81 7e 00 ff
     9  bob          quiet for 500ms
    10  bob          pause reading
    11  bob          cut half
    12  alice.phone  close 4401 "go \\"away\\""
    13  alice.phone  close 1000
    14  alice        reconnect cursor $run1.cursor
    15  alice        reconnect
    16  bob          frames op=1
    17  bob          frames fin=0 rsv=4 op=1 mask=00000000 len=7:200 "{\\"u\\":\\"$alice.id {canary}\\"}" ; op=0 hex 81 ff  # two
    18  bob          frames op=a mask=none len=64:18446744073709551615 hex ; rsv=7 op=8 len=16:0 ; op=f "; # x"
    20  together 4,12
    faults
    f1 accept-delay delay 400ms user alice connection nth 1
    f2 drop-auth in header,query how strip connection every 3 expect refused within 2s
    # the end

    """

@Suite struct PlanTextTests {
    @Test(arguments: [findingFile, everyVerb])
    func writingWhatWasReadGivesTheSameBytes(_ text: String) throws {
        let plan = try PlanText.parse(text)
        #expect(PlanText.print(plan) == text)
        #expect(try PlanText.parse(PlanText.print(plan)) == plan)
    }

    @Test func keywordsAreTheFirstWords() throws {
        for step in try PlanText.parse(everyVerb).steps {
            #expect(PlanText.words(of: step.verb).split(separator: " ").first.map { String($0) } == PlanText.keyword(of: step.verb))
        }
    }

    @Test func readsTheExampleOfTheManual() throws {
        let plan = try PlanText.parse(findingFile)
        #expect(plan.head.finding == "I2-7c1e44")
        #expect(plan.head.also == ["E3"])
        #expect(plan.users.map(\.name) == ["alice", "bob"])
        #expect(plan.steps.map(\.number) == [1, 2, 3, 4, 5, 6])
        #expect(plan.steps[1].verb == .until(["open"], within: .seconds(2)))
        #expect(plan.steps[5].comment == "fails here: the error goes to bob")
        #expect(plan.faults.isEmpty)
    }

    @Test func layoutBlankLinesAndLineEndsDoNotMatter() throws {
        let loose = findingFile.split(separator: "\n", omittingEmptySubsequences: false)
            .map { "  \t" + $0.split(separator: " ", omittingEmptySubsequences: false).joined(separator: " ") }
            .joined(separator: "\r\n\r\n")
        #expect(try PlanText.print(PlanText.parse(loose)) == findingFile)
    }

    @Test func everyPrefixIsAPlanOrATypedError() {
        for text in [findingFile, everyVerb] {
            let bytes = Array(text.utf8)
            for end in bytes.indices {
                let prefix = String(decoding: bytes[..<end], as: UTF8.self)
                if let plan = try? PlanText.parse(prefix) { #expect(prefix.contains("\nfaults"), "\(plan)") }
            }
        }
    }

    @Test func everyLineLeftOutIsAPlanOrAnErrorWithItsPlace() throws {
        let lines = everyVerb.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
        for index in lines.indices {
            var rest = lines
            rest.remove(at: index)
            do { _ = try PlanText.parse(rest.joined(separator: "\n")) } catch {
                #expect(error.errors.allSatisfy { $0.line >= 1 && $0.line <= rest.count && $0.column >= 1 })
                #expect(!error.errors.isEmpty)
            }
        }
    }

    @Test func saysAllErrorsInFileOrder() {
        let text = """
            miswire plan 1
            ---
            user  alice  credential heade
            1  alice  conect /ws
            2  carol  connect /ws
            3  alice  until error within fast
            3  alice  until error within 1s
            4  alice  send {"type":}
            5  alice  frames fin=2
            6  together 1,99
            7  alice  send {"id":$dora.run1.id}
            faults
            f1 drop-aut
            """
        let error = #expect(throws: PlanErrors.self) { try PlanText.parse(text, file: "x.plan") }
        let found = error?.errors.map { "\($0.line):\($0.column) \($0.sentence)" }
        #expect(
            found == [
                "3:25 no credential is called that",
                "4:11 no verb is called `conect`",
                "5:4 no user is called `carol`",
                "6:30 `fast` is no duration",
                "8:24 the message is not JSON: expected a value",
                "9:18 `fin=2` cannot be read",
                "10:1 no step has the label 1",
                "11:16 `$dora` is no user of this plan",
                "13:4 no fault is called `drop-aut`",
            ])
        #expect(error?.file == "x.plan")
    }

    @Test(arguments: [
        "", "miswire plan", "miswire plan 2\n---\nfaults none", "hello", "miswire plan 1\nfaults none",
        "miswire plan 1\n---\nuser together credential none\nfaults none",
        "miswire plan 1\n---\nuser run1 credential none\nfaults none",
        "miswire plan 1\n---\nuser a credential none extra\nfaults none",
        "miswire plan 1\nfound x\nfinding I2-1\n---\nfaults none",
        "miswire plan 1\n---\nuser a credential none\nuser a credential none\nfaults none",
        "miswire plan 1\n---\nuser a credential none\n1 a connect /ws\n1 a close 1000\nfaults none",
        "miswire plan 1\n---\nuser a credential none\n1 a send text \"x\nfaults none",
        "miswire plan 1\n---\nuser a credential none\n1 a send bytes 8\nfaults none",
        "miswire plan 1\n---\nuser a credential none\n1 a close 70000\nfaults none",
        "miswire plan 1\n---\nuser a credential none\n1 a close 1000 \"a\" b\nfaults none",
        "miswire plan 1\n---\nuser a credential none\n1 a until x within 1e9h\nfaults none",
        "miswire plan 1\n---\nuser a credential none\n1 a cut softly\nfaults none",
        "miswire plan 1\n---\nuser a credential none\n1 a connect ws\nfaults none",
        "miswire plan 1\n---\nuser a credential none\nfaults\nf1 drop message nth 0",
        "miswire plan 1\n---\nuser a credential none\nfaults\nf1 drop\nf1 drop",
        "miswire plan 1\n---\nuser a credential none\n1 a connect /ws header A: \"x\\ny\"\nfaults none",
    ])
    func refuses(_ text: String) {
        #expect(throws: PlanErrors.self) { try PlanText.parse(text) }
    }

    @Test func whatIsTooLargeIsRefusedBeforeItIsRead() {
        let error = #expect(throws: PlanErrors.self) {
            try PlanText.parse(String(repeating: "#", count: PlanText.largest + 1))
        }
        #expect(error?.errors.first?.remedy == "at most 16777216 are read")
    }

    @Test func errorsAreBounded() {
        let lines = (0..<10_000).map { "\($0) nobody connect /ws" }.joined(separator: "\n")
        let error = #expect(throws: PlanErrors.self) { try PlanText.parse("miswire plan 1\n---\n" + lines) }
        #expect((error?.errors.count ?? 0) <= PlanParser.mostErrors)
    }
}
