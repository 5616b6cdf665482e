import Contracts
import Faults
import Journaling
import NIOCore
import Testing
import Wire

@testable import ProxyRuntime

/// Which sessions a recording of some users holds (trust.md T37), as transcripts: what comes in, and what the recording gets,
/// `NUMBER SESSION KIND INSTANT`.
@Suite struct RecordedUsersTests {
    // MARK: Whose a session is

    @Test func theHeadTells() {
        var desk = Desk(["alice"])
        #expect(desk.say(1, at: 1, .opened) == [])
        #expect(desk.say(2, at: 2, .opened) == [])
        #expect(desk.say(1, at: 3, .head) == [])
        #expect(desk.say(1, at: 3, .user("alice")) == ["1 s1 opened 1", "2 s1 head 3", "3 s1 facts 3"])
        #expect(desk.say(2, at: 4, .head) == [])
        #expect(desk.say(2, at: 4, .user("bob")) == [])
        #expect(desk.say(2, at: 5, .frame("secret")) == [])
        #expect(desk.say(1, at: 6, .frame("hello")) == ["4 s1 frame 6"])
        #expect(desk.say(2, at: 7, .closed) == [])
        #expect(desk.say(1, at: 8, .closed) == ["5 s1 closed 8"])
        #expect(desk.end(at: 9) == ["6 – note: 1 session outside the users of the scope was not recorded"])
    }

    @Test func globsAreThoseOfTheFaults() {
        var desk = Desk(["al*", "carol"])
        for (id, user) in [(1, "alice"), (2, "bob"), (3, "carol"), (4, "Alice"), (5, "al")] {
            _ = desk.say(UInt32(id), at: id, .opened)
            #expect(desk.say(UInt32(id), at: id, .user(user)).isEmpty == ["bob", "Alice"].contains(user), "\(user)")
        }
        #expect(desk.users.leftOut == 2)
        for (users, limits) in [([], false), (["*"], false), (["alice", "*"], false), (["alice"], true), (["a*"], true)] as [([String], Bool)] {
            var scope = Profile.Scope()
            scope.users = users.map { Glob($0) }
            #expect(scope.limitsUsers == limits)
        }
    }

    /// What waited comes late, in the order of the recording, and nothing there goes back in time.
    @Test func whatWaitedKeepsTheOrder() {
        var desk = Desk(["alice"])
        _ = desk.say(1, loop: 1, at: 1, .opened)
        _ = desk.say(2, loop: 0, at: 2, .opened)
        #expect(desk.say(1, loop: 1, at: 3, .user("alice")) == ["1 s1 opened 1", "2 s1 facts 3"])
        #expect(desk.say(1, loop: 1, at: 5, .frame("x")) == ["3 s1 frame 5"])
        #expect(desk.say(nil, loop: 0, at: 6, .tick) == ["4 – tick 6"])
        #expect(desk.say(1, loop: 1, at: 6, .frame("y")) == ["5 s1 frame 6"])
        #expect(desk.say(2, loop: 0, at: 7, .user("alice")).count == 2)
        #expect(desk.say(1, loop: 1, at: 7, .frame("z")).count == 1)
        let places = desk.kept.map { ($0.instant.nanoseconds, $0.loop, $0.sequence) }
        #expect(zip(places, places.dropFirst()).allSatisfy { $0 < $1 })
        #expect(desk.kept.map(\.number) == Array(1...UInt64(desk.kept.count)))
        for loop in [0, 1] as [UInt16] {
            let own = desk.kept.filter { $0.loop == loop }.map(\.sequence)
            #expect(own == Array(0..<UInt64(own.count)))
        }
        // Behind the frame of instant 6 on loop 1 an older one of loop 0 has no other place.
        #expect(desk.kept[5].session == SessionID(2) && desk.kept[5].instant.nanoseconds == 6_000_001)
    }

    @Test func whoNeverTellsIsNotRecorded() {
        var desk = Desk(["alice"])
        for (id, last) in [(1, Move.user(nil)), (2, .refused), (3, .opaque), (4, .accepted), (5, .closed)] as [(UInt32, Move)] {
            _ = desk.say(id, at: 1, .opened)
            #expect(desk.say(id, at: 2, last) == [])
            #expect(desk.say(id, at: 3, .frame("words")) == [])
        }
        // An entry behind the end does not bring a session back.
        #expect(desk.users.leftOut == 5)
        #expect(desk.end(at: 9).last == "1 – note: 6 sessions outside the users of the scope were not recorded")
    }

