import Faults
import Journaling
import NIOCore
import Testing
import Wire

@testable import ProxyRuntime

@Suite struct PartsTests {
    @Test func addresses() throws {
        #expect(try HostPort(":9000") == HostPort(host: "0.0.0.0", port: 9_000))
        #expect(try HostPort("[::1]:0").description == "[::1]:0")
        #expect(try HostPort("localhost", defaultPort: 80).port == 80)
        for wrong in ["", "9000", "a:b", "a:65536", "a:-1", "[::1", "a b:1", "a:+1", "a:1 ", "user@a:1"] {
            #expect(throws: RuntimeError.self, "\(wrong)") { try HostPort(wrong) }
        }
        #expect(try Upstream(url: "WS://h:8/p?q").address == HostPort(host: "h", port: 8))
        #expect(try Upstream(url: "http://[::1]").address == HostPort(host: "::1", port: 80))
        #expect(try Upstream(url: "wss://h/p") == Upstream(url: "wss://h/p", address: HostPort(host: "h", port: 443), isSecure: true))
        for wrong in ["", "h:1", "ws://", "ws:///x", "wss://", "ftp://h", "ws://h:x", "ws://:80"] {
            #expect(throws: RuntimeError.self, "\(wrong)") { try Upstream(url: wrong) }
        }
    }

    @Test func percentilesAreWithinABucket() throws {
        var histogram = Histogram()
        #expect(histogram.percentile(0.5) == nil)
        for microseconds in 1...1_000 { histogram.record(.microseconds(microseconds)) }
        for (share, expected) in [(0.5, 500.0), (0.9, 900), (0.99, 990), (1, 1_000)] {
            let found = Double(try #require(histogram.percentile(share)).nanoseconds) / 1_000
            #expect(found >= expected && found <= expected * 1.02)
        }
        #expect(histogram.maximum == .milliseconds(1))
        histogram.record(.seconds(-1))
        histogram.record(.seconds(1_000_000_000))
        #expect(histogram.count == 1_002)
        #expect(histogram.percentile(0) == .zero)
    }

    @Test func wakesComeInOrder() {
        var heap = WakeHeap()
        var dice = Dice(DiceKey(seed: 3, profile: "", user: "", connection: 1), direction: nil, message: 0, fault: "")
        for number in 0..<500 {
            heap.push(.init(instant: Instant(nanoseconds: Int64(dice.below(200))), session: UInt32(number)))
        }
        var seen: [Int64] = []
        while let item = heap.popFirst(until: Instant(nanoseconds: 150)) { seen.append(item.instant.nanoseconds) }
        #expect(seen == seen.sorted())
        #expect(seen.last ?? 0 <= 150)
        while let item = heap.popFirst(until: .distantFuture) { seen.append(item.instant.nanoseconds) }
        #expect(seen.count == 500 && seen == seen.sorted())
    }

    @Test func wallClockText() {
        #expect(MonotonicClock.utc(0) == "1970-01-01T00:00:00.000Z")
        #expect(MonotonicClock.utc(1_790_000_136_014_000_000) == "2026-09-21T14:15:36.014Z")
        #expect(MonotonicClock.utc(1_709_164_800_999_999_999) == "2024-02-29T00:00:00.999Z")
    }

    private func crossing(from session: UInt32, _ user: String?, _ partner: SessionSelector.Partner) -> Crossing {
        Crossing(
            message: Message(
                direction: .toServer, opcode: .text, payload: ByteBuffer(),
                ordinal: 1, entry: EntryRef(session: SessionID(session), ordinal: 1)),
            from: SessionID(session), fromUser: user, fault: "f1", kind: "cross-streams",
            influence: Influence(.message, []), selector: SessionSelector(partner, exchange: false))
    }

    @Test func thePartnerDependsOnWhoIsThereAndNotOnTheOrderOfArrival() {
        let users = ["alice", "bob", "carol", "dave"]
        func directory(_ order: [Int]) -> SessionDirectory {
            let directory = SessionDirectory()
            for index in order {
                directory.list(.init(session: SessionID(UInt32(index)), loop: index % 2, label: nil))
                directory.list(.init(session: SessionID(UInt32(index)), loop: index % 2, label: users[index]))
            }
            return directory
        }
        let one = directory([0, 1, 2, 3])
        let other = directory([3, 1, 0, 2])
        var chosen: Set<String> = []
        for draw in 0..<64 {
            let place = one.partner(for: crossing(from: 0, "alice", .other(draw: UInt64(draw))))
            #expect(place == other.partner(for: crossing(from: 0, "alice", .other(draw: UInt64(draw)))))
            #expect(place?.label != "alice")
            chosen.insert(place?.label ?? "none")
        }
        #expect(chosen == ["bob", "carol", "dave"])
        #expect(one.partner(for: crossing(from: 0, "alice", .user("bob")))?.session == SessionID(1))
        #expect(one.partner(for: crossing(from: 0, "alice", .session(SessionID(3))))?.loop == 1)
        for index in 1...3 { one.remove(SessionID(UInt32(index))) }
        #expect(one.partner(for: crossing(from: 0, "alice", .other(draw: 7))) == nil)
        #expect(one.partner(for: crossing(from: 0, "alice", .user("bob"))) == nil)
    }
}
