import Captures
import Foundation
import NIOCore
import Testing
import Wire

/// A vector written by Tests/ThirdParty/make_tls_exchanges.py: one real connection.
struct TLSExchange: Sendable, CustomTestStringConvertible {
    let name: String
    /// What crossed the wire, in order.
    var flights: [(side: Side, bytes: [UInt8])] = []
    var keys = ""
    /// What each side wrote before it was encrypted.
    var said: [Side: [UInt8]] = [.client: [], .server: []]

    var testDescription: String { name }
    var keyLog: KeyLog {
        var log = KeyLog()
        log.add(ByteBuffer(string: keys))
        return log
    }

    func wire(of side: Side) -> [UInt8] { flights.filter { $0.side == side }.flatMap(\.bytes) }

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Vectors/tls")

    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".txt") }.map { String($0.dropLast(4)) }.sorted()
    }()

    static func read(_ name: String) throws -> TLSExchange {
        let text = try String(contentsOf: folder.appendingPathComponent(name + ".txt"), encoding: .utf8)
        var exchange = TLSExchange(name: name)
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let words = line.split(separator: " ", maxSplits: 1)
            let rest = words.count > 1 ? String(words[1]) : ""
            switch words[0] {
            case "key": exchange.keys += rest + "\n"
            case "client", "server":
                exchange.flights.append((words[0] == "client" ? .client : .server, bytes(rest)))
            case "clientsays": exchange.said[.client] = bytes(rest)
            case "serversays": exchange.said[.server] = bytes(rest)
            default: break
            }
        }
        return exchange
    }

    static func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex.utf8.filter { $0 != 0x20 && $0 != 0x0a })
        return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
        }
    }
}
