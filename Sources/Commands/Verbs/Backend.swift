package import ArgumentParser
import Foundation
import ProxyRuntime
import ReferenceBackend
import Reporting

#if canImport(Glibc)
    import Glibc
#endif

/// `miswire backend`: the reference agent-chat server, clean or with planted bugs.
package struct Backend: AsyncParsableCommand, StopsBySignal {
    package static let configuration = CommandConfiguration(
        commandName: "backend", abstract: "Run the reference agent-chat server on 127.0.0.1.",
        discussion: """
            miswire backend --port 8080
            miswire backend --port 8080 --bugs B08,B15 --marks marks.ndjson
            Bugs: \(BackendBug.allCases.map(\.rawValue).sorted().joined(separator: " "))
            Decoys: \(BackendDecoy.allCases.map(\.rawValue).joined(separator: " "))
            """)

    @Option(help: "Port to listen on; 0 takes a free one.")
    var port = 0
    @Option(help: "Planted bugs, separated by commas.")
    var bugs = ""
    @Option(help: "Decoys, separated by commas: what looks like a defect and is none.")
    var decoys = ""
    @Option(help: "Side file for REACHED and TRIGGERED marks.")
    var marks: String?
    @Option(help: "Side file for every message taken and sent, one JSON object a line.")
    var logMessages: String?
    @OptionGroup var looks: Looks

    package init() {}

    package func run() async throws {
        let console = Console(looks: looks)
        let planted = try Listening.bugs(bugs)
        let played = try Listening.decoys(decoys)
        guard (0...65_535).contains(port) else {
            throw Complaint("the port \(port) does not exist", details: [("expected", "0 to 65535")], exit: .usage)
        }
        let server = try await Listening.backend(port: port, bugs: planted, decoys: played, marks: marks, messages: logMessages)
        let bugsOn = planted.isEmpty ? "no bugs on" : "bugs " + planted.sorted().map(\.rawValue).joined(separator: " ")
        let on = played.isEmpty ? bugsOn : "\(bugsOn), decoys " + played.sorted().map(\.rawValue).joined(separator: " ")
        let key = SigningKey.isDevelopment ? "development key" : "key from \(SigningKey.variable)"
        let begun = ContinuousClock.now
        if looks.json {
            console.emit(
                JSONLine("start", time: Console.utc()).adding("verb", "backend").adding("port", server.port)
                    .adding("bugs", planted.sorted().map(\.rawValue)).adding("decoys", played.sorted().map(\.rawValue))
                    .adding("key", key))
        } else {
            console.answer("backend  ws://127.0.0.1:\(server.port)/ws    \(on)    \(key)\n")
        }
        await Signals.untilAskedToStop()
        await server.stop()
        if looks.json { return console.emit(.summary("backend", .pass, time: Console.utc())) }
        let lasted = begun.duration(to: ContinuousClock.now)
        console.answer(ExitReason.pass.ending("backend  stopped after \(Figures.duration(lasted))") + "\n")
    }
}

/// Starting the backend with its errors in our form.
enum Listening {
    static func backend(
        port: Int, bugs: Set<BackendBug>, decoys: Set<BackendDecoy> = [], marks: String?, messages: String? = nil
    ) async throws -> BackendServer {
        do {
            return try await BackendServer.start(
                port: port, bugs: bugs, decoys: decoys, key: SigningKey.value(), marks: marks, messages: messages)
        } catch BackendError.marks(let path, let reason) {
            throw Complaint(
                "the side file cannot be written to \(SafeText.show(path))",
                details: [
                    ("found", SafeText.show(reason)), ("remedy", "name another file with --marks or --log-messages"),
                ], exit: .usage)
        } catch {
            throw taken(port, "\(error)")
        }
    }

    private static func taken(_ port: Int, _ found: String) -> Complaint {
        let inUse = found.contains("errno: \(EADDRINUSE)")
        let denied = found.contains("errno: \(EACCES)")
        guard inUse || denied else {
            return Complaint(
                "the backend cannot listen on port \(port)",
                details: [("found", SafeText.show(found)), ("remedy", "choose another with --port, or 0 for a free one")],
                exit: .usage)
        }
        let remedy = (label: "remedy", text: "choose another with --port \(min(port + 1, 65_535)), or 0 for a free one")
        guard inUse else {
            return Complaint("port \(port) needs rights that this user has not", details: [remedy], exit: .usage)
        }
        return Complaint("port \(port) is in use", details: PortWords.by(.listening(on: port)) + [remedy], exit: .usage)
    }

    /// The list of `--bugs`.
    static func bugs(_ text: String) throws -> Set<BackendBug> {
        do { return try BackendBug.list(text) } catch {
            let known = BackendBug.allCases.map(\.rawValue)
            let word = text.split(whereSeparator: { $0 == "," || $0 == " " }).map(String.init).first { !known.contains($0) }
            throw Complaint(
                "no bug is called `\(SafeText.show(word ?? text))`",
                details: [("known", known.joined(separator: " "))], exit: .usage)
        }
    }
}

extension Listening {
    /// The list of `--decoys`.
    static func decoys(_ text: String) throws -> Set<BackendDecoy> {
        do { return try BackendDecoy.list(text) } catch {
            let known = BackendDecoy.allCases.map(\.rawValue)
            throw Complaint(
                "no decoy is called `\(SafeText.show(error.name))`",
                details: [("known", known.joined(separator: " "))], exit: .usage)
        }
    }
}

/// Who holds a port: `nginx, pid 812 (listening since 09:14)`.
enum PortWords {
    static func by(_ owner: PortOwner?) -> [(label: String, text: String)] {
        guard let owner else { return [] }
        let since = owner.since.map { " (listening since \(hour($0)))" } ?? ""
        return [("by", "\(SafeText.show(owner.name)), pid \(owner.pid)\(since)")]
    }

    private static func hour(_ seconds: Int64) -> String {
        let parts = Calendar.current.dateComponents([.hour, .minute], from: Date(timeIntervalSince1970: Double(seconds)))
        func two(_ value: Int?) -> String { (value ?? 0) < 10 ? "0\(value ?? 0)" : "\(value ?? 0)" }
        return "\(two(parts.hour)):\(two(parts.minute))"
    }
}
