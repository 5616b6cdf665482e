@testable import Captures
import Journaling
import NIOCore
import Testing
import Wire

/// What every importer promises, whatever it is given (trust.md T28): a newcomer to the registry adds its sample here.
@Suite struct ImporterContractTests {
    /// A small, whole file of each kind, and what stands in it.
    static let samples: [String: (name: String, bytes: [UInt8], sessions: Int, messages: Int)] = [
        "ndjson": ("a.ndjson", Array(ndjson.utf8), 2, 5),
        "flow": ("a.flow", (try? CaptureVector.read("plain.flow")) ?? [], 2, 3),
        "har": ("a.har", Array(har.utf8), 2, 4),
        "pcap": ("a.pcap", pcap, 1, 2),
        "raw": ("id:000000", Array("{\"a\":1}\n{\"b\":2}\n".utf8), 1, 2),
    ]
    static var pcap: [UInt8] {
        let peer = TestPeer()
        let request = """
            GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
            """
        let answer = """
            HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n
            """
        let (sent, got) = (Array(request.utf8), Array(answer.utf8))
        let ends = TestPeer.Flags.finish | TestPeer.Flags.acknowledge
        return pcapFile(
            peer.handshake + [
                peer.packet(client: true, at: 0, sent), peer.packet(client: false, at: 0, got, ack: sent.count),
                peer.packet(client: true, at: sent.count, [0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69], ack: got.count),
                peer.packet(client: false, at: got.count, [0x81, 2, 0x79, 0x6f], ack: sent.count + 8),
                peer.packet(client: true, at: sent.count + 8, flags: ends, ack: got.count + 4),
                peer.packet(client: false, at: got.count + 4, flags: ends, ack: sent.count + 9),
            ])
    }
    static let har = """
        {"log":{"version":"1.2","creator":{"name":"x","version":"1"},"entries":[
        {"_resourceType":"websocket","_webSocketMessages":[{"type":"send","time":1789999336.014,"opcode":1,"data":"{\\"a\\":1}"},
        {"type":"receive","time":1789999336.5,"opcode":2,"data":"AAEC"}],"request":{"method":"GET","url":"wss://chat.example/ws",
        "headers":[{"name":"Host","value":"chat.example"}]},"response":{"status":101,"headers":[]},"startedDateTime":"2026-09-21T14:02:16Z"},
        {"_webSocketMessages":[{"type":"send","time":1789999336.2,"opcode":1,"data":"b"},{"type":"receive","time":1789999336.6,"opcode":1,
        "data":"c"}],"request":{"method":"GET","url":"ws://h/ws","headers":[]},"response":{"status":101,"headers":[]},"startedDateTime":"2026-09-21T14:02:16.1Z"}
        ]}}

        """
    static let ndjson = """
        {"session":"s1","user":"alice","direction":"toServer","opcode":"text","time":"2026-09-21T14:02:16.014Z","data":"{\\"a\\":1}"}
        {"session":"s2","direction":"toClient","opcode":"binary","time":"2026-09-21T14:02:16.013Z","data64":"AAEC"}
        {"session":"s1","direction":"toClient","opcode":1,"time":1789999336.5,"data":"hi"}
        {"session":"s1","direction":"toServer","opcode":"ping","time":1789999336600,"data":""}
        {"session":"s2","direction":"toServer","time":1789999336601,"data":{"n":1.0}}
        {"session":"s1","direction":"toClient","time":1789999336700,"data":"bye"}
        {"session":"s1","direction":"toClient","opcode":"close","time":1789999336701,"data64":"A+g="}
        {"session":"s1","direction":"toServer","opcode":"close","time":1789999336702,"data64":"A+g="}

        """

    struct Read {
        var result: ImportRun.Result?
        var entries: [Entry] = []
        var error: ImportError?
    }

    /// - Parameter folder: where the recording stays, as `rec`.
    static func read(
        _ kind: String, _ bytes: [UInt8], chunk: Int = 4_096, limits: Limits = .standard, into folder: Folder? = nil
    ) throws -> Read {
        let folder = try folder ?? Folder()
        let name = Self.samples[kind]?.name ?? "file"
        try folder.write(name, bytes)
        do throws(ImportError) {
            let run = try ImportRun([folder[name]], kind: kind, options: ImportOptions(limits: limits, chunk: chunk))
            let weaver = try SessionWeaver(
                .init(
                    directory: folder["rec"], header: RecordingHeader(program: "0", started: "", seed: 1, mode: .raw),
                    limits: limits, redactionKey: Array(0..<32)))
            let result = try run.run(into: weaver, scratch: folder.path)
            guard result.hasRecording else { return Read(result: result) }
            do {
                return Read(result: result, entries: try Sample.read(folder["rec"]).entries)
            } catch {
                Issue.record("the recording of a damaged file is itself damaged: \(error)")
                return Read(result: result)
            }
        } catch {
            return Read(error: error)
        }
    }