    /// One credential of several, or several names in one: not everybody in it asked to be recorded.
    @Test func whoMayBeSeveralMustAllBeInTheScope() {
        var desk = Desk(["alice", "bob"])
        for (id, rivals) in [(1, ["bob"]), (2, ["carol"]), (3, [])] as [(UInt32, [String])] {
            _ = desk.say(id, at: 1, .opened)
            #expect(desk.say(id, at: 2, .rivals("alice", rivals)).isEmpty == rivals.contains("carol"))
        }
    }

    /// A fault gave alice's connection another's credential: it is still alice who speaks. And the reverse.
    @Test func theClientsOwnCredentialCounts() {
        var desk = Desk(["alice"])
        for (id, user) in [(1, "alice"), (2, "bob")] as [(UInt32, String)] {
            _ = desk.say(id, at: 1, .opened)
            let began = desk.say(id, at: 2, .user(user))
            #expect(began.isEmpty == (user == "bob"))
            #expect(desk.say(id, at: 2, .swapped(user == "alice" ? "bob" : "alice")).isEmpty == (user == "bob"))
        }
    }

    // MARK: A first message that tells

    @Test func theFirstMessageTells() {
        var desk = Desk(["alice"], mayNameLater: true)
        for id in [1, 2] as [UInt32] {
            #expect(desk.say(id, at: 1, .opened) + desk.say(id, at: 2, .user(nil)) + desk.say(id, at: 3, .accepted) == [])
            #expect(desk.say(id, at: 4, .event("connected")) == [])
        }
        #expect(desk.say(1, at: 5, .frame("auth")) == [])
        #expect(
            desk.say(1, at: 5, .user("alice"))
                == ["1 s1 opened 1", "2 s1 facts 2", "3 s1 became 3", "4 s1 frame 4", "5 s1 frame 5", "6 s1 facts 5"])
        #expect(desk.say(2, at: 6, .frame("auth")) + desk.say(2, at: 6, .user("bob")) == [])
        #expect(desk.say(2, at: 7, .frame("more")) == [])
        #expect(desk.end(at: 9) == ["7 – note: 1 session outside the users of the scope was not recorded"])
    }

    @Test func whoSaysTooMuchBeforeIsNotRecorded() {
        var desk = Desk(["alice"], mayNameLater: true)
        _ = desk.say(1, at: 1, .opened)
        for _ in 0..<4 { _ = desk.say(1, at: 2, .frame(String(repeating: "x", count: 64 << 10))) }
        #expect(desk.users.leftOut == 1)
        #expect(desk.say(1, at: 3, .user("alice")) == [])
        #expect(desk.say(1, at: 4, .frame("more")) == [])
        #expect(desk.users.leftOut == 1)
    }

    /// However many wait: the memory is bounded, and is free again when they are decided.
    @Test func allThatWaitIsBounded() {
        var limits = Limits.standard
        limits.recorderBytes = 10_000
        var desk = Desk(["alice"], mayNameLater: true, limits)
        for id in 1...20 as ClosedRange<UInt32> { _ = desk.say(id, at: 1, .frame(String(repeating: "x", count: 1_000))) }
        let kept = (1...20 as ClosedRange<UInt32>).filter { !desk.say($0, at: 2, .user("alice")).isEmpty }
        #expect((2...8).contains(kept.count) && kept == Array(1...UInt32(kept.count)))
        #expect(desk.users.leftOut == 20 - kept.count)
        _ = desk.say(99, at: 3, .frame(String(repeating: "x", count: 4_000)))
        #expect(!desk.say(99, at: 3, .user("alice")).isEmpty)
    }

    @Test func whatWaitsAtTheEndIsCounted() {
        var desk = Desk(["alice"], mayNameLater: true)
        _ = desk.say(1, at: 1, .opened)
        #expect(desk.end(at: 9) == ["1 – note: 1 session outside the users of the scope was not recorded"])
        var full = Desk(["alice"])
        #expect(full.say(1, at: 1, .user("alice")).count == 1)
        #expect(full.end(at: 9) == [])
    }

    // MARK: What alice's entries say of others

    @Test func aCrossingNamesNobodyElse() throws {
        var desk = Desk(["alice", "carol"])
        _ = desk.say(1, at: 1, .user("alice"))
        for (partner, said) in [("bob", "goes to another user in exchange"), ("carol", "goes to carol in exchange")] {
            _ = desk.say(1, at: 2, .crossing(partner, "goes to \(partner) in exchange"))
            guard case .fault(let fault)? = desk.kept.last?.body else { throw Missing() }
            #expect(fault.detail == said)
            #expect(fault.partner == (partner == "carol" ? "carol" : nil))
        }
        // What was really delivered there is what alice was given.
        #expect(desk.say(1, at: 3, .crossed("bob's words")) == ["4 s1 frame 3"])
    }

    private struct Missing: Error {}
}

