import Contracts
import Testing

@testable import Profiles

/// Files of listeners: what they say, and where they are wrong.
@Suite struct ProxyFileTests {
    private static let words = AddressWords(
        listen: { $0.contains(":") ? nil : "write HOST:PORT" }, upstream: { $0.hasPrefix("ws") ? nil : "write ws://HOST:PORT" },
        allow: { $0.contains(" ") ? "write HOST" : nil })

    private func read(_ text: String) throws -> (file: ProxyFile, found: [String]) {
        let (file, problems) = ProxyFile.read(try YAMLReader.read(text, file: "l.yaml"), Self.words)
        return (file, ConfigurationErrors(problems).errors.map(\.plain))
    }

    @Test func whatAFileSays() throws {
        let (file, found) = try read(
            """
            miswire: 1
            listeners:
              - { name: web, listen: "127.0.0.1:9000", upstream: "ws://127.0.0.1:8080", profile: delayed-accept }
              - name: any
                listen: :9001
                forward: true
                allow: ["*.staging.example", "db:5432"]
                tls: true
                insecure-upstream: true
              - { name: plain, listen: ":0", upstream: "ws://h:1", http2: true }
              - { name: own, listen: ":0", upstream: "wss://h:1", cert: c.pem, key: k.pem, ca-file: ca.pem, upstream-http2: true }
            seed: 7
            record: rec/
            record-mode: meta
            """)
        #expect(found == [])
        #expect(file.listeners.map(\.name) == ["web", "any", "plain", "own"])
        #expect(file.listeners.map(\.listen.text) == ["127.0.0.1:9000", ":9001", ":0", ":0"])
        #expect(file.listeners.map(\.upstream?.text) == ["ws://127.0.0.1:8080", nil, "ws://h:1", "wss://h:1"])
        let hops = file.listeners.map(\.hops)
        #expect(hops[0] == ListenerHops())
        #expect(hops[1].tls && hops[1].isInsecure && hops[1].needsAuthority && hops[1].authorities == nil)
        #expect(hops[2].http2 && !hops[2].upstreamHTTP2 && !hops[2].tls)
        #expect(hops[3].tls && !hops[3].needsAuthority && hops[3].certificate == "c.pem" && hops[3].key == "k.pem")
        #expect(hops[3].authorities == "ca.pem" && hops[3].upstreamHTTP2 && !hops[3].http2)
        #expect(file.listeners[0].profile?.name == "delayed-accept" && file.listeners[1].profile == nil)
        #expect(file.listeners[1].allow.map(\.text) == ["*.staging.example", "db:5432"])
        // The profile's contract judges all of them.
        #expect(file.contract?.name == "agent-chat")
        #expect(file.seed == 7 && file.record == "rec/" && file.recordMode == "meta")
    }

