package import ArgumentParser
import Journaling
import Reporting

/// `miswire limits`: every bound of ours with its number (trust.md section 3).
package struct LimitsVerb: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "limits", abstract: "Print every limit: what, default, and what happens beyond.",
        discussion: "miswire limits\nmiswire limits --json")
    @OptionGroup var looks: Looks
    package init() {}

    package func run() throws {
        let console = Console(looks: looks)
        let rows = LimitRow.all(.standard)
        if looks.json {
            let time = Console.utc()
            for row in rows {
                console.emit(
                    JSONLine("limit", time: time).adding("id", row.id).adding("what", row.what)
                        .adding("default", row.value).adding("then", row.then))
            }
            return console.emit(.summary("limits", .pass, time: time))
        }
        var table = Columns([.init(5), .init(34, most: 34), .init(27, most: 27)])
        table.add("id", "what", "default", "when exceeded")
        for row in rows { table.add(row.id, row.what, row.value, row.then) }
        console.answer(table.text(console.out))
    }
}

/// One row of the table, from the one `Limits` value.
struct LimitRow {
    var id: String
    var what: String
    var value: String
    var then: String

    static func all(_ limits: Limits) -> [LimitRow] {
        func size(_ bytes: Int) -> String {
            bytes.isMultiple(of: 1 << 20) ? "\(bytes >> 20) MiB" : "\(Figures.count(bytes >> 10)) KiB"
        }
        let time = Figures.duration
        return [
            .init(id: "L1", what: "head: total / field / first line / fields", value: "\(size(limits.headBytes)) / \(size(limits.headFieldBytes)) / \(size(limits.startLineBytes)) / \(limits.headFields)", then: "431 to the client, 502 for a server, entry"),
            .init(id: "L2", what: "TLS / head / connect / answer", value: "\(time(limits.handshakeTime)) / \(time(limits.requestHeadTime)) / \(time(limits.connectTime)) / \(time(limits.upgradeAnswerTime))", then: "close, 504 for the upstream"),
            .init(id: "L3", what: "relayed frame and message", value: "none", then: "streamed, never held"),
            .init(id: "L4", what: "message lifted: bytes / fragments", value: "\(size(limits.messageBytes)) / \(Figures.count(limits.messageFragments))", then: "passes unchanged, entry, oracle inconclusive"),
            .init(id: "L5", what: "inflate contexts / JSON depth / nodes", value: "\(Figures.count(limits.inflateContexts)) / \(limits.jsonDepth) / \(Figures.count(limits.jsonNodes))", then: "as L4"),
            .init(id: "L6", what: "profile, contract: bytes / depth / nodes", value: "\(size(limits.documentBytes)) / \(limits.documentDepth) / \(Figures.count(limits.documentNodes))", then: "exit 4 with its place"),
            .init(id: "L7", what: "sessions", value: Figures.count(limits.sessions), then: "stops accepting, entry"),
            .init(id: "L8", what: "half-closed session", value: time(limits.halfClosedTime), then: "closed as `tool`"),
            .init(id: "L9", what: "pending to one peer: high / low; a read", value: "\(size(limits.pendingHigh)) / \(size(limits.pendingLow)) / \(size(limits.readBytes))", then: "stops reading the other side"),
            .init(id: "L10", what: "held by faults: session / all", value: "\(size(limits.heldBytes)) / \(size(limits.heldBytesTotal))", then: "oldest released early, entry"),
            .init(id: "L11", what: "recorder queue: session / all", value: "\(size(limits.recorderSessionBytes)) / \(size(limits.recorderBytes))", then: "sockets stop reading"),
        ]
    }
}
