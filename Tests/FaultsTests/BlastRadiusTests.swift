import Contracts
import Foundation
import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// Blast radius (trust.md T24): no fault acts outside of paths, users, share, time and budget, and inside of them every one
/// does that should. What should is counted here by itself, from the profile's words alone.
@Suite struct BlastRadiusTests {
    /// Messages on whose fate is decided; `MISWIRE_DECISIONS=1000000` for the long form.
    private static let decisions =
        ProcessInfo.processInfo.environment["MISWIRE_DECISIONS"].flatMap { Int($0) } ?? 20_000

    private static let paths = ["/ws", "/ws/a", "/ws/a/b", "/other", "/wsx"]
    private static let users = ["", "alice", "alan", "bob"]
    private static let globs: [(text: String, holds: @Sendable (String) -> Bool)] = [
        ("/ws", { $0 == "/ws" }), ("/ws/**", { $0.hasPrefix("/ws/") }), ("/ws/*", { $0.hasPrefix("/ws/") }),
        ("/**", { _ in true }),
    ]
    private static let names: [(text: String, holds: @Sendable (String) -> Bool)] = [
        ("al*", { $0.hasPrefix("al") }), ("bob", { $0 == "bob" }), ("*", { _ in true }),
    ]

    /// What one profile allows, in plain words.
    private struct Bounds {
        var paths: [Int] = []
        var users: [Int] = []
        var share = 1.0
        var expires: Duration?
        var each: Int?
        var total: Int?

        init(_ dice: inout Dice) {
            if dice.chance(0.5) { paths = (0...dice.below(2)).map { _ in dice.below(BlastRadiusTests.globs.count) } }
            if dice.chance(0.5) { users = (0...dice.below(2)).map { _ in dice.below(BlastRadiusTests.names.count) } }
            if dice.chance(0.5) { share = [0, 0.01, 0.25, 0.5, 0.99][dice.below(5)] }
            if dice.chance(0.5) { expires = .milliseconds(1 + dice.below(400)) }
            if dice.chance(0.5) { each = dice.below(12) }
            if dice.chance(0.5) { total = dice.below(300) }
        }

        var scope: Profile.Scope {
            var scope = Profile.Scope()
            scope.paths = paths.map { Glob(BlastRadiusTests.globs[$0].text) }
            scope.users = users.map { Glob(BlastRadiusTests.names[$0].text) }
            (scope.share, scope.expires, scope.perConnection, scope.total) = (share, expires, each, total)
            return scope
        }

        func covers(_ path: String, _ user: String) -> Bool {
            (paths.isEmpty || paths.contains { BlastRadiusTests.globs[$0].holds(path) })
                && (users.isEmpty || users.contains { BlastRadiusTests.names[$0].text == "*" || !user.isEmpty && BlastRadiusTests.names[$0].holds(user) })
        }
    }

    /// How many sessions of the covered ones the share took.
    private struct Shares {
        var covered = 0
        var taken = 0
    }

    @Test func nothingOutsideAndEverythingInside() {
        var dice = Dice(DiceKey(seed: 24, profile: "", user: "", connection: 0), direction: nil, message: 0, fault: "scope test")
        var decided = 0
        var acted = 0
        var shares: [Double: Shares] = [:]
        var round: UInt64 = 0
        while decided < Self.decisions {
            round += 1
            let bounds = Bounds(&dice)
            let (count, faults) = play(bounds, seed: round, &dice, &shares[bounds.share, default: Shares()])
            decided += count
            acted += faults
        }
        #expect(acted > decided / 20, "\(acted) of \(decided)")
        for (share, seen) in shares {
            let mean = Double(seen.covered) * share
            let spread = 6 * (Double(seen.covered) * share * (1 - share)).squareRoot()
            #expect(abs(Double(seen.taken) - mean) <= spread, "share \(share): \(seen.taken) of \(seen.covered)")
        }
    }

    /// A proxy's life under one profile.
    private func play(
        _ bounds: Bounds, seed: UInt64, _ dice: inout Dice, _ shares: inout Shares
    ) -> (decided: Int, acted: Int) {
        var net = Net(profile: Sample.profile(Sample.rule("drop"), scope: bounds.scope), seed: seed, record: false)
        var decided = 0
        var all = 0
        var began: Instant?
        for number in 1...UInt32(10 + dice.below(30)) {
            let path = Self.paths[dice.below(Self.paths.count)]
            let user = Self.users[dice.below(Self.users.count)]
            let id = net.open(number)
            if began == nil { began = net.now }
            net.send(.connected, to: id)
            net.client(id, Sample.request(path: path, user: user))
            net.server(id, Sample.response())
            _ = net.takeServer(id)
            let covered = bounds.covers(path, user)
            var isTaken: Bool?
            var own = 0
            for _ in 0...dice.below(30) {
                net.now = net.now.advanced(by: .milliseconds(dice.below(3)))
                let frame = Sample.frame("message", masked: true)
                let before = net.faults(id).count
                net.client(id, frame)
                decided += 1
                let isDropped = net.takeServer(id).readableBytes == 0
                #expect(isDropped == (net.faults(id).count > before))
                let isInTime = bounds.expires.flatMap { time in began.map { net.now < $0.advanced(by: time) } } ?? true
                let may = covered && isInTime && own < bounds.each ?? .max && all < bounds.total ?? .max
                // Whether the share takes a session its first message tells that may be taken at all.
                if may, isTaken == nil { isTaken = bounds.share < 1 ? isDropped : true }
                let expected = may && isTaken == true
                guard isDropped == expected else {
                    Issue.record("seed \(seed): \(bounds), \(path) of \(user): \(isDropped ? "acted" : "did not act") in session \(number)")
                    return (decided, all)
                }
                if isDropped {
                    own += 1
                    all += 1
                }
            }
            if let isTaken, bounds.share < 1 {
                shares.covered += 1
                shares.taken += isTaken ? 1 : 0
            }
            net.sessions[id] = nil
        }
        #expect(net.configuration.enrolment.acted == all)
        return (decided, all)
    }
}
