import Faults
import Journaling
import NIOCore
import Profiles
import ProxyRuntime
import Synchronization
import Testing
import Wire

/// A row on its stage: a proxy with that fault for one path, a raw server behind it, raw clients before it.
final class KindStage: Sendable {
    static let inside = "/ws/in"
    static let outside = "/ws/out"

    let row: KindRow
    /// The far side.
    let side: Side
    let proxy: ProxyServer
    private let server: RawServer
    private let board = Board()

    init(_ row: KindRow, to side: Side) async throws {
        self.row = row
        self.side = side
        let board = board
        server = try await RawServer { peer in await board.take(peer) }
        let when = (["to: \(side.rawValue)"] + (row.when.isEmpty ? [] : [row.when])).joined(separator: ", ")
        // What is decided before any message, or at one end alone, knows no direction.
        let isDirected = FaultRegistry.kind(row.kind)?.acts.contains { ![.accept, .requestHead, .responseHead].contains($0) } ?? false
        let profile = try ProfileLoader.parse(
            text: """
                miswire: 1
                name: kinds
                scope: { paths: ["\(Self.inside)", "\(Self.inside)/**"] }
                faults:
                  - { id: f1, fault: \(row.kind)\(row.settings.isEmpty ? "" : ", " + row.settings)\(isDirected ? ", when: { \(when) }" : "") }
                """, file: "\(row.kind).yaml")
        let contract = try ContractLoader().load("agent-chat")
        let box = EntryBox()
        proxy = try await ProxyRuntimeTests.proxy(to: server.port, Watcher(onEntry: { box.add($0) })) { options in
            options.judge = true
            options.profile = profile
            options.contract = contract
            options.seed = 1
        }
        entries = box
    }
    private let entries: EntryBox

    // MARK: Bytes

    static func request(_ path: String, user: String, lines: String = "") -> [UInt8] {
        let claims = ["alice": "eyJzdWIiOiJhbGljZSJ9", "bob": "eyJzdWIiOiJib2IifQ", "carol": "eyJzdWIiOiJjYXJvbCJ9"]
        let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\(claims[user] ?? "").c2ln"
        return Array(Sample.request(path, extra: "Authorization: Bearer \(token)\r\n\(lines)").utf8)
    }
    var request: [UInt8] { Self.request(Self.inside, user: "alice", lines: row.requestLines) }
    var accepted: [UInt8] { Self.accepted(row.acceptLines) }
    static func accepted(_ lines: String = "") -> [UInt8] {
        Array(Sample.accepted.utf8.dropLast(2)) + Array((lines + "\r\n").utf8)
    }

    /// Towards the far side.
    var words: [[UInt8]] { row.words.map { row.frames($0, side == .server) } }
    /// The other way: a ping between fragments, an unusual length.
    func back(_ side: Side? = nil) -> [[UInt8]] {
        let mask: [UInt8]? = (side ?? self.side) == .server ? nil : [9, 8, 7, 6]
        return [
            Sample.frame(1, Array("back ".utf8), fin: false, mask: mask), Sample.frame(9, [1], mask: mask),
            Sample.frame(0, Array("again".utf8), mask: mask, longForm: true),
        ]
    }

    // MARK: Peers

    func client(_ path: String = KindStage.inside, user: String = "alice", saying request: [UInt8]? = nil) async throws -> RawPeer {
        let peer = try await RawPeer.connect(port: proxy.address.port)
        try await peer.send(request ?? Self.request(path, user: user))
        return peer
    }

    /// The server's end of the session that asked for that path.
    /// - Parameter number: of those that did, from 0, in the order in which they came.
    func server(_ path: String = KindStage.inside, _ number: Int = 0) async throws -> RawPeer { try await board.peer(path, number) }
    /// The server's ends that never got a request.
    func strangers() async -> [RawPeer] { await board.strangers }

    /// Another session's whole life, byte for byte.
    /// - Returns: its peers, which have seen the end.
    func liveOutside() async throws -> (client: RawPeer, server: RawPeer) {
        let request = Self.request(Self.outside, user: "carol", lines: row.requestLines)
        let client = try await client(saying: request)
        let server = try await server(Self.outside)
        try await server.send(accepted)
        _ = try await client.prefix(accepted.count)
        let up = row.words.map { row.frames($0, true) } + back(.client)
        let down = row.words.map { row.frames($0, false) } + back(.server)
        for bytes in up { try await client.send(bytes) }
        for bytes in down { try await server.send(bytes) }
        try await client.finish()
        #expect(try await server.everything() == request + up.joined(), "outside, at the server")
        try await server.finish()
        #expect(try await client.everything() == accepted + down.joined(), "outside, at the client")
        return (client, server)
    }

    // MARK: The end

    /// What the journal holds of faults, when all is over.
    func conclude(grace: Duration) async -> (result: RunResult, faults: [FaultRecord], paths: Set<String>) {
        let result = await proxy.drain(grace: grace)
        await server.close()
        let all = entries.all
        var paths: [SessionID: String] = [:]
        var faults: [FaultRecord] = []
        var touched: Set<String> = []
        for entry in all {
            if case .head(let head) = entry.body, head.passage.direction == .toServer, let session = entry.session {
                paths[session] = paths[session] ?? String(String(buffer: head.bytes).split(separator: " ")[1])
            }
        }
        for entry in all {
            guard case .fault(let record) = entry.body else { continue }
            faults.append(record)
            touched.insert(entry.session.flatMap { paths[$0] } ?? "")
        }
        return (result, faults, touched)
    }
}

private final class EntryBox: Sendable {
    private let entries = Mutex<[Entry]>([])
    func add(_ entry: Entry) { entries.withLock { $0.append(entry) } }
    var all: [Entry] { entries.withLock { $0 } }
}

/// What has connected to the server, by the path that it asks for.
private actor Board {
    private var named: [String: [RawPeer]] = [:]
    private(set) var strangers: [RawPeer] = []

    func take(_ peer: RawPeer) async {
        strangers.append(peer)
        try? await peer.until { $0.bytes.suffix(4) == [13, 10, 13, 10] || $0.bytes.contains(10) || $0.closed }
        let words = String(decoding: peer.seen.bytes.prefix { $0 != 10 }, as: UTF8.self).split(separator: " ")
        guard words.count > 1 else { return }
        named[String(words[1]), default: []].append(peer)
        strangers.removeAll { $0 === peer }
    }

    /// At most 30 s.
    func peer(_ path: String, _ number: Int) async throws -> RawPeer {
        for _ in 0..<3_000 where named[path, default: []].count <= number { try await Task.sleep(for: .milliseconds(10)) }
        return try #require(named[path, default: []].dropFirst(number).first, "nobody asked the server for \(path)")
    }
}
