import Contracts
import Foundation
import Peers
import Profiles
import Reporting
import Testing

@testable import Commands

/// Each value of `miswire fuzz` that is none is refused before anything is sent, in the form of looks.md section 4.
@Suite struct FuzzOptionTests {
    /// What stands behind `fuzz`, and standard error word for word.
    static let refused: [(line: String, err: String)] = [
        (
            "", """
            error: no server is named
              remedy    add ws://HOST:PORT/PATH, or --exec 'CMD {port}'                         exit 4 (usage)

            """
        ),
        (
            "http://127.0.0.1:8080/ws", """
            error: no server is named
              remedy    add ws://HOST:PORT/PATH, or --exec 'CMD {port}'                         exit 4 (usage)

            """
        ),
        (
            "wss://127.0.0.1:8080/ws", """
            error: wss://127.0.0.1:8080/ws asks for TLS, which is not supported yet
              expected  ws://HOST:PORT, such as ws://127.0.0.1:8080                             exit 4 (usage)

            """
        ),
        (
            "ws://127.0.0.1:1 --phases stateful,soak", """
            error: `soak` is not a value of `--phases`
              expected  calibration, boundaries, stateful, isolation                            exit 4 (usage)

            """
        ),
        (
            "ws://127.0.0.1:1 --users 0", """
            error: `0` is not a value of `--users`
              expected  a number from 1 to 10,000                                               exit 4 (usage)

            """
        ),
        (
            "ws://127.0.0.1:1 --seed 99999999999999999999", """
            error: `99999999999999999999` is not a value of `--seed`
              expected  a number from 0 to 18446744073709551615                                 exit 4 (usage)

            """
        ),
        (
            "ws://127.0.0.1:1 --max-total-time 10min", """
            error: `10min` is not a value of `--max-total-time`
              expected  a time with ms, s, m or h, such as 10m, at most 168 h
              remedy    write `10m`                                                             exit 4 (usage)

            """
        ),
        (
            "ws://127.0.0.1:1 --max-total-time 0", """
            error: `0` is not a value of `--max-total-time`
              expected  a time with ms, s, m or h, such as 10m, at most 168 h                   exit 4 (usage)

            """
        ),
        (
            "ws://127.0.0.1:1 --rate-limit fast", """
            error: `fast` is not a value of `--rate-limit`
              expected  messages a second, such as 500/s                                        exit 4 (usage)

            """
        ),
        (
            "ws://127.0.0.1:1 --report junit=no/such/dir.xml", """
            error: the report `junit` cannot be written
              place     no/such/dir.xml
              found     no such file or directory
              remedy    name another file, in a directory that exists                           exit 4 (usage)

            """
        ),
        (
            "ws://127.0.0.1:1 --report junit=.", """
            error: the report `junit` cannot be written
              place     .
              found     is a directory
              remedy    name another file, in a directory that exists                           exit 4 (usage)

            """
        ),
        (
            "ws://127.0.0.1:1 --findings /dev/null/x", """
            error: findings cannot be written into /dev/null/x
              found     /dev/null is a file
              remedy    name another directory with --findings                                  exit 4 (usage)

            """
        ),
        (
            "ws://127.0.0.1:1 --credential alice=@nothere", """
            error: the credential of `alice` cannot be read
              place     nothere
              found     there is no such file
              remedy    name a file that holds the token                                        exit 4 (usage)

            """
        ),
        (
            "ws://127.0.0.1:1 --credential alice=env:MISWIRE_NO_SUCH", """
            error: the environment variable MISWIRE_NO_SUCH is not set
              place     --credential alice=env:MISWIRE_NO_SUCH
              remedy    set it, or give alice=@FILE                                             exit 4 (usage)

            """
        ),
        (
            "ws://127.0.0.1:1 --credential sometoken", """
            error: a credential names no user
              place     --credential
              expected  USER=@FILE, USER=env:NAME or USER=-                                     exit 4 (usage)

            """
        ),
        (
            "ws://127.0.0.1:1 --credential a=t1 --credential a=t2", """
            error: the user `a` has two credentials
              place     --credential
              remedy    keep one of them, or give the other user a name of its own              exit 4 (usage)

            """
        ),
        (
            "ws://127.0.0.1:1 --credential a=t1 --users 2", """
            error: 2 users cannot share 1 credential
              place     --users 2
              found     a
              remedy    give a credential for each user, or --users 1                           exit 4 (usage)

            """
        ),
        (
            "ws://127.0.0.1:1 new also-new", """
            error: there is no corpus at also-new
              expected  directories of plans; the first may be new
              remedy    name one that exists                                                    exit 4 (usage)

            """
        ),
        (
            "ws://192.0.2.1:80/ws", """
            error: 192.0.2.1 is neither this machine nor in a private network
              found     192.0.2.1
              remedy    if you may test that server, add --authorised-target 192.0.2.1          exit 4 (usage)

            """
        ),
        (
            "ws://192.0.2.1:80/ws --authorised-target 192.0.2.10", """
            error: 192.0.2.1 is neither this machine nor in a private network
              found     192.0.2.1
              given     --authorised-target 192.0.2.10
              remedy    if you may test that server, add --authorised-target 192.0.2.1          exit 4 (usage)

            """
        ),
        (
            "ws://169.254.169.254/latest --authorised-target 169.254.169.254", """
            error: 169.254.169.254 cannot be a target
              found     169.254.169.254; link-local and metadata addresses are not dialled      exit 4 (usage)

            """
        ),
        (
            "ws://192.0.2.1:80/ws --authorised-target 192.0.2.1 --rate-limit 5000/s", """
            error: --rate-limit is more than a target outside of private networks may get
              found     5,000/s
              expected  at most 1,000/s                                                         exit 4 (usage)

            """
        ),
        (
            "--exec server", """
            error: --exec cannot be read: it names no port; write {port} where the port goes
              found     server                                                                  exit 4 (usage)

            """
        ),
    ]

