import Captures
import Foundation
import Journaling
import NIOCore
import Testing
import Wire

/// A sink that keeps what an importer passed on, and reads the messages out of the bytes again.
final class MessageLog: ConnectionSink {
    struct Message: Equatable, CustomStringConvertible {
        var side: Side
        var opcode: Opcode
        var payload: [UInt8]
        init(_ side: Side, _ opcode: Opcode, _ payload: [UInt8]) {
            self.side = side
            self.opcode = opcode
            self.payload = payload
        }
        init(_ side: Side, _ text: String) { self.init(side, .text, Array(text.utf8)) }
        var description: String { "\(side) \(opcode.rawValue) \(String(decoding: payload, as: UTF8.self))" }
    }
    struct Lane {
        var connection: Connection
        var heads: [Side: String] = [:]
        var messages: [Message] = []
        var times: [WallTime] = []
        var notes: [String] = []
        var isGone = false
        fileprivate var held: [Side: ByteBuffer] = [:]
        fileprivate var parsers: [Side: FrameParser] = [:]
    }
    private(set) var lanes: [Lane] = []
    private(set) var notes: [String] = []
    /// Every event's time, in the order in which they came.
    private(set) var times: [WallTime] = []

    subscript(_ id: Connection.ID) -> Lane? { lanes.first { $0.connection.id == id } }
    var allNotes: [String] { notes + lanes.flatMap(\.notes) }

    private func place(_ id: Connection.ID) throws(ImportError) -> Int {
        guard let place = lanes.firstIndex(where: { $0.connection.id == id }) else {
            throw ImportError(place: "test", sentence: "connection \(id) was never opened")
        }
        #expect(!lanes[place].isGone, "nothing may come behind gone")
        return place
    }

    func opened(_ connection: Connection, at time: WallTime) throws(ImportError) {
        #expect(self[connection.id] == nil)
        times.append(time)
        lanes.append(Lane(connection: connection))
    }

    func bytes(_ id: Connection.ID, from side: Side, _ bytes: ByteBuffer, at time: WallTime) throws(ImportError) {
        times.append(time)
        let index = try place(id)
        var held = lanes[index].held[side] ?? ByteBuffer()
        held.writeImmutableBuffer(bytes)
        if lanes[index].heads[side] == nil {
            let text = String(buffer: held)
            guard let end = text.range(of: "\r\n\r\n") else {
                lanes[index].held[side] = held
                return
            }
            let head = String(text[..<end.upperBound])
            lanes[index].heads[side] = head
            held.moveReaderIndex(forwardBy: head.utf8.count)
        }
        var parser = lanes[index].parsers[side] ?? FrameParser()
        parser.feed(held)
        lanes[index].held[side] = ByteBuffer()
        while case .frame(let frame, _) = parser.next() {
            #expect((frame.maskKey != nil) == (side == .client) && frame.fin)
            lanes[index].messages.append(Message(side, frame.opcode, Array(frame.payload.readableBytesView)))
            lanes[index].times.append(time)
        }
        lanes[index].parsers[side] = parser
    }

    func gap(_ id: Connection.ID, from side: Side, count: UInt64, at time: WallTime) throws(ImportError) { _ = try place(id) }
    func ended(_ id: Connection.ID, from side: Side, _ style: EndStyle, at time: WallTime) throws(ImportError) { _ = try place(id) }
    func gone(_ id: Connection.ID, at time: WallTime) throws(ImportError) {
        times.append(time)
        let index = try place(id)
        lanes[index].isGone = true
    }
    func note(_ id: Connection.ID?, _ sentence: String) throws(ImportError) {
        guard let id else { return notes.append(sentence) }
        let index = try place(id)
        lanes[index].notes.append(sentence)
    }
}

enum CaptureVector {
    static func path(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Vectors/" + name).path
    }

    static func read(_ name: String) throws -> [UInt8] { try Folder.read(path(name)) }

    /// What an importer makes of a file, its error included.
    static func run(
        _ importer: any Importer.Type, _ path: String, chunk: Int = 256 << 10
    ) -> (log: MessageLog, result: Result<ImportSummary, ImportError>) {
        let log = MessageLog()
        do throws(ImportError) {
            let summary = try importer.read([path], options: ImportOptions(chunk: chunk), into: log)
            return (log, .success(summary))
        } catch {
            return (log, .failure(error))
        }
    }
}
