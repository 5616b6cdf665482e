import Contracts
import Faults
import Foundation
import Journaling
import NIOCore
import Profiles
import ProxyRuntime
import Synchronization
import Testing

/// Values of the environment that a profile names are in no entry, whatever a fault makes of them (trust.md T34).
@Suite(.timeLimit(.minutes(5))) struct HiddenValuesTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var kind: String
        var settings: String
        var testDescription: String { "\(kind) \(settings)" }
    }

    private static let value = "hunter2-canary-\"quoted\"-0123456789"

    static let rows = [
        Row(kind: "inject", settings: "payload: 'p ${V} q'"), Row(kind: "inject", settings: "payload: '${V}'"),
        Row(kind: "inject", settings: "payload: '${HEX}', form: hex"),
        Row(kind: "replace", settings: "payload: '{\"a\":\"${V}\"}'"), Row(kind: "json-mutate", settings: "op: [enum], value: '${V}'"),
        Row(kind: "regex-replace", settings: "pattern: 'n', with: '${V}'"), Row(kind: "close", settings: "code: 1000, reason: '${V}'"),
        // More than a Close takes: the value is cut off.
        Row(kind: "close", settings: "code: 1000, reason: '\(String(repeating: "x", count: 100)) ${V}'"),
        Row(kind: "interleave", settings: "what: ping, payload: '${V}'"), Row(kind: "interleave", settings: "what: text, payload: '${V}'"),
        Row(kind: "refuse", settings: "status: 503, body: '${V}'"), Row(kind: "refuse", settings: "status: 503, headers: ['X-Key: ${V}']"),
        Row(kind: "refuse", settings: "close: 1008, reason: '${V}'"),
        Row(kind: "handshake-mutate", settings: "op: [body], body: '${V}'"),
        Row(kind: "handshake-mutate", settings: "op: [origin-foreign], origin: 'https://${V}'"),
        Row(kind: "handshake-mutate", settings: "op: [unoffered-subprotocol], subprotocol: '${W}'"),
    ]

    private static let environment = [
        "V": value, "W": "hunter2.canary.0123456789", "HEX": value.utf8.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined(),
    ]

    private static func profile(_ row: Row) throws -> Profile {
        let text = "miswire: 1\nname: s\nfaults:\n  - { fault: \(row.kind), \(row.settings) }\n"
        let path = FileManager.default.temporaryDirectory.path + "/hidden-\(UUID().uuidString).yaml"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        do { return try ProfileLoader(environment: environment).load(path) } catch {
            for error in error.errors { Issue.record("\(error.plain)") }
            throw error
        }
    }

    @Test(arguments: rows)
    func noEntryHoldsThem(row: Row) async throws {
        let profile = try Self.profile(row)
        let server = try await RawServer { peer in
            try await peer.until { $0.bytes.count > 200 || $0.ended || $0.closed }
            try await peer.send(Sample.accepted)
            try await peer.send(Sample.frame(1, Array(#"{"type":"#.utf8), fin: false))
            try await peer.send(Sample.frame(0, Array(#""told","n":1}"#.utf8)))
            try await peer.until { $0.ended || $0.closed }
            try? await peer.finish()
        }
        let texts = Mutex<[String]>([])
        let acted = Mutex(false)
        let watcher = Watcher(onEntry: { entry in
            texts.withLock { $0 += Self.texts(of: entry.body) }
            if case .fault(let fault) = entry.body, fault.applied { acted.withLock { $0 = true } }
        })
        let proxy = try await proxy(to: server.port, watcher) { options in
            options.profile = profile
            options.judge = true
        }
        let client = try await RawPeer.connect(port: proxy.address.port)
        try await client.send(Sample.request(extra: "Origin: http://chat.example\r\nSec-WebSocket-Protocol: chat\r\n"))
        try await client.send(Sample.text(#"{"type":"ask","n":1}"#, masked: true))
        try? await client.finish()
        _ = try await client.everything()
        await client.close()
        let result = await proxy.drain(grace: .seconds(5))
        await server.close()
        #expect(result.ledgerDifferences == [])
        #expect(acted.withLock { $0 })
        for text in texts.withLock({ $0 }) {
            for word in ["hunter2", "canary", "0123456789"] { #expect(!text.contains(word), "\(text)") }
        }
    }

    /// Everything in an entry that may hold words.
    private static func texts(of body: Entry.Body) -> [String] {
        switch body {
        case .head(let head): [String(buffer: head.bytes)]
        case .frame(let frame): [String(buffer: frame.frame.payload), frame.message?.payload.map { String(buffer: $0) } ?? ""]
        case .bytes(let bytes): [String(buffer: bytes.bytes)]
        default: ["\(body)"]
        }
    }
}