    @Test(arguments: refused) func readsWordForWord(line: String, err: String) async throws {
        try await Program.inDirectory { directory in
            let told = try await Program.run(["fuzz"] + line.split(separator: " ").map(String.init), in: directory)
            #expect(told.err == err)
            #expect(told.code == 4 && told.out.isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
        }
    }

    @Test func theListOfPropertiesIsTheRegistry() async throws {
        let told = try await Program.run(["fuzz", "ws://127.0.0.1:1", "--checks", "I2,E33"])
        #expect(told.err.hasPrefix("error: no property is called `E33`\n  place     --checks\n  known     H1 H2 E1 "))
        #expect(told.err.contains("  remedy    write `E3`") && told.code == 4)
        let none = try await Program.run(["fuzz", "ws://127.0.0.1:1", "--checks", "E3", "--exclude-checks", "e3"])
        #expect(none.err.hasPrefix("error: no property is left to check\n") && none.code == 4)
    }

    @Test(arguments: ["--report junit=a.xml,saif=b", "--report junit", "--report junit=x,sarif=x", "--dict nothere", "--contract nothere", "--profile nothere"])
    func sharedErrorsKeepTheForm(line: String) async throws {
        try await Program.inDirectory { directory in
            let told = try await Program.run(["fuzz", "ws://127.0.0.1:1"] + line.split(separator: " ").map(String.init), in: directory)
            #expect(told.code == 4 && told.out.isEmpty)
            #expect(told.err.hasPrefix("error: ") && told.err.hasSuffix("exit 4 (usage)\n"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
        }
    }

    @Test func aSecretIsNeverRepeated() async throws {
        let told = try await Program.run(["fuzz", "ws://127.0.0.1:1", "--credential", "s3cr3t-t0ken"])
        #expect(!told.err.contains("s3cr3t") && told.code == 4)
        let order = try await FuzzOrder.read(request("ws://127.0.0.1:1/ws", credentials: ["alice=s3cr3t", "bob=t0ken"]))
        #expect(order.options.credentials.map(\.token) == ["s3cr3t", "t0ken"] && order.options.users == 2)
        #expect(order.again.contains("--credential alice=@FILE --credential bob=@FILE") && !order.again.contains("s3cr3t"))
        #expect(order.warnings.count == 1)
    }

    private func request(_ places: String..., credentials: [String] = []) -> FuzzRequest {
        var request = FuzzRequest()
        request.places = places
        request.credentials = credentials
        return request
    }

    @Test func credentialsComeFromFilesEnvironmentAndInput() async throws {
        try await Program.inDirectory { directory in
            try "file-token\n".write(toFile: directory + "/token", atomically: true, encoding: .utf8)
            let sources = GivenCredentials.Sources(environment: ["T": "env-token"], input: { Data("in-token\r\n".utf8) })
            let given = try GivenCredentials(["a=@\(directory)/token", "b=env:T", "c=-"], sources: sources)
            #expect(given.tokens.map(\.token) == ["file-token", "env-token", "in-token"])
            #expect(given.warnings.isEmpty)
            #expect(throws: Complaint.self) { try GivenCredentials(["a=-", "b=-"], sources: sources) }
            #expect(throws: Complaint.self) { try GivenCredentials(["a=env:T"], sources: .init(environment: ["T": "x\r\ny: z"])) }
            #expect(throws: Complaint.self) { try GivenCredentials(["a=env:T"], sources: .init(environment: ["T": " "])) }
            #expect(throws: Complaint.self) { try GivenCredentials(["../a=x"], sources: sources) }
        }
    }

