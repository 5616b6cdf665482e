import Contracts
import Journaling
import Testing
import Wire

@testable import Oracles

/// What every monitor must show to be in the registry.
struct MonitorStories: Sendable {
    typealias Story = @Sendable (inout Transcript) -> Void
    /// `monitors` of the contract: its own threshold, all others off.
    var rules: String
    /// As looks.md section 2 shows it.
    var name: String
    var severity: Alert.Severity
    /// One alert is open when it ends.
    var fires: Story
    var words: String
    /// What follows and clears it.
    var clears: Story
    var clearing: String
    /// As near as it comes to it.
    var quiet: Story

    static let all: [String: MonitorStories] = [
        "silent-failure": silent, "stuck-authentication": stuck, "event-flow-breakdown": breakdown, "event-rate": rate,
        "auth-failures": auth, "unpaired-events": unpaired, "invalid-transition": transition, "connect-success": success,
        "connect-time": time,
    ]

    private static func started(_ story: inout Transcript, at ms: Double = 10) {
        story.enter(1, "alice", at: 0)
        story.send(1, Say.start("alice", "q1"), at: ms)
        story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: ms + 1)
    }

    private static func thinks(_ story: inout Transcript, at ms: Double) {
        story.event(1, Say.event("agent_thinking", "alice", run: "r1", thread: "t1"), at: ms)
    }

    private static func ends(_ story: inout Transcript, at ms: Double) {
        story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "t1"), at: ms)
    }

    private static let silent = MonitorStories(
        rules: #"{"silent-failure": "2s"}"#, name: "silent failure", severity: .critical,
        fires: { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 1_000)
        }, words: "no event for 2 s with 1 session active",
        clears: { $0.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: 4_500) },
        clearing: "an event after 3.5 s",
        quiet: { story in
            // Nobody asks, somebody hears, who asked has left, and what comes is heard in time.
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 4_000)
            story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: 5_500)
            story.send(1, Say.start("alice", "q2"), at: 9_000)
            story.close(1, by: .client, 1000, at: 9_500)
            story.end(1, .client, at: 9_600)
            story.closed(1, at: 9_700)
        })

    private static let stuck = MonitorStories(
        rules: #"{"stuck-authentication": "3s"}"#, name: "stuck authentication", severity: .high,
        fires: { $0.upgrade(1, "alice", at: 100) }, words: "no answer to the upgrade for 3 s",
        clears: { $0.accept(1, at: 4_100) }, clearing: "open after 4 s",
        quiet: { story in
            story.enter(1, "alice", at: 0)
            story.upgrade(2, "bob", at: 0)
            // Refused, and kept open by its client; no upgrade at all.
            story.refuse(2, 401, at: 2_900)
            story.upgrade(4, "dave", at: 0)
            story.opaque(4, at: 0)
            story.upgrade(3, "carol", at: 0)
            story.fault(3, "accept-delay", Influence(.handshake, [.greetingDeadline, .deadline]), tap: .clientOut, held: .seconds(5), at: 10)
        })

    private static let breakdown = MonitorStories(
        rules: #"{"event-flow-breakdown": "3s"}"#, name: "event flow breakdown", severity: .high,
        fires: { started(&$0) }, words: "run r-1 is under way without an event for 3 s",
        clears: { story in
            thinks(&story, at: 4_011)
            ends(&story, at: 4_100)
        }, clearing: "agent_thinking after 4 s",
        quiet: { story in
            started(&story)
            for second in 1...5 { thinks(&story, at: Double(second) * 2_500) }
            ends(&story, at: 14_000)
        })

    private static let rate = MonitorStories(
        rules: #"{"event-rate": "10/6s"}"#, name: "event rate", severity: .warning,
        fires: { story in
            started(&story)
            for second in 2...8 { thinks(&story, at: Double(second) * 1_000 + 500) }
        }, words: "5/6 s with 1 run active, needs 10",
        clears: { story in
            for step in 0..<24 { thinks(&story, at: 9_000 + Double(step) * 250) }
            ends(&story, at: 15_000)
        }, clearing: "12/6 s",
        quiet: { story in
            // Not for long enough at once, or often enough.
            started(&story)
            ends(&story, at: 5_000)
            story.send(1, Say.start("alice", "q2"), at: 6_000)
            story.event(1, Say.event("agent_started", "alice", run: "r2", thread: "t1", request: "q2"), at: 6_001)
            for step in 0..<40 {
                story.event(1, Say.event("agent_thinking", "alice", run: "r2", thread: "t1"), at: 6_100 + Double(step) * 500)
            }
            story.event(1, Say.event("agent_completed", "alice", run: "r2", thread: "t1"), at: 26_000)
        })

    private static let auth = MonitorStories(
        rules: #"{"auth-failures": "5%"}"#, name: "auth failure rate", severity: .warning,
        fires: { story in
            for id in 1...20 { story.open(id, "alice", at: Double(id), path: "/ws") }
            for id in 21...23 {
                story.upgrade(id, "mallory", at: 5_000, state: .unknown)
                story.refuse(id, 401, at: 5_001)
                story.closed(id, at: 5_002)
            }
        }, words: "13.0 %, 3 of 23 in 5 min, at most 5%",
        clears: { story in for id in 30...109 { story.open(id, "bob", at: 6_000, path: "/ws") } }, clearing: "3.7 %, 3 of 80 in 5 min, at most 5%",
        quiet: { story in
            for id in 1...40 { story.open(id, "alice", at: Double(id)) }
            story.upgrade(41, "mallory", at: 5_000, state: .unknown)
            story.refuse(41, 403, at: 5_001)
            // Refused for what a fault did, and for what was never there.
            for id in 42...60 {
                story.upgrade(id, "alice", at: 5_100, state: .absent, faults: ["f1"])
                story.refuse(id, 401, at: 5_101)
                story.upgrade(id + 100, "alice", at: 5_100)
                story.refuse(id + 100, 404, at: 5_101)
            }
        })

    private static let unpaired = MonitorStories(
        rules: #"{"unpaired-events": "on"}"#, name: "unpaired events", severity: .high,
        fires: { started(&$0) }, words: "run r1: no agent_completed or error within 60 s",
        clears: { _ in }, clearing: "none for 30 s, 1 in all",
        quiet: { story in
            started(&story)
            ends(&story, at: 50_000)
        })

    private static let transition = MonitorStories(
        rules: #"{"invalid-transition": "on"}"#, name: "invalid transition", severity: .high,
        fires: { story in
            story.enter(1, "alice", at: 0)
            story.end(1, .server, at: 100)
            story.end(1, .client, at: 110)
            story.closed(1, at: 120)
        }, words: "open to closed: the server ends the connection without a Close",
        clears: { _ in }, clearing: "none for 30 s, 1 in all",
        quiet: { story in
            // With a Close of either side, by a fault, after its client, and after words that are none.
            for id in 1...5 { story.enter(id, "alice", at: 0) }
            story.close(1, by: .server, 1011, at: 100)
            story.close(2, by: .client, 1000, at: 100)
            story.cut(3, .reset, [.server], at: 100)
            story.end(4, .client, .reset, at: 100)
            story.bytes(5, .illegal, .toServer, "nonsense", at: 100)
            for id in 1...5 {
                story.end(id, .server, at: 110)
                story.closed(id, at: 120)
            }
        })

    private static let success = MonitorStories(
        rules: #"{"connect-success": "99%"}"#, name: "connect success", severity: .warning,
        fires: { story in
            for id in 1...20 { story.open(id, "alice", at: Double(id)) }
            for id in 21...23 {
                story.upgrade(id, "bob", at: 100)
                story.refuse(id, 503, at: 101)
            }
        }, words: "86.9 %, 20 of 23 in 5 min, needs 99%",
        clears: { story in for id in 30...450 { story.open(id, "bob", at: 6_000) } }, clearing: "99.2 %, 397 of 400 in 5 min, needs 99%",
        quiet: { story in
            for id in 1...20 { story.open(id, "alice", at: Double(id)) }
            for id in 21...40 {
                story.upgrade(id, "bob", at: 100)
                story.refuse(id, 401, at: 101)
                story.closed(id, at: 102)
                story.upgrade(id + 100, "bob", at: 100)
                story.end(id + 100, .client, at: 110)
                story.closed(id + 100, at: 120)
                story.upgrade(id + 200, "bob", at: 100)
                story.cut(id + 200, .reset, [.server], at: 100)
                story.closed(id + 200, at: 120)
                // No upgrade was asked for.
                story.upgrade(id + 300, "bob", at: 100)
                story.opaque(id + 300, at: 100)
                story.end(id + 300, .server, at: 110)
                story.closed(id + 300, at: 120)
            }
        })

    private static let time = MonitorStories(
        rules: #"{"connect-time": "200ms"}"#, name: "connect time", severity: .warning,
        fires: { story in
            for id in 1...3 { story.upgrade(id, "alice", at: 0) }
            for id in 1...3 { story.accept(id, at: 300 + Double(id)) }
        }, words: "3 of 3 take 200 ms or more in 5 min, the longest 303 ms, needs p99 < 200 ms",
        clears: { story in for id in 10...450 { story.open(id, "alice", at: 1_000) } },
        clearing: "3 of 400 take 200 ms or more in 5 min, the longest 303 ms, needs p99 < 200 ms",
        quiet: { story in
            for id in 1...50 { story.open(id, "alice", at: 0) }
            for id in 51...53 { story.upgrade(id, "alice", at: 0) }
            story.fault(51, "accept-delay", Influence(.handshake, [.greetingDeadline]), tap: .clientOut, held: .seconds(1), at: 1)
            story.accept(51, at: 900)
            story.accept(52, at: 250)
            // The machine has no processor to spare.
            story.tick(at: 350, crowded: 80)
            story.accept(53, at: 350)
        })
}
