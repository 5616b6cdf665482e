import Foundation
import Testing

/// The error form of looks.md section 4: sentence, place, what was found and expected, remedy, and the exit code.
@Suite(.timeLimit(.minutes(5))) struct ErrorFormTests {
    /// Command line, exit code, standard error word for word.
    static let transcripts: [(line: String, code: Int32, err: String)] = [
        (
            "fuz ws://localhost:8080", 4,
            """
            error: `fuz` is not a verb; write `miswire fuzz`                                    exit 4 (usage)
              verbs: demo proxy fuzz replay check capture import export profile contract faults backend corpus
                     recording ca limits

            """
        ),
        (
            "prox ws://localhost:8080", 4,
            """
            error: `prox` is not a verb; write `miswire proxy`                                  exit 4 (usage)
              verbs: demo proxy fuzz replay check capture import export profile contract faults backend corpus
                     recording ca limits

            """
        ),
        (
            "check --verbos rec", 4,
            """
            error: `--verbos` is not an option of `miswire check`; write `--verbose`
              usage     miswire check <recording> [--contract <contract>] [--messages] [--report <kind=file>
                        ...] [--color <color>] [--ascii] [--json] [--verbose]                   exit 4 (usage)

            """
        ),
        (
            "check", 4,
            """
            error: `miswire check` needs <recording>
              usage     miswire check <recording> [--contract <contract>] [--messages] [--report <kind=file>
                        ...] [--color <color>] [--ascii] [--json] [--verbose]                   exit 4 (usage)

            """
        ),
        (
            "proxy ws://127.0.0.1:1 --profile lost", 4,
            """
            error: no profile is called `lost`
              --> lost
              write `lost-credential`
            lost: 1 error, nothing is listening                                                 exit 4 (usage)

            """
        ),
        (
            "proxy ftp://127.0.0.1:443", 4,
            """
            error: ftp://127.0.0.1:443 cannot be a target
              found     a target begins with ws:// or wss://
              expected  ws://HOST:PORT or wss://HOST:PORT, such as ws://127.0.0.1:8080          exit 4 (usage)

            """
        ),
        (
            "proxy ws://127.0.0.1:1 --listen nowhere", 4,
            """
            error: nowhere is not an address
              expected  HOST:PORT or :PORT, such as 127.0.0.1:9000                              exit 4 (usage)

            """
        ),
        (
            "replay nothere.plan ws://127.0.0.1:1", 4,
            """
            error: there is no plan at nothere.plan
              remedy    name a file that `miswire demo --bugs` or `miswire fuzz` wrote          exit 4 (usage)

            """
        ),
        (
            "check nothere", 4,
            """
            error: there is no recording here
              place     nothere
              remedy    name a path that exists                                                 exit 4 (usage)

            """
        ),
        (
            "faults drop-aut", 4,
            """
            error: no fault is called `drop-aut`
              known     accept-delay early-frames refuse handshake-mutate drop-auth offer-deflate announce
                        latency …
              remedy    write `drop-auth`                                                       exit 4 (usage)

            """
        ),
        (
            "demo --bugs B08,B99", 4,
            """
            error: no bug is called `B99`
              known     B01 B02 B03 B04 B05 B06 B07 B08 B09 B10 B11 B12 B13 B14 B15 B16 B17 B18 B19 B20 B21
                        B22 B23 B24 B25 B26 B27 B28 B29 B30                                     exit 4 (usage)

            """
        ),
        (
            "backend --port 70000", 4,
            """
            error: the port 70000 does not exist
              expected  0 to 65535                                                              exit 4 (usage)

            """
        ),
    ]

    @Test(arguments: transcripts) func readsAsInTheMockUp(line: String, code: Int32, err: String) async throws {
        try await Program.inDirectory { directory in
            let told = try await Program.run(line.split(separator: " ").map(String.init), in: directory)
            #expect(told.code == code)
            #expect(told.err == err)
            #expect(told.out.isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
        }
    }

    @Test func everyErrorOfAFileIsShownWithItsPlaceAndNothingListens() async throws {
        try await Program.inDirectory { directory in
            let profile = """
                miswire: 1
                name: lost
                faults:
                  - id: f1
                    fault: drop-aut
                  - id: f2
                    fault: accept-delay
                    delay: fast

                """
            try profile.write(toFile: directory + "/lost.yaml", atomically: true, encoding: .utf8)
            let port = try Ports.free()
            let told = try await Program.run(
                ["proxy", "ws://127.0.0.1:1", "--listen", "127.0.0.1:\(port)", "--profile", "lost.yaml", "--record", "rec"],
                in: directory)
            #expect(told.code == 4 && told.out.isEmpty)
            let lines = told.err.split(separator: "\n").map(String.init)
            #expect(lines.contains("error: no fault is called `drop-aut`") && lines.contains("  --> lost.yaml:5:12"))
            #expect(lines.contains("5 |     fault: drop-aut"))
            #expect(lines.contains { $0.hasPrefix("  |            ^^^^^^^^ write `drop-auth`") })
            #expect(lines.contains("error: `delay` needs a duration") && lines.contains("  --> lost.yaml:8:12"))
            #expect(lines.last == "lost.yaml: 2 errors, nothing is listening                                           exit 4 (usage)")
            #expect(!Ports.answers(port))
            #expect(!FileManager.default.fileExists(atPath: directory + "/rec"))
            let plain = try await Program.run(["profile", "check", "--plain", "lost.yaml"], in: directory)
            #expect(plain.code == 4)
            #expect(plain.err.hasPrefix("lost.yaml:5:12: error: no fault is called `drop-aut`; write `drop-auth`\nlost.yaml:8:12: error: "))
        }
    }

    @Test func brokenYAMLHasAPlace() async throws {
        try await Program.inDirectory { directory in
            try "miswire: 1\nname: [x\nfaults: {\n".write(toFile: directory + "/broken.yaml", atomically: true, encoding: .utf8)
            let told = try await Program.run(["profile", "check", "broken.yaml"], in: directory)
            #expect(told.code == 4)
            #expect(told.err.hasPrefix("error: ") && told.err.contains("  --> broken.yaml:"))
            #expect(told.err.contains("broken.yaml: 1 error, nothing is listening  ") && told.err.hasSuffix("exit 4 (usage)\n"))
        }
    }

    @Test func aSilentTargetIsUnreachableAndNothingListens() async throws {
        try await Program.inDirectory { directory in
            let (port, target) = (try Ports.free(), try Ports.free())
            let told = try await Program.run(
                ["proxy", "ws://127.0.0.1:\(target)", "--listen", "127.0.0.1:\(port)", "--wait", "300ms", "--record", "rec"],
                in: directory)
            #expect(told.code == 3 && told.out.isEmpty)
            let lines = told.err.split(separator: "\n").map(String.init)
            #expect(lines.count == 3)
            #expect(lines[0] == "error: the target ws://127.0.0.1:\(target) does not answer")
            #expect(lines[1].hasPrefix("  tried     127.0.0.1:\(target), connection refused, "))
            #expect(lines[2] == "  remedy    start it, name another address, or --wait 30s       exit 3 (target unreachable)")
            #expect(!Ports.answers(port))
            #expect(!FileManager.default.fileExists(atPath: directory + "/rec"))
        }
    }

    @Test func aTakenPortNamesWhoHoldsIt() async throws {
        let backend = try Program.start(["backend"])
        #expect(await backend.until("/ws "))
        let port = try #require(backend.out.split(separator: ":").last?.split(separator: "/").first.flatMap { Int($0) })
        let again = try await Program.run(["backend", "--port", "\(port)"])
        #expect(again.code == 4)
        #expect(again.err.hasPrefix("error: port \(port) is in use\n  by        miswire, pid \(backend.pid) (listening since "))
        let proxy = try await Program.run(["proxy", "ws://127.0.0.1:\(port)", "--listen", "127.0.0.1:\(port)"])
        #expect(proxy.code == 4 && proxy.err.contains("error: "))
        backend.signal(SIGTERM)
        let ended = await backend.end()
        #expect(ended.code == 0)
        #expect(ended.out.hasSuffix("exit 0 (pass)\n"))
    }

    @Test func damagedRecordingsAreNamed() async throws {
        try await Program.inDirectory { directory in
            try FileManager.default.createDirectory(atPath: directory + "/rec", withIntermediateDirectories: true)
            try "\u{1b}]0;owned\u{7}not json\n".write(toFile: directory + "/rec/0001.ndjson", atomically: true, encoding: .utf8)
            let told = try await Program.run(["check", "rec"], in: directory)
            #expect(told.code == 4)
            #expect(told.err.contains("error: ") && told.err.hasSuffix("exit 4 (usage)\n"))
            #expect(!told.err.contains("\u{1b}") && !told.err.contains("\u{7}"))
        }
    }

    @Test func whatIsTypedNeverReachesTheTerminalRaw() async throws {
        let evil = "x\u{1b}[2J\u{202e}\u{7}\u{9b}"
        for arguments in [
            [evil], ["demo", "--stage", evil], ["demo", "--bugs", evil], ["demo", "--" + evil], ["proxy", evil],
            ["proxy", "ws://127.0.0.1:1", "--listen", evil], ["proxy", "ws://127.0.0.1:1", "--profile", evil],
            ["proxy", "ws://127.0.0.1:1", "--contract", evil], ["replay", evil, "ws://127.0.0.1:1"], ["check", evil],
            ["faults", evil], ["contract", evil], ["profile", "check", evil], ["profile", "show", evil],
            ["backend", "--bugs", evil], ["limits", evil], ["demo", "--seed", evil],
        ] {
            let told = try await Program.run(arguments)
            #expect(told.code == 4, "\(arguments)")
            for scalar in (told.out + told.err).unicodeScalars where scalar != "\n" {
                #expect(scalar.value >= 0x20 && !(0x7f..<0xa0).contains(scalar.value) && scalar.value != 0x202e, "\(arguments)")
            }
        }
    }
}
