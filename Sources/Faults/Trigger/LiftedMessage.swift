import Contracts
import NIOCore
import Wire

/// A whole message as the triggers see it. The JSON is read at the first question and kept.
final class LiftedMessage {
    let opcode: Opcode
    let payload: ByteBuffer
    private let limits: JSONLimits
    private lazy var json: JSON? = JSON.decode(payload, limits: limits).value

    init(opcode: Opcode, payload: ByteBuffer, limits: JSONLimits) {
        self.opcode = opcode
        self.payload = payload
        self.limits = limits
    }

    func matches(_ pattern: Pattern) -> Bool { json.map { pattern.holds(for: $0) } ?? false }
}
