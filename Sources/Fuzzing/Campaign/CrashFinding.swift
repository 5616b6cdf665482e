package import Contracts
package import Journaling
package import Oracles
package import Peers
package import Plans
import Wire

/// The last thing that the target was given before it went away.
package struct LastInput: Sendable, Equatable {
    /// The plan's name for who sent it; nil when no credential said.
    package var user: String?
    /// `agent_started`, `<malformed>`, `upgrade`, `ping`, `fragment`: never payload.
    package var type: String
    package var entry: Entry
    /// Faults that had acted by then.
    package var faults: [FaultRecord]

    /// Looks through the journal of the play during which the target went away. Nil when nothing was sent in it.
    package init?(in entries: [Entry], contract: Contract?, cast: Cast = Cast()) {
        guard let last = Self.last(in: entries) else { return nil }
        entry = last
        type = Self.type(of: last, contract)
        user = Self.user(of: last, in: entries).map { cast.user(of: $0) ?? $0 }
        faults = entries.compactMap { entry in
            guard case .fault(let record) = entry.body, record.applied, entry.instant <= last.instant else { return nil }
            return record
        }
    }

    fileprivate static func last(in entries: [Entry]) -> Entry? {
        // What was written behind the end of the target's own side is no cause; nor is what only we saw leave later.
        let end = entries.first { entry in
            if case .ended(let record) = entry.body { record.side == .server && record.by == .peer } else { false }
        }
        let limit = end?.instant ?? .distantFuture
        return entries.last { $0.sentToServer.map { $0 <= limit } ?? false } ?? entries.last { $0.sentToServer != nil }
    }

    private static func user(of last: Entry, in entries: [Entry]) -> String? {
        entries.lazy.compactMap { entry -> String? in
            guard entry.session == last.session, case .facts(let facts) = entry.body, facts.tap == .serverOut else {
                return nil
            }
            return facts.user
        }.first
    }

    private static func type(of entry: Entry, _ contract: Contract?) -> String {
        switch entry.body {
        case .head: "upgrade"
        case .bytes(let record): record.kind == .partial ? "unfinished frame" : "\(record.kind.rawValue) bytes"
        case .frame(let record): record.message.map { type(of: $0, contract) } ?? "fragment"
        default: "message"
        }
    }

    private static func type(of message: MessageRecord, _ contract: Contract?) -> String {
        switch message.opcode {
        case .close: return "close"
        case .ping: return "ping"
        case .pong: return "pong"
        default: break
        }
        let plain = message.opcode == .binary ? "binary message" : "text message"
        guard message.opcode == .text || message.opcode == .binary else { return "frame of a reserved kind" }
        guard let contract, let payload = message.payload else { return plain }
        let read = Recognizer(contract).recognise(payload, opcode: message.opcode, direction: .toServer)
        return switch read.outcome {
        case .malformed: "<malformed>"
        case .unknown: "<unknown>"
        case .ignored, .unreadable: plain
        // The declared name: the type value is payload, and a glob may have taken any.
        case .valid, .invalid: read.name ?? plain
        }
    }
}

/// When a play last wrote to the target, and when it last heard of it.
struct ExchangeEnd: Sendable {
    let input: Duration?
    let word: Duration?

    /// - Parameter begun: when the play and its journal began.
    init(in entries: [Entry], since begun: Duration) {
        func time(_ instant: Instant?) -> Duration? { instant.map { begun + .nanoseconds($0.nanoseconds) } }
        input = time(LastInput.last(in: entries)?.sentToServer)
        word = time(entries.lazy.compactMap(\.saidByServer).max())
    }
}

extension Entry {
    /// When it came from the server; nil for everything that did not.
    fileprivate var saidByServer: Instant? {
        switch body {
        case .head(let record): record.passage.direction == .toClient ? record.passage.in : nil
        case .frame(let record): record.passage.direction == .toClient ? record.passage.in : nil
        case .bytes(let record): record.passage.direction == .toClient ? record.passage.in : nil
        default: nil
        }
    }

    /// When it left for the server; nil for everything that did not.
    fileprivate var sentToServer: Instant? {
        switch body {
        case .head(let record): record.passage.direction == .toServer ? record.passage.out : nil
        case .frame(let record): record.passage.direction == .toServer ? record.passage.out : nil
        case .bytes(let record): record.passage.direction == .toServer ? record.passage.out : nil
        default: nil
        }
    }
}

/// R2, "survives and recovers": what a campaign reports when its target goes away after our input. Only a campaign can
/// see it, because the journal of the proxy knows connections and no process.
package enum CrashFinding {
    package static let property = "R2"
    package static let name = "survives and recovers"
    package static let requirement =
        "whatever one client sends, the server stays up and serves: it may fail that connection, never end or refuse others (RFC 6455 10.7; oracle R2)"

    /// The same crash, of the same kind of input, has the same fingerprint in every run.
    package static func make(_ crash: Crash, plan: Plan, lastInput: LastInput?, contract: Contract?) -> Finding {
        // Who plays alone needs no credential to be known.
        let user = lastInput.flatMap { $0.user ?? (plan.users.count == 1 ? plan.users.first?.name : nil) }
        let type = lastInput?.type ?? "connection"
        let who = lastInput == nil ? "a connection" : user.map { "\($0)'s \(type)" } ?? "a client's \(type)"
        let print = [property, edge(crash.ending), type].joined(separator: "\n")
        var users = user.map { [$0] } ?? []
        users += plan.users.map(\.name).filter { $0 != user }
        return Finding(
            property: property, fingerprint: Digest.sha256Hex(print, digits: 6),
            sentence: "the target \(sentence(crash.ending)) after \(who)", requirement: requirement,
            expected: "the process runs on and takes connections", found: found(crash.ending),
            offending: lastInput?.entry.ref, witness: lastInput.map { [$0.entry] } ?? [],
            sessions: lastInput?.entry.session.map { [$0] } ?? [], users: users,
            instant: lastInput?.entry.instant ?? .zero, faults: Array((lastInput?.faults ?? []).prefix(8)),
            contractFile: contract?.file ?? "", contractLine: 0)
    }

    /// What it failed by, for the fingerprint; never a figure of one run.
    private static func edge(_ ending: Ending) -> String {
        switch ending {
        case .exit, .signal: ending.short
        case .refusing: "refused"
        case .silent: "silent"
        }
    }

    private static func sentence(_ ending: Ending) -> String {
        switch ending {
        case .exit, .signal: "ends with \(ending.short)"
        case .refusing: "refuses connections"
        case .silent: "answers no connection"
        }
    }

    private static func found(_ ending: Ending) -> String {
        switch ending {
        case .exit, .signal: "it ended with \(ending)"
        case .refusing, .silent: ending.description
        }
    }
}