private enum Move {
    case opened, head, accepted, refused, opaque, closed, tick
    case user(String?), rivals(String, [String]), swapped(String)
    case frame(String), event(String), crossed(String), crossing(String, String)
}

private struct Desk {
    var users: RecordedUsers
    private(set) var kept: [Entry] = []

    init(_ globs: [String], mayNameLater: Bool = false, _ limits: Limits = .standard) {
        var scope = Profile.Scope()
        scope.users = globs.map { Glob($0) }
        var contract = Contract(name: "test")
        let places = ["query token"] + (mayNameLater ? ["request auth token"] : [])
        contract.identity.credential = places.compactMap { try? Place($0) }
        contract.identity.user = [try? Place("credential|jwt.sub")].compactMap { $0 }
        users = RecordedUsers(scope, contract, limits)
    }

    mutating func say(_ session: UInt32?, loop: UInt16 = 0, at ms: Int, _ move: Move) -> [String] {
        let before = kept.count
        let instant = Instant(nanoseconds: Int64(ms) * 1_000_000)
        let ref = session.map { EntryRef(session: SessionID($0), ordinal: 1) }
        users.pass([Entry(instant: instant, loop: loop, sequence: 77, ref: ref, body: Self.body(move, instant))], into: &kept)
        return kept[before...].map(Self.line)
    }

    mutating func end(at ms: Int) -> [String] {
        let before = kept.count
        users.conclude(at: Instant(nanoseconds: Int64(ms) * 1_000_000), into: &kept)
        return kept[before...].map(Self.line)
    }

    private static func body(_ move: Move, _ at: Instant) -> Entry.Body {
        func frame(_ text: String, _ passage: Passage) -> Entry.Body {
            .frame(FrameRecord(passage: passage, frame: Frame(opcode: .text, payload: ByteBuffer(string: text)), message: nil))
        }
        switch move {
        case .opened: return .opened(Opened(transport: TransportID(1), peer: "127.0.0.1:1"))
        case .head: return .head(HeadRecord(passage: Passage(.toServer, in: at, out: at), bytes: ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n")))
        case .accepted: return .became(.accepted(subprotocol: nil, deflate: false))
        case .refused: return .became(.refused(status: 401))
        case .opaque: return .became(.opaque("no upgrade"))
        case .closed: return .closed(Totals(clientIn: 0, clientOut: 0, serverIn: 0, serverOut: 0))
        case .tick: return .tick(crowded: 0)
        case .user(let name): return .facts(Facts(tap: .clientIn, user: name, place: nil, state: name == nil ? .absent : .intact))
        case .rivals(let name, let rivals):
            return .facts(Facts(tap: .clientIn, user: name, rivals: rivals, place: "query token", state: .ambiguous))
        case .swapped(let name): return .facts(Facts(tap: .serverOut, user: name, place: "query token", state: .intact, faults: ["f1"]))
        case .frame(let text): return frame(text, Passage(.toServer, in: at, out: at))
        case .event(let text): return frame(text, Passage(.toClient, in: at, out: at))
        case .crossed(let text): return frame(text, Passage(.toClient, in: nil, out: at))
        case .crossing(let partner, let detail):
            return .fault(
                FaultRecord(
                    id: "f1", kind: "cross-streams", influence: Influence(.message, [.routing]), tap: .clientOut, on: nil,
                    detail: detail, partner: partner))
        }
    }

    private static func line(_ entry: Entry) -> String {
        let head = "\(entry.number) \(entry.session?.description ?? "–") "
        if case .note(let text) = entry.body { return head + "note: " + text }
        return head + "\(entry.body)".prefix { $0 != "(" } + " \(entry.instant.nanoseconds / 1_000_000)"
    }
}
