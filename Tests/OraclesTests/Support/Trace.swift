import Foundation
import Testing

@testable import Oracles

/// A story written as a file: who says and hears what, and when, and what is found then. One file a shipped contract,
/// `Traces/NAME.trace`; a line that begins with `==` begins a story.
///
///     == a query that goes on behind its end
///     finds E1
///     0  alice    opens
///     5  alice    > {"id":"1","type":"subscribe","payload":{"query":"{ a }"}}
///     9  alice    < {"id":"1","type":"complete"}
///     12 alice    < {"id":"1","type":"next","payload":{}}
///
/// `finds` tells the properties of the findings in their order (nothing: the server is well), `keeps` those that must have
/// passed. Instants are milliseconds; `alice/2` is her second connection. Verbs: `opens [PATH]`, `offers SUBPROTOCOL` (before
/// `opens`), `> TEXT` from and `< TEXT` to the client, `>|`, `<|` with a close code, `ends` (the server, without a close),
/// `leaves` (the client), `cut` (by us). `until MS` ends the journal there.
struct Trace: Sendable, CustomTestStringConvertible {
    struct Line: Sendable {
        var ms: Double
        var who: String
        var verb: String
        var text: String
    }
    var contract: String
    var name: String
    var finds: [String] = []
    var keeps: [String] = []
    var until: Double = 100_000
    var lines: [Line] = []

    var testDescription: String { "\(contract): \(name)" }

    static let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Traces")

    static func all(of contract: String) -> [Trace] {
        guard let text = try? String(contentsOf: directory.appending(path: contract + ".trace"), encoding: .utf8) else { return [] }
        var traces: [Trace] = []
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            if line.hasPrefix("== ") {
                traces.append(Trace(contract: contract, name: String(line.dropFirst(3))))
            } else if let last = traces.indices.last {
                traces[last].read(line)
            }
        }
        return traces
    }

    private mutating func read(_ line: Substring) {
        let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
        switch words.first {
        case "finds": finds = line.split(separator: " ").dropFirst().map(String.init)
        case "keeps": keeps = line.split(separator: " ").dropFirst().map(String.init)
        case "until": until = words.dropFirst().first.flatMap { Double($0) } ?? until
        default:
            guard words.count == 3, let ms = Double(words[0]) else {
                Issue.record("\(testDescription): \(line)")
                return
            }
            let rest = words[2].drop { $0 == " " }.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            lines.append(Line(ms: ms, who: String(words[1]), verb: String(rest[0]), text: rest.count > 1 ? String(rest[1]) : ""))
        }
    }

    func tell(_ story: inout Transcript) {
        var sessions: [String: Int] = [:]
        var subprotocols: [String: String] = [:]
        for line in lines {
            let session = sessions[line.who] ?? sessions.count + 1
            sessions[line.who] = session
            let user = String(line.who.prefix { $0 != "/" })
            switch line.verb {
            case "offers": subprotocols[line.who] = line.text
            case "opens":
                story.upgrade(session, user, at: line.ms, path: line.text.isEmpty ? "/ws" : line.text)
                story.accept(session, subprotocol: subprotocols[line.who], at: line.ms)
            case ">": story.send(session, line.text, at: line.ms)
            case "<": story.event(session, line.text, at: line.ms)
            case ">|": story.close(session, by: .client, UInt16(line.text) ?? 1000, at: line.ms)
            case "<|": story.close(session, by: .server, UInt16(line.text) ?? 1000, at: line.ms)
            case "ends": story.end(session, .server, at: line.ms)
            case "leaves": story.end(session, .client, at: line.ms)
            case "cut": story.cut(session, .reset, [], at: line.ms)
            default: Issue.record("\(testDescription): no verb \(line.verb)")
            }
        }
        // Time goes on behind the last word.
        let last = lines.last?.ms ?? 0
        story.ticks(from: last + 1, to: min(until, last + 40_000))
    }
}
