package import ArgumentParser
import Reporting
import ReferenceBackend

/// `miswire backend`: the reference agent-chat server, clean or with planted bugs.
package struct Backend: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "backend", abstract: "Run the reference agent-chat server on 127.0.0.1.",
        discussion: """
            miswire backend --port 8080
            miswire backend --port 8080 --bugs B08,B15 --marks marks.ndjson
            Bugs: \(BackendBug.allCases.map(\.rawValue).joined(separator: " "))
            """)

    @Option(help: "Port to listen on; 0 takes a free one.")
    var port = 0
    @Option(help: "Planted bugs, separated by commas.")
    var bugs = ""
    @Option(help: "Side file for REACHED and TRIGGERED marks.")
    var marks: String?
    @OptionGroup var looks: Looks

    package init() {}

    package func run() async throws {
        let console = Console(looks: looks)
        let planted: Set<BackendBug>
        do { planted = try BackendBug.list(bugs) } catch {
            throw Complaint(
                "\(SafeText.show("\(error)"))",
                details: [("expected", BackendBug.allCases.map(\.rawValue).joined(separator: " "))], exit: .usage)
        }
        guard (0...65_535).contains(port) else {
            throw Complaint("the port \(port) does not exist", details: [("expected", "0 to 65535")], exit: .usage)
        }
        let server = try await Listening.backend(port: port, bugs: planted, marks: marks)
        let on = planted.isEmpty ? "no bugs on" : "bugs " + planted.sorted().map(\.rawValue).joined(separator: " ")
        let key = SigningKey.isDevelopment ? "development key" : "key from \(SigningKey.variable)"
        console.answer("backend  ws://127.0.0.1:\(server.port)/ws    \(on)    \(key)\n")
        await Signals.untilAskedToStop()
        await server.stop()
    }
}

/// Starting the backend with its errors in our form.
enum Listening {
    static func backend(port: Int, bugs: Set<BackendBug>, marks: String?) async throws -> BackendServer {
        do {
            return try await BackendServer.start(port: port, bugs: bugs, key: SigningKey.value(), marks: marks)
        } catch {
            throw Complaint(
                "the backend cannot listen on port \(port)",
                details: [("found", SafeText.show("\(error)")), ("remedy", "choose another with --port, or 0 for a free one")],
                exit: .usage)
        }
    }
}
