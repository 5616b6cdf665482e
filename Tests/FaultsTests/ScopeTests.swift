import Contracts
import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// The blast radius (trust.md T24): over many sessions, users, paths and instants no fault acts outside of its scope, and no
/// budget is exceeded, whatever comes and goes meanwhile.
@Suite struct ScopeTests {
    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func nothingActsOutside(seed: UInt64) {
        var dice = Dice(DiceKey(seed: seed, profile: "", user: "", connection: 1), direction: nil, message: 0, fault: "scope")
        var scope = Profile.Scope()
        scope.users = [Glob("al*"), Glob("bob")]
        scope.paths = [Glob("/ws/**")]
        scope.share = 0.5
        scope.expires = .seconds(40)
        scope.perConnection = 3
        scope.total = 60
        let rules = [
            Sample.rule("drop", id: "drop") { $0.message = .share(0.4) },
            Sample.rule("delay", ["delay": ["1us"]], id: "delay") { $0.to = .client },
            Sample.rule("latency", ["latency": ["1us"]], id: "latency"),
        ]
        var net = Net(profile: Sample.profile(rules[0], rules[1], rules[2], scope: scope), seed: seed)
        net.configuration.enrolment.begin(at: net.now)
        let began = net.now
        var acted = 0
        var touched: Set<String> = []
        for number in 1...250 as ClosedRange<UInt32> {
            let user = ["alice", "albert", "bob", "carol", "mallory"][dice.below(5)]
            let path = ["/ws/a", "/ws/b/c", "/other", "/wsx"][dice.below(4)]
            let id = net.open(number)
            net.send(.connected, to: id)
            net.client(id, Sample.request(path: path, user: user))
            net.server(id, Sample.response())
            for message in 0..<10 {
                if dice.below(40) == 0 { net.reconfigure(net.configuration.profile) }
                let direction = dice.below(2) == 0 ? Direction.toServer : .toClient
                net.send(id, direction, Sample.frame("m\(message)", masked: direction.masked))
            }
            net.pass(.milliseconds(Int64(dice.below(400))))
            let faults = net.faults(id).filter(\.applied)
            acted += faults.count
            #expect(faults.count <= 3)
            let isInside = user != "carol" && user != "mallory" && path.hasPrefix("/ws/")
            if !isInside { #expect(faults.isEmpty, "\(user) \(path)") }
            if !faults.isEmpty { touched.insert(user) }
            if began.duration(to: net.now) > .seconds(41) { break }
        }
        #expect(acted <= 60 && acted > 10)
        #expect(touched.isSubset(of: ["alice", "albert", "bob"]) && touched.count > 1)
    }

    @Test func nothingActsBehindItsTime() {
        var scope = Profile.Scope()
        scope.expires = .seconds(5)
        var net = Net(profile: Sample.profile(Sample.rule("drop"), scope: scope))
        let id = net.upgraded(1)
        _ = net.takeServer(id)
        net.client(id, Sample.frame("gone", masked: true))
        net.pass(.seconds(6))
        let kept = Sample.frame("kept", masked: true)
        net.client(id, kept)
        #expect(net.takeServer(id) == kept)
        // The same profile again does not begin its time anew; another one does.
        net.reconfigure(net.configuration.profile)
        net.client(id, kept)
        #expect(net.takeServer(id) == kept)
    }

    /// Of two profiles beside each other each keeps to its own scope and budget.
    @Test func eachKeepsItsOwn() {
        var mine = Profile.Scope()
        (mine.name, mine.users, mine.perConnection) = ("mine", [Glob("alice")], 1)
        var yours = Profile.Scope()
        (yours.name, yours.users) = ("yours", [Glob("bob")])
        var first = Sample.rule("drop", id: "first")
        first.scope = mine
        var second = Sample.rule("drop", id: "second")
        second.scope = yours
        var net = Net(profile: Sample.profile(first, second))
        for (number, user) in ["alice", "bob", "carol"].enumerated() {
            let id = net.upgraded(UInt32(number + 1), user: user)
            for text in ["1", "2", "3"] { net.client(id, Sample.frame(text, masked: true)) }
            let expected = ["alice": ["first"], "bob": ["second", "second", "second"], "carol": []][user]
            #expect(net.faults(id).map(\.id) == expected)
        }
    }
}
