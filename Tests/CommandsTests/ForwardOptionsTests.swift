import Foundation
import ProxyRuntime
import Testing

@testable import Commands

/// What a forward proxy is told of TLS on its command line.
@Suite struct ForwardOptionsTests {
    @Test(arguments: [
        (
            "--insecure-upstream",
            """
            error: TLS inside CONNECT is tunnelled as it is, so nothing can be said of a target's certificate
              found     forward loopback
              remedy    add --tls, which opens it                                               exit 4 (usage)

            """
        ),
        (
            "--tls --server-name a.test",
            """
            error: --server-name is the name of one server, and a forward proxy has many
              found     --server-name a.test
              remedy    leave it out: each is asked for the name that CONNECT gave              exit 4 (usage)

            """
        ),
        (
            "--tls --http2",
            """
            error: a forward proxy does not speak HTTP/2 yet
              found     --forward with --http2
              remedy    leave one of them out: in its tunnels http/1.1 alone is offered         exit 4 (usage)

            """
        ),
        (
            "--ca-names a.test",
            """
            error: --ca-names says for whom certificates are made, and nothing needs one
              remedy    add --tls                                                               exit 4 (usage)

            """
        ),
        (
            "--tls --cert x.pem",
            """
            error: a certificate and its key come together
              expected  both --cert and --key                                                   exit 4 (usage)

            """
        ),
        ("--tls --ca-file x.pem", "error: --ca-file holds no certificate\n  place     x.pem\n"),
    ])
    func whatIsWrong(line: String, complaint: String) async throws {
        try await Program.inDirectory { directory in
            let words = ["proxy", "--forward", "--listen", "127.0.0.1:0", "--ca-dir", "ca"] + line.split(separator: " ").map(String.init)
            let told = try await Program.run(words, in: directory)
            #expect(told.code == 4 && told.out.isEmpty)
            #expect(told.err.hasPrefix(complaint), "\(told.err)")
        }
    }

    @Test func whatItSaysBeforeItListens() async throws {
        try await Program.inDirectory { directory in
            let proxy = try Program.start(
                ["proxy", "--forward", "--tls", "--insecure-upstream", "--allow-upstream", "*.a.test", "--listen", "127.0.0.1:0", "--ca-dir", "ca"],
                in: directory)
            #expect(await proxy.until("no faults"))
            #expect(proxy.out.contains("  listen    http://127.0.0.1:"))
            #expect(proxy.out.contains(" → forward loopback, *.a.test, TLS inside CONNECT is opened\n"))
            #expect(proxy.out.contains("  CA        loopback, until "))
            #expect(proxy.out.contains("  NOT VERIFIED  any target's certificate (--insecure-upstream)\n"))
            proxy.signal(SIGTERM)
            let ended = await proxy.end()
            #expect(ended.code == 0 && ended.out.contains("NOT VERIFIED  any target's certificate"))
        }
    }
}