    @Test func everyImporterHasASample() {
        #expect(Set(ImporterRegistry.all.map { $0.name }).subtracting(Self.samples.keys).isEmpty)
        for importer in ImporterRegistry.all {
            #expect(!importer.summary.isEmpty && importer.records.one != importer.records.many)
            #expect(ImporterRegistry.named(importer.name)?.summary == importer.summary)
        }
    }

    @Test(arguments: samples.keys.sorted()) func theWholeSampleIsRead(_ kind: String) throws {
        let sample = try #require(Self.samples[kind])
        let read = try Self.read(kind, sample.bytes)
        let result = try #require(read.result)
        #expect(result.failures.isEmpty)
        #expect(result.counts.notes.isEmpty)
        #expect(result.counts.sessions == sample.sessions)
        #expect(result.counts.messagesToServer + result.counts.messagesToClient == UInt64(sample.messages))
        #expect(read.entries.map(\.instant) == read.entries.map(\.instant).sorted())
    }

    /// Whoever knows messages and no bytes says so of each session: how a server writes frames is not judged by ours.
    @Test(arguments: samples.keys.sorted()) func madeUpFramesAreKnownAsSuch(_ kind: String) throws {
        let (sample, importer) = (try #require(Self.samples[kind]), try #require(ImporterRegistry.named(kind)))
        let opened = try Self.read(kind, sample.bytes).entries.compactMap { entry -> Bool? in
            guard case .opened(let opened) = entry.body else { return nil }
            return opened.isMadeUp
        }
        #expect(opened == Array(repeating: importer.isMessagesOnly, count: sample.sessions))
    }

    /// What is found does not depend on how much one read brings.
    @Test(arguments: samples.keys.sorted()) func readsOfAnySizeFindTheSame(_ kind: String) throws {
        let sample = try #require(Self.samples[kind])
        let whole = try Self.read(kind, sample.bytes).entries
        #expect(!whole.isEmpty)
        for chunk in [1, 3, 17, 100] { #expect(try Self.read(kind, sample.bytes, chunk: chunk).entries == whole, "chunk \(chunk)") }
    }

    @Test(arguments: samples.keys.sorted()) func aFileCutAnywhereIsReadInPart(_ kind: String) throws {
        let sample = try #require(Self.samples[kind])
        let step = max(1, sample.bytes.count / 200)
        for end in stride(from: 0, to: sample.bytes.count, by: step) {
            let read = try Self.read(kind, Array(sample.bytes[..<end]))
            expectSane(read, "cut at \(end)")
            #expect((read.result?.counts.sessions ?? 0) <= sample.sessions)
        }
    }

    /// What breaks off is no ground for a pass, of whatever kind it is: the source failed, and what it held is there.
    @Test(arguments: ["flow", "har", "pcap"]) func aFileThatBreaksOffIsAFailure(_ kind: String) throws {
        let sample = try #require(Self.samples[kind])
        let result = try #require(try Self.read(kind, sample.bytes.dropLast(3)).result)
        #expect(result.failures.count == 1 && result.failures.allSatisfy { $0.remedy != nil }, "\(result.failures)")
        #expect(result.hasRecording && result.counts.sessions > 0)
    }

    @Test(arguments: samples.keys.sorted()) func flippedBitsAreSurvived(_ kind: String) throws {
        let sample = try #require(Self.samples[kind])
        for seed in 0..<150 as Range<UInt64> {
            var dice = SplitMix(seed)
            var bytes = sample.bytes
            for _ in 0...seed % 4 {
                let bit = dice.next() % UInt64(bytes.count * 8)
                bytes[Int(bit / 8)] ^= 1 << UInt8(bit % 8)
            }
            expectSane(try Self.read(kind, bytes), "seed \(seed)")
        }
    }

    @Test(arguments: samples.keys.sorted()) func noiseIsSurvived(_ kind: String) throws {
        for seed in 0..<40 as Range<UInt64> {
            var dice = SplitMix(seed)
            let head = seed % 2 == 0 ? Array(try #require(Self.samples[kind]).bytes.prefix(40)) : []
            expectSane(try Self.read(kind, head + (0..<600).map { _ in UInt8(truncatingIfNeeded: dice.next()) }), "seed \(seed)")
        }
    }

    /// Either an error that says where and why, or a result in which what is missing is told.
    private func expectSane(_ read: Read, _ what: String) {
        for error in [read.error].compactMap({ $0 }) + (read.result?.failures ?? []) {
            #expect(!error.place.isEmpty && !error.sentence.isEmpty, "\(what): \(error)")
        }
        guard let result = read.result else { return }
        #expect(result.hasRecording == !read.entries.isEmpty, "\(what)")
        #expect(result.counts.entries == UInt64(read.entries.count), "\(what)")
        #expect(read.entries.map(\.number) == (read.entries.isEmpty ? [] : Array(1...UInt64(read.entries.count))), "\(what)")
    }
}

/// A small generator with a seed, for damage that is the same each time.
struct SplitMix {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
