import Foundation
import Testing

@testable import Commands

/// Whoever is asked to stop stops, however soon after the first word it is asked.
@Suite(.timeLimit(.minutes(5))) struct SignalTests {
    @Test(arguments: [SIGTERM, SIGINT]) func noSignalIsTooEarly(number: Int32) async throws {
        for _ in 0..<6 {
            let proxy = try Program.start(["proxy", "--forward", "--listen", "127.0.0.1:0"])
            #expect(await proxy.until("miswire "))
            proxy.signal(number)
            let outcome = await proxy.end()
            #expect(outcome.code == 0 && outcome.out.contains("exit 0 (pass)"), "\(outcome)")
        }
    }

    /// One arrival is told to each that listens for it, and to nobody else.
    @Test func eachListenerHears() async {
        let (one, both) = (Signals.stream([SIGWINCH]), Signals.stream([SIGWINCH, SIGURG]))
        kill(getpid(), SIGWINCH)
        kill(getpid(), SIGURG)
        var heard: Set<Int32> = []
        for await number in both {
            heard.insert(number)
            if heard.count == 2 { break }
        }
        for await number in one {
            #expect(number == SIGWINCH)
            break
        }
    }
}