    @Test(arguments: [
        ("listners: []", "l.yaml:2:1: error: a file of listeners has no `listners`; write `listeners`"),
        ("listeners: web", "l.yaml:2:12: error: `listeners` needs a list; found \"web\", write each listener behind a dash"),
        ("listeners: []", "l.yaml:2:12: error: `listeners` needs a list; found a list, write each listener behind a dash"),
        ("listeners:\n  - { name: a, lisen: \":1\", upstream: \"ws://h:1\" }", "l.yaml:3:16: error: a listener has no `lisen`; write `listen`"),
        ("listeners:\n  - { name: a, listen: x, upstream: \"ws://h:1\" }", "l.yaml:3:24: error: `listen` cannot be `x`; write HOST:PORT"),
        ("listeners:\n  - { name: a, listen: \":1\", upstream: h }", "l.yaml:3:40: error: `upstream` cannot be `h`; write ws://HOST:PORT"),
        (
            "listeners:\n  - { name: a, listen: \":1\" }",
            "l.yaml:3:5: error: listener `a` leads nowhere; write `upstream: ws://HOST:PORT`, or `forward: true`"
        ),
        (
            "listeners:\n  - { name: a, listen: \":1\", forward: true, upstream: \"ws://h:1\" }",
            "l.yaml:3:55: error: a forward proxy has no upstream of its own; leave out `upstream`, or `forward: true`"
        ),
        (
            "listeners:\n  - { name: a, listen: \":1\", upstream: \"ws://h:1\", allow: x }",
            "l.yaml:3:59: error: `allow` says whom a forward proxy may dial; leave it out, or write `forward: true`"
        ),
        (
            "listeners:\n  - { name: a, listen: \":1\", forward: true, allow: [\"a b\"] }",
            "l.yaml:3:53: error: `allow` cannot be `a b`; write HOST"
        ),
        ("listeners:\n  - { name: a, listen: \":1\", forward: 7 }", "l.yaml:3:39: error: `forward` needs true or false; found \"7\""),
        (
            "listeners:\n  - { name: a, listen: \":1\", upstream: \"ws://h:1\", ca-file: x.pem }",
            "l.yaml:3:61: error: `ca-file` says something of a server that is not spoken to by TLS; write `upstream: wss://HOST:PORT`, or leave it out"
        ),
        (
            "listeners:\n  - { name: a, listen: \":1\", forward: true, insecure-upstream: true }",
            "l.yaml:3:64: error: `insecure-upstream` says something of a server that is not spoken to by TLS; write `tls: true`, or leave it out"
        ),
        (
            "listeners:\n  - { name: a, listen: \":1\", forward: true, http2: true }",
            "l.yaml:3:52: error: a forward proxy does not speak HTTP/2 yet; leave out `http2`"
        ),
        (
            "listeners:\n  - { name: a, listen: \":1\", upstream: \"ws://h:1\", key: k.pem }",
            "l.yaml:3:57: error: a certificate and its key come together; write both `cert` and `key`"
        ),
        (
            "listeners:\n  - { name: a, listen: \":1\", upstream: \"ws://h:1\", tls: yes please }",
            "l.yaml:3:57: error: `tls` needs true or false; found \"yes please\""
        ),
        (
            "listeners:\n  - { name: a, listen: \":1\", upstream: \"ws://h:1\", profile: delayed-acept }",
            "l.yaml:3:61: error: no profile is called `delayed-acept`; write `delayed-accept`"
        ),
        (
            "listeners:\n  - { name: a, listen: \":1\", upstream: \"ws://h:1\" }\ncontract: agent-chta",
            "l.yaml:4:11: error: no contract is called `agent-chta`; write `agent-chat`"
        ),
        (
            "listeners:\n  - { name: a, listen: \":1\", upstream: \"ws://h:1\" }\nrecord-mode: raw",
            "l.yaml:4:14: error: `raw` is not for files; start the proxy with --record-mode raw, which asks first"
        ),
    ])
    func whatIsWrong(text: String, message: String) throws {
        let found = try read("miswire: 1\n" + text + "\n").found
        #expect(found.contains { $0.hasPrefix(message) }, "\(found)")
    }

    @Test func namesAndAddressesAreTheirOwn() throws {
        let found = try read(
            """
            miswire: 1
            listeners:
              - { name: a, listen: ":1", upstream: "ws://h:1" }
              - { name: a, listen: ":1", upstream: "ws://h:2" }
              - { name: b, listen: ":0", upstream: "ws://h:2" }
              - { name: c, listen: ":0", upstream: "ws://h:2" }
            """
        ).found
        #expect(found.count == 2)
        #expect(found.first?.hasPrefix("l.yaml:4:13: error: two listeners are called `a`") == true)
        #expect(found.last?.hasPrefix("l.yaml:4:24: error: two listeners listen on `:1`") == true)
    }

    @Test func noMoreThanL14() throws {
        for count in [999, 1_000, 1_001] {
            let rows = (0..<count).map { "  - { name: n\($0), listen: \":0\", upstream: \"ws://h:1\" }" }
            let found = try read("miswire: 1\nlisteners:\n" + rows.joined(separator: "\n")).found
            #expect(found.count == (count > 1_000 ? 1 : 0))
            if count > 1_000 { #expect(found[0].contains("L14")) }
        }
    }
}