    @Test func everyDerivedOptionStandsInTheLineThatRepeatsTheRun() async throws {
        var request = request("ws://127.0.0.1:8080/ws?x=1")
        request.seed = "42"
        request.maxTotalTime = "10m"
        request.shrinks = false
        request.checks = ["I2", "E3"]
        let order = try await FuzzOrder.read(request, processors: 3)
        #expect(
            order.again.hasSuffix(
                "fuzz 'ws://127.0.0.1:8080/ws?x=1' --contract agent-chat --users 50 --seed 42 --workers 3 "
                    + "--max-total-time 10m --checks I2,E3 --no-shrink"))
        #expect(order.options.path == "/ws?x=1" && order.options.target == Endpoint(host: "127.0.0.1", port: 8080))
        #expect(order.options.checks == ["I2", "E3"] && order.options.ratePerSecond == nil)
        #expect(order.replay == " 'ws://127.0.0.1:8080/ws?x=1'")
    }

    @Test func withExecAPathIsThePathAndTheRestAreCorpora() async throws {
        var request = request("/ws-of-no-file")
        request.exec = "server --port {port}"
        let order = try await FuzzOrder.read(request)
        #expect(order.options.path == "/ws-of-no-file" && order.options.exec == "server --port {port}")
        #expect(order.corpora.places.isEmpty)
        #expect(order.replay == " --exec 'server --port {port}'")
        try await Program.inDirectory { directory in
            request.places = [directory]
            let other = try await FuzzOrder.read(request)
            #expect(other.options.path == "/" && other.corpora.places == [directory])
        }
    }

    @Test func plansOfACorpusAreSeedsAndABrokenOneIsLeftOut() async throws {
        try await Program.inDirectory { directory in
            let plan = "miswire plan 1\n----\nuser  alice  credential header\n1  alice  connect /ws\nfaults none\n"
            try plan.write(toFile: directory + "/a.plan", atomically: true, encoding: .utf8)
            try "nonsense\u{1b}[2J".write(toFile: directory + "/b.plan", atomically: true, encoding: .utf8)
            try "not mine".write(toFile: directory + "/README", atomically: true, encoding: .utf8)
            let corpora = try GivenCorpora([directory], contract: try ContractLoader().load("agent-chat"))
            #expect(corpora.seeds.count == 1 && corpora.warnings.count == 2)
            #expect(corpora.warnings.allSatisfy { !$0.contains("\u{1b}") })
        }
    }
}

@Suite struct TargetGuardTests {
    @Test(arguments: [
        ("127.0.0.1", TargetGuard.Reach.loopback), ("127.9.9.9", .loopback), ("::1", .loopback), ("0.0.0.0", .loopback), ("::", .loopback),
        ("::ffff:127.0.0.1", .loopback), ("10.0.0.1", .privateNetwork), ("172.16.0.1", .privateNetwork),
        ("172.31.255.255", .privateNetwork), ("192.168.1.1", .privateNetwork), ("fd12::1", .privateNetwork),
        ("fc00::1", .privateNetwork), ("169.254.1.1", .linkLocal), ("fe80::1", .linkLocal), ("febf::1", .linkLocal),
        ("fd00:ec2::254", .linkLocal), ("::ffff:169.254.169.254", .linkLocal), ("172.15.0.1", .open), ("172.32.0.1", .open),
        ("192.169.0.1", .open), ("11.0.0.1", .open), ("8.8.8.8", .open), ("2001:db8::1", .open), ("::2", .open),
        ("::ffff:8.8.8.8", .open), ("64:ff9b::a00:1", .open), ("fec0::1", .open), ("100.64.0.1", .open), ("nonsense", .open),
    ]) func addressTable(address: String, reach: TargetGuard.Reach) {
        #expect(TargetGuard.reach(of: address) == reach)
    }

    @Test func everyAddressOfANameMustPass() async throws {
        let place = Endpoint(host: "chat.test", port: 9)
        await #expect(throws: Complaint.self) {
            try await TargetGuard.admit(place, authorised: nil, resolve: { _ in ["10.0.0.1", "8.8.8.8"] })
        }
        await #expect(throws: Complaint.self) {
            try await TargetGuard.admit(place, authorised: "chat.test.", resolve: { _ in ["8.8.8.8"] })
        }
        await #expect(throws: Complaint.self) {
            try await TargetGuard.admit(place, authorised: "8.8.8.8", resolve: { _ in ["8.8.8.8"] })
        }
        await #expect(throws: Complaint.self) {
            try await TargetGuard.admit(place, authorised: "chat.test", resolve: { _ in ["8.8.8.8", "169.254.169.254"] })
        }
        let open = try await TargetGuard.admit(place, authorised: "chat.test", resolve: { _ in ["8.8.8.8"] })
        #expect(open.isPublic && open.endpoint == Endpoint(host: "8.8.8.8", port: 9))
        let near = try await TargetGuard.admit(place, authorised: nil, resolve: { _ in ["10.0.0.1"] })
        #expect(!near.isPublic && near.endpoint == Endpoint(host: "10.0.0.1", port: 9))
    }

    @Test func replayKeepsToTheSameRule() async throws {
        try await Program.inDirectory { directory in
            let plan = "miswire plan 1\n----\nuser  alice  credential none\n1  alice  connect /ws\nfaults none\n"
            try plan.write(toFile: directory + "/a.plan", atomically: true, encoding: .utf8)
            let told = try await Program.run(["replay", "a.plan", "ws://192.0.2.1:80/ws"], in: directory)
            #expect(told.code == 4 && told.out.isEmpty)
            #expect(told.err.hasPrefix("error: 192.0.2.1 is neither this machine nor in a private network\n"))
        }
    }
}
