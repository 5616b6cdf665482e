package import Contracts
package import Plans
import NIOCore
import Wire

/// What is known of a message of a plan before it is sent: how the contract reads it, and what is owed to it whatever
/// happened before. Values that the server makes are unknown here, so a rule about state or foreign ids says nothing.
package struct StaticLabels: Sendable {
    private let recognizer: Recognizer
    private let labeler: Labeler

    package init(_ workshop: Workshop) {
        recognizer = workshop.recognizer
        labeler = workshop.labeler
    }

    /// How the contract reads it; nil for steps that send no single message.
    package func recognise(_ verb: Plan.Verb) -> Recognition? {
        guard let (payload, opcode) = Self.sample(verb) else { return nil }
        return recognizer.recognise(payload, opcode: opcode, direction: .toServer)
    }

    /// Stateful rules leave it at may-accept.
    package func label(_ verb: Plan.Verb) -> Label {
        guard let read = recognise(verb) else { return .mayAccept }
        return label(read)
    }

    package func label(_ read: Recognition) -> Label {
        let label = labeler.label(read, in: Nowhere())
        if case .mustReject(_, stateful: true) = label { return .mayAccept }
        return label
    }

    /// The message with something in every place, and its opcode.
    private static func sample(_ verb: Plan.Verb) -> (ByteBuffer, Opcode)? {
        switch verb {
        case .send(let json): filled(try? PlanTemplate(json: json)).map { (ByteBuffer(string: $0), .text) }
        case .sendText(let text): filled(PlanTemplate(text: text)).map { (ByteBuffer(string: $0), .text) }
        case .sendBytes(let bytes): frame(bytes)
        default: nil
        }
    }

    /// The text that such a step sends, as far as it can be known; nil for steps that send no text.
    static func filled(_ verb: Plan.Verb, user: String) -> String? {
        let template: PlanTemplate?
        switch verb {
        case .send(let json): template = try? PlanTemplate(json: json)
        case .sendText(let text): template = PlanTemplate(text: text)
        default: return nil
        }
        return try? template?.render(value: { _ in .string("x") }, variable: { $0 == .user ? user : sample(of: $0) })
    }

    private static func filled(_ template: PlanTemplate?) -> String? {
        try? template?.render(value: { _ in .string("x") }, variable: sample)
    }

    /// Of the form that ours have: the contract knows its flows by it.
    private static func sample(of variable: Variable) -> String {
        switch variable {
        case .user, .credential: "x"
        case .canary: "mwc-abcdefghijkl"
        case .uuid: "00000000-0000-4000-8000-000000000001"
        case .n: "1"
        case .now: "1700000000"
        }
    }

    private static func frame(_ bytes: [UInt8]) -> (ByteBuffer, Opcode)? {
        var parser = FrameParser()
        parser.feed(ByteBuffer(bytes: bytes))
        guard case .frame(let frame, _) = parser.next(), frame.fin, frame.rsv == 0, frame.maskKey != nil,
            frame.opcode == .text || frame.opcode == .binary,
            frame.opcode == .binary || String(validating: frame.payload.readableBytesView, as: UTF8.self) != nil
        else { return nil }
        return (frame.payload, frame.opcode)
    }

    private struct Nowhere: LabelContext {
        var isReady: Bool { true }
        func hasSeen(_ name: MessageName) -> Bool { false }
        func isRunOpen(key: JSON?) -> Bool { false }
        func isForeign(_ path: Path, _ value: JSON) -> Bool { false }
    }
}
