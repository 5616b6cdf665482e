import Faults
import Foundation
import Journaling
import Profiles
import ProxyRuntime
import Testing

@testable import Commands

/// Faults stay where they were meant, stop when they were to, follow their file, and nothing that is secret is printed.
@Suite(.timeLimit(.minutes(3))) struct StagingTests {
    private static let scoped = "scope: { share: 50%, expires: 1h }\n"

    private func profile(_ name: String, scope: String = "", faults: String = "  - { id: slow, fault: delay, delay: 1ms }\n") -> String {
        "miswire: 1\nname: \(name)\n\(scope)" + (faults.isEmpty ? "" : "faults:\n" + faults)
    }

    private func loaded(_ scope: String) throws -> Profile { try ProfileLoader.parse(text: profile("p", scope: scope), file: "p.yaml") }

    @Test func whichScopesLimit() throws {
        let enough = [
            "scope: { share: 1%, expires: 10m }", "scope: { users: [bob], budget: { total: 5 } }", "scope: { paths: [\"/test/**\"], expires: 1h }",
        ]
        let little = [
            "", "scope: { share: 1% }", "scope: { expires: 10m }", "scope: { users: [\"*\"], expires: 10m }", "scope: { share: 100%, expires: 1m }",
            "scope: { paths: [\"/**\"], budget: { total: 1 } }", "scope: { users: [bob], expires: never }",
            "scope: { users: [bob], budget: { per-connection: 1 } }",
        ]
        for scope in enough { #expect(try StagingGuard.unlimited(loaded(scope + "\n")) == nil, "\(scope)") }
        for scope in little { #expect(try StagingGuard.unlimited(loaded(scope.isEmpty ? "" : scope + "\n")) == "p", "\(scope)") }
        #expect(try StagingGuard.unlimited(ProfileLoader().load("staging-safe")) == nil)
        #expect(try StagingGuard.unlimited(ProfileLoader().load("transparent")) == nil, "no fault, no limit")
        // Of several each has to limit itself.
        try inFolder(["a.yaml": profile("a", scope: Self.scoped), "b.yaml": profile("b", faults: "  - { id: b, fault: chop }\n")]) { folder in
            let both = try ProfileLoader().load(["a.yaml", "b.yaml"].map { folder + "/" + $0 })
            #expect(StagingGuard.unlimited(both) == "b")
        }
    }

    private func inFolder<R>(_ files: [String: String], _ body: (String) throws -> R) throws -> R {
        let folder = NSTemporaryDirectory() + "/miswire-staging-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, text) in files { try text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8) }
        return try body(folder)
    }

    @Test func whereFaultsMayAct() throws {
        func danger(_ listen: String, _ target: String) throws -> StagingGuard.Danger? {
            try StagingGuard.danger(listen: HostPort(listen), upstream: HostPort(host: target, port: 80))
        }
        #expect(try danger("127.0.0.1:0", "127.0.0.1") == nil)
        #expect(try danger("[::1]:0", "10.1.2.3") == nil)
        #expect(try danger("127.0.0.1:0", "192.168.4.4") == nil)
        #expect(try danger(":9000", "127.0.0.1") == .listener("0.0.0.0:9000"))
        #expect(try danger("10.0.0.4:9000", "127.0.0.1") == .listener("10.0.0.4:9000"))
        #expect(try danger("127.0.0.1:0", "203.0.113.7") == .target("203.0.113.7", "203.0.113.7"))
    }

    @Test func refusesToStart() async throws {
        let outcome = try await Program.run(["proxy", "ws://127.0.0.1:1", "--listen", ":0", "--profile", "delayed-accept"])
        #expect(outcome.code == 4)
        #expect(outcome.err.contains("faults would act on whoever reaches 0.0.0.0:0"))
        #expect(outcome.err.contains("add --i-am-staging"))
        let far = try await Program.run(["proxy", "ws://203.0.113.7:80", "--profile", "delayed-accept"])
        #expect(far.code == 4 && far.err.contains("203.0.113.7, which is neither this machine nor in a private network"))
        // Said or limited, the next thing that is wrong is the target that nobody listens on.
        for more in [["--profile", "delayed-accept", "--i-am-staging"], ["--profile", "staging-safe"], ["--profile", "transparent"]] {
            let other = try await Program.run(["proxy", "ws://127.0.0.1:1", "--listen", ":0", "--wait", "0s"] + more)
            #expect(other.code == 3 && other.err.contains("does not answer"), "\(more): \(other.err)")
        }
    }

    private func withProxy(
        _ arguments: [String], environment: [String: String] = [:], in folder: String, _ body: (Running, UInt16) async throws -> Void
    ) async throws -> Program.Outcome {
        let backend = try Program.start(["backend", "--port", "0"])
        _ = await backend.until("ws://127.0.0.1:")
        let port = Self.port(in: backend.out)
        let proxy = try Program.start(
            ["proxy", "ws://127.0.0.1:\(port)", "--listen", "127.0.0.1:0"] + arguments, environment: environment, in: folder)
        #expect(await proxy.until("listen    ws://127.0.0.1:"))
        try await body(proxy, Self.port(in: String(proxy.out.split(separator: "listen    ").last ?? "")))
        proxy.signal(SIGTERM)
        let outcome = await proxy.end()
        backend.signal(SIGTERM)
        _ = await backend.end()
        return outcome
    }

    private static func port(in text: String) -> UInt16 {
        let digits = text.split(separator: "127.0.0.1:").dropFirst(text.hasPrefix("127.0.0.1:") ? 0 : 1).first?.prefix { $0.isNumber }
        return digits.flatMap { UInt16($0) } ?? 0
    }

    @Test func followsItsFile() async throws {
        try await Program.inDirectory { folder in
            let file = folder + "/mine.yaml"
            func write(_ text: String) throws { try text.write(toFile: file, atomically: true, encoding: .utf8) }
            try write(profile("mine"))
            let outcome = try await withProxy(["--profile", "mine.yaml", "--profile", "transparent"], in: folder) { proxy, _ in
                try write("miswire: 1\nname: mine\nfaults:\n  - { fault: dely }\n")
                proxy.signal(SIGHUP)
                #expect(await proxy.until("mine.yaml:4:14 does not parse;"))
                // Nobody has to say anything: the file is looked at once a second.
                try write(profile("mine", faults: "  - { id: slow, fault: delay, delay: 3ms }\n  - { id: small, fault: chop }\n"))
                #expect(await proxy.until("is on: 2 faults"))
            }
            let kept = outcome.outLines.first { $0.contains("does not parse") } ?? ""
            #expect(kept.contains(" profile  ") && kept.contains(" stays on") && kept.contains("no fault is called `dely`"))
        }
    }

    /// Each listener of a file has faults of its own, and follows its own file.
    @Test func eachListenerFollowsItsFile() async throws {
        try await Program.inDirectory { folder in
            func write(_ name: String, _ text: String) throws { try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8) }
            let backend = try Program.start(["backend", "--port", "0"])
            _ = await backend.until("ws://127.0.0.1:")
            let upstream = "upstream: \"ws://127.0.0.1:\(Self.port(in: backend.out))\""
            try write("one.yaml", profile("one"))
            try write("two.yaml", profile("two", scope: "scope: { expires: 2s }\n"))
            try write("all.yaml", "miswire: 1\nlisteners:\n" + ["one", "two"].map { name in
                "  - { name: \(name), listen: \"127.0.0.1:0\", \(upstream), profile: \(name).yaml }\n"
            }.joined())
            let proxy = try Program.start(["proxy", "--config", "all.yaml"], in: folder)
            #expect(await proxy.until("listen    two  ws://127.0.0.1:"))
            #expect(await proxy.until("two: off: 2 s are over, 0 acted"))
            try write("two.yaml", profile("two", faults: "  - { id: slow, fault: delay, delay: 3ms }\n  - { id: small, fault: chop }\n"))
            #expect(await proxy.until("two: two "))
            try write("one.yaml", "miswire: 1\nname: one\nfaults:\n  - { fault: dely }\n")
            proxy.signal(SIGHUP)
            #expect(await proxy.until("one.yaml:4:14 does not parse;"))
            proxy.signal(SIGUSR1)
            #expect(await proxy.until("off: stopped by a signal"))
            proxy.signal(SIGUSR1)
            #expect(await proxy.until("on again: one "))
            proxy.signal(SIGTERM)
            let outcome = await proxy.end()
            backend.signal(SIGTERM)
            _ = await backend.end()
            #expect(outcome.code == 0, "\(outcome.err)")
            #expect(outcome.out.contains(", two ") && !outcome.out.contains("one: one "), "\(outcome.out)")
        }
    }

    @Test func saysWhenFaultsAreOver() async throws {
        try await Program.inDirectory { folder in
            try profile("brief", scope: "scope: { expires: 2s }\n").write(toFile: folder + "/brief.yaml", atomically: true, encoding: .utf8)
            _ = try await withProxy(["--profile", "brief.yaml"], in: folder) { proxy, _ in
                #expect(await proxy.until("off: 2 s are over, 0 acted"))
                proxy.signal(SIGUSR1)
                #expect(await proxy.until("off: stopped by a signal"))
                proxy.signal(SIGUSR1)
                #expect(await proxy.until("on again: brief "))
            }
        }
    }

    @Test func countdowns() {
        #expect(FaultClock.countdown(.seconds(521)) == "8:41")
        #expect(FaultClock.countdown(.seconds(3_723)) == "1:02:03")
        #expect(FaultClock.words(.expired(.seconds(600)), acted: 31) == "off: 10 min are over, 31 acted")
        #expect(FaultClock.words(.spent(1_200), acted: 1_200) == "off: the budget of 1,200 is used up, 1,200 acted")
    }

    @Test func thePinnedLine() throws {
        let profile = try ProfileLoader().load("staging-safe")
        let style = Console(colour: .never, ascii: false, environment: [:]).out
        #expect(FaultClock.pinned(profile, since: .seconds(79), pid: 48_213, style) == "◆ staging-safe, 2 faults, 8:41 left, kill -USR1 48213")
    }

    /// Credentials of every place, a secret of the profile and one of the command line: nothing printed or recorded has one.
    @Test func nothingSecretIsPrinted() async throws {
        let canary = "canary7f3a9c"
        try await Program.inDirectory { folder in
            let faults = "  - { id: told, fault: inject, payload: '{\"type\":\"x\",\"key\":\"${SECRET}\"}', when: { message: first 1 } }\n"
                + "  - { id: bad, fault: drop-auth, how: corrupt, when: { connection: every 2 } }\n"
            try profile("secret", faults: faults).write(toFile: folder + "/secret.yaml", atomically: true, encoding: .utf8)
            let outcome = try await withProxy(
                ["--profile", "secret.yaml", "--contract", "agent-chat", "--log", "all", "--record", "rec"],
                environment: ["SECRET": "secret-\(canary)"], in: folder
            ) { proxy, port in
                for fields in [
                    "Authorization: Bearer \(canary)-header\r\n", "Cookie: token=\(canary)-cookie\r\n",
                    "Sec-WebSocket-Protocol: chat, token.\(canary)-protocol\r\n", "X-Api-Key: \(canary)-key\r\n", "",
                ] {
                    let head = "GET /ws?token=\(canary)-query HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\(fields)"
                        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
                    Ports.exchange(head, with: port)
                    Ports.exchange("\(canary) is no request\r\n\r\n", with: port)
                }
            }
            #expect(outcome.out.contains("refused") || outcome.out.contains("open"))
            #expect(!outcome.out.contains(canary), "\(outcome.outLines.first { $0.contains(canary) } ?? "")")
            #expect(!outcome.err.contains(canary), "\(outcome.err)")
            let shown = try await Program.run(["recording", "show", "rec"], in: folder)
            let checked = try await Program.run(["check", "rec"], in: folder)
            #expect(!(shown.out + shown.err + checked.out + checked.err).contains(canary))
        }
        for target in ["ws://user:\(canary)@127.0.0.1:1/ws", "ws://127.0.0.1:1/ws?token=\(canary)"] {
            let outcome = try await Program.run(["proxy", target, "--wait", "0s"])
            #expect(outcome.code != 0 && !(outcome.out + outcome.err).contains(canary), "\(outcome.err)")
        }
    }
}

extension Ports {
    /// Sends it, reads whatever comes for a moment, and hangs up.
    static func exchange(_ text: String, with port: UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = unsafe withUnsafePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { return }
        _ = unsafe Foundation.send(descriptor, text, text.utf8.count, 0)
        var patience = timeval(tv_sec: 0, tv_usec: 300_000)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var bytes = [UInt8](repeating: 0, count: 4_096)
        for _ in 0..<4 { if unsafe recv(descriptor, &bytes, bytes.count, 0) <= 0 { break } }
    }
}
