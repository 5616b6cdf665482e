import Foundation
import Journaling
import NIOCore
import Testing
import Wire

@testable import ReferenceBackend

/// The backend's own account of what was said, by which importers are measured.
@Suite(.timeLimit(.minutes(3))) struct MessageLogTests {
    private func stage(logs: Bool) -> Stage {
        var stage = Stage()
        stage.machine = BackendMachine(
            BackendConfiguration(key: Stage.key, seed: 7, epoch: Stage.epoch, logsMessages: logs))
        return stage
    }

    @Test func everyMessageIsLoggedAsItWasSaid() throws {
        var stage = stage(logs: true)
        let alice = stage.connect("alice")
        stage.handle(.received(alice, Stage.masked(.text, "Grü", fin: false)))
        stage.handle(.received(alice, Stage.masked(.continuation, "ße")))
        stage.handle(.received(alice, Stage.masked(.ping, "hm")))
        stage.handle(.received(alice, Stage.masked(.binary, "\u{0}\u{1}")))
        stage.handle(.received(alice, Stage.masked(.close, "")))
        let messages = stage.machine.messages
        #expect(messages.map(\.opcode) == [.text, .text, .text, .ping, .pong, .binary, .close, .close])
        let way = "toClient toServer toClient toServer toClient toServer toServer toClient"
        #expect(messages.map(\.direction.rawValue).joined(separator: " ") == way)
        #expect(messages.allSatisfy { $0.user == "alice" && $0.connection.hasPrefix("ws_alice_") })
        #expect(String(buffer: messages[1].payload) == "Grüße")
        #expect(messages[1].line.hasSuffix(#""user":"alice","direction":"toServer","opcode":1,"data":"Grüße"}"#))

        // What was sent is what stands on the wire.
        var wire = ByteBuffer()
        for message in messages where message.direction == .toClient {
            wire.writeImmutableBuffer(FrameWriter.bytes(Frame(opcode: message.opcode, payload: message.payload)))
        }
        #expect(Array(stage.bytes(alice).readableBytesView.suffix(wire.readableBytes)) == Array(wire.readableBytesView))
    }

    @Test func whatIsNoTextStandsInBase64() {
        let message = BackendMessage(
            connection: "c", user: "u", direction: .toServer, opcode: .binary, payload: ByteBuffer(bytes: [255, 0]))
        #expect(message.line == #"{"connection":"c","user":"u","direction":"toServer","opcode":2,"data64":"/wA="}"#)
    }

    @Test func nothingIsKeptUnasked() {
        var stage = stage(logs: false)
        _ = stage.connect("alice")
        #expect(stage.machine.messages.isEmpty)
    }

    @Test func theServerWritesItsLog() async throws {
        let path = NSTemporaryDirectory() + "miswire-messages-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let server = try await BackendServer.start(messages: path)
        await server.stop()
        #expect(FileManager.default.fileExists(atPath: path))
        await #expect(throws: BackendError.self) {
            try await BackendServer.start(messages: "/nonexistent/directory/log")
        }
    }
}
