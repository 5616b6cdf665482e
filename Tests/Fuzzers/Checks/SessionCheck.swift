import Faults
import Journaling
import NIOCore
import Wire

/// Two sessions, every kind of fault on both, and whatever a peer, a timer or an operator may do, in any order: nothing
/// traps, what is held stays bounded, and the ledger explains every byte.
struct SessionCheck {
    private var choices: Choices
    private let seed: UInt64
    private let kinds: UInt8

    init(_ bytes: [UInt8]) {
        choices = Choices(bytes)
        kinds = choices.next()
        seed = UInt64(choices.next()) + 1
    }

    func run() throws(Broken) {
        var shell = SessionShell(profile: Self.profile(kinds), seed: seed)
        let ids = [shell.open(1), shell.open(2)]
        var rest = choices
        // Most bytes are worth more behind an upgrade.
        if kinds & 0x80 == 0 { for id in ids { shell.upgrade(id, isDeflated: kinds & 0x40 != 0) } }
        var steps = 0
        while !rest.isOver, steps < 512 {
            steps += 1
            let order = rest.next()
            let id = ids[Int(order >> 7)]
            let side: Side = order & 0x40 == 0 ? .client : .server
            switch order & 0x3f {
            case 0: shell.pass(.milliseconds(Int64(rest.next()) * 17))
            case 1: shell.tell(.ended(side, order & 2 == 0 ? .finish : .reset), id)
            case 2: shell.tell(.writable(side, rest.next() & 1 == 0), id)
            case 3: shell.tell(.recorder(isBehind: rest.next() & 1 == 0), id)
            case 4: shell.tell(.faultsOff, id)
            case 5: shell.tell(.drain, id)
            case 6: shell.upgrade(id, isDeflated: false)
            case 7: shell.tell(.connectFailed("refused"), id)
            case 8: shell.receive(id, side, rest.take(1 + Int(rest.next()) * 16))
            case let count: shell.receive(id, side, rest.take(Int(count)))
            }
            if let wrong = shell.wrong { throw Broken(wrong) }
        }
        let differences = shell.conclude()
        try demand(differences.isEmpty, differences.joined(separator: "; "))
    }

    /// Each kind with its defaults, in eight mixtures. What ends a session at once comes seldom.
    private static func profile(_ kinds: UInt8) -> Profile {
        var profile = Profile(name: "all")
        let group = Int(kinds & 7)
        for (index, kind) in FaultRegistry.all.enumerated() where group == 0 || index % 7 == group - 1 {
            var rule = FaultRule(id: "f\(index)", kind: kind.name, settings: Settings(), when: Trigger())
            let isSeldom = kind.acts.contains(.accept) || kind.acts.contains(.requestHead) || kind.actsOnBytes
            rule.when.message = isSeldom || kind.acts.contains(.responseHead) ? nil : .share(group == 0 ? 0.1 : 0.5)
            rule.when.connection = isSeldom ? .share(group == 0 ? 0.05 : 0.3) : nil
            profile.faults.append(rule)
        }
        return profile
    }
}
