package import Journaling
import NIOCore
import Wire

/// Puts other frames between a message's fragments: control frames may stand there, data frames may not (RFC 6455 section 5.4).
package struct Interleave: Fault {
    package static let name = "interleave"
    package static let group = FaultGroup.frame
    package static let summary = "puts frames between the message's fragments"
    package static let excuse = "everything later on that connection, if it was data"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter("what", .choice(["ping", "pong", "text", "binary"]), default: "ping", doc: "what stands between the fragments"),
        Parameter("count", .count, default: "1", range: 1...64, doc: "how many at each border, 1 to 64"),
        Parameter("payload", .text, default: "miswire", doc: "what they carry, at most 125 bytes of it for ping and pong"),
    ]

    private static let opcodes: [String: Opcode] = ["ping": .ping, "pong": .pong, "text": .text, "binary": .binary]

    private let opcode: Opcode
    private let count: Int
    private let payload: ByteBuffer

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        let opcode = reader.text("what").flatMap { Self.opcodes[$0] } ?? .ping
        count = reader.count("count") ?? 1
        let bytes = Array((reader.text("payload") ?? "").utf8)
        payload = ByteBuffer(bytes: opcode.isControl ? bytes.prefix(125) : bytes[...])
        self.opcode = opcode
    }

    package var influence: Influence { opcode.isControl ? .legalFrame : .hostileFrame }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(let message) = parcel else { return .pass }
        var fragments = message.frames(&dice)
        if fragments.count == 1 { fragments = fragments[0].split(at: [fragments[0].payload.readableBytes / 2]) }
        var frames: [Frame] = []
        for (index, fragment) in fragments.enumerated() {
            frames.append(fragment)
            guard index < fragments.count - 1 else { break }
            for _ in 0..<count { frames.append(message.frame(payload, opcode: opcode, &dice)) }
        }
        return .frames(frames, of: message, "\(frames.count - fragments.count) frames between \(fragments.count) fragments")
    }
}
