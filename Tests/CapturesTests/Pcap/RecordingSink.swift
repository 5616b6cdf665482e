import Journaling
import NIOCore
import Wire

@testable import Captures

/// Remembers what an importer told, neighbouring bytes of one side joined, so that where reads were cut does not show.
final class RecordingSink: ConnectionSink {
    struct Story: Equatable {
        var client = ""
        var server = ""
        var isWhole = true
        /// `c:GET /`, `s:hello`, `c gap 5`, `c finish`, `gone`
        var events: [String] = []
        var times: [WallTime] = []
        var clientBytes: [UInt8] = []
        var serverBytes: [UInt8] = []

        /// What of it breaks the contract of `ConnectionSink`.
        var broken: String? {
            var over: Set<Character> = []
            for event in events {
                guard over.count < 3 else { return "\(event) behind the end" }
                if event == "gone" {
                    over = ["c", "s", "."]
                } else if let side = event.first {
                    if over.contains(side) { return "\(event) behind this side's end" }
                    if event.hasSuffix(" reset") { over = ["c", "s"] }
                    if event.hasSuffix(" finish") { over.insert(side) }
                }
            }
            return over.isSuperset(of: ["c", "s"]) ? nil : "neither over nor gone"
        }
    }
    var stories: [UInt64: Story] = [:]
    var notes: [String] = []
    var last: WallTime = .min
    var isOrdered = true

    var only: Story {
        stories.count == 1 ? stories.values.first ?? Story() : Story(client: "\(stories.count) connections")
    }
    var events: [String] { only.events }

    private func add(_ id: UInt64, _ event: String, _ time: WallTime) {
        if time < last { isOrdered = false }
        last = max(last, time)
        stories[id, default: Story(client: "never opened")].events.append(event)
        stories[id, default: Story()].times.append(time)
    }

    func opened(_ connection: Connection, at time: WallTime) {
        assert(stories[connection.id] == nil)
        stories[connection.id] = Story(
            client: connection.client, server: connection.server, isWhole: connection.isWhole)
    }
    func bytes(_ id: Connection.ID, from side: Side, _ bytes: ByteBuffer, at time: WallTime) {
        let text = String(decoding: bytes.readableBytesView, as: UTF8.self)
        let mark = side == .client ? "c:" : "s:"
        if side == .client {
            stories[id]?.clientBytes += Array(bytes.readableBytesView)
        } else {
            stories[id]?.serverBytes += Array(bytes.readableBytesView)
        }
        if let previous = stories[id]?.events.last, previous.hasPrefix(mark) {
            stories[id]?.events.removeLast()
            stories[id]?.times.removeLast()
            add(id, previous + text, time)
        } else {
            add(id, mark + text, time)
        }
    }
    func gap(_ id: Connection.ID, from side: Side, count: UInt64, at time: WallTime) {
        add(id, "\(side == .client ? "c" : "s") gap \(count)", time)
    }
    func ended(_ id: Connection.ID, from side: Side, _ style: EndStyle, at time: WallTime) {
        add(id, "\(side == .client ? "c" : "s") \(style.rawValue)", time)
    }
    func gone(_ id: Connection.ID, at time: WallTime) { add(id, "gone", time) }
    func note(_ id: Connection.ID?, _ sentence: String) { notes.append(sentence) }
}

/// Reads a capture given as bytes.
func lift(
    _ file: [UInt8], filter: String? = nil, limits: Limits = .standard, chunk: Int = 4 << 20
) throws -> (sink: RecordingSink, summary: ImportSummary) {
    let folder = try Folder()
    try folder.write("chat.pcap", file)
    let sink = RecordingSink()
    let summary = try PcapImporter.read(
        [folder["chat.pcap"]], options: ImportOptions(filter: filter, limits: limits, chunk: chunk), into: sink)
    return (sink, summary)
}

func lift(_ packets: [TestPacket], limits: Limits = .standard) throws -> RecordingSink {
    try lift(pcapFile(packets), limits: limits).sink
}
