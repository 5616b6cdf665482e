package import NIOCore
package import Plans
package import Wire

/// A WebSocket client as a function of what arrives: opening handshake, frames, pongs, closing handshake. It owns no
/// socket; whoever drives it writes `Output.bytes` and ends its side when `Output.finish` says so.
package struct ClientMachine: Sendable {
    /// What the upgrade request says besides the fields that RFC 6455 prescribes.
    package struct Opening: Sendable, Equatable {
        /// `127.0.0.1:8080`
        package var host: String
        /// Path and query.
        package var target: String
        package var fields: [(name: String, value: String)]
        package var subprotocols: [String]
        /// As a plan writes them: they replace fields of their names, see `Plan.Verb.connect`.
        package var headers: [Plan.Header]
        package init(
            host: String, target: String, fields: [(name: String, value: String)] = [], subprotocols: [String] = [],
            headers: [Plan.Header] = []
        ) {
            self.host = host
            self.target = target
            self.fields = fields
            self.subprotocols = subprotocols
            self.headers = headers
        }
        package static func == (lhs: Opening, rhs: Opening) -> Bool {
            lhs.host == rhs.host && lhs.target == rhs.target && lhs.subprotocols == rhs.subprotocols
                && lhs.headers == rhs.headers
                && lhs.fields.elementsEqual(rhs.fields) { $0.name == $1.name && $0.value == $1.value }
        }
    }

    package enum Event: Sendable, Equatable {
        /// The server's 101, checked.
        case accepted(subprotocol: String?)
        case refused(status: Int)
        case message(Opcode, ByteBuffer)
        /// The server's Close; nil when it carries no code.
        case close(code: UInt16?, reason: String)
        /// What came is no WebSocket: one phrase. Nothing is read any more.
        case broken(String)
    }

    package struct Output: Sendable {
        package var events: [Event] = []
        package var bytes = ByteBuffer()
        /// End our side of the transport behind `bytes`.
        package var finish = false
        package init() {}
    }

    private enum Phase: Sendable, Equatable { case idle, answering, open, over }

    private let opening: Opening
    private var dice: WireDice
    private var offer = UpgradeOffer(fields: [])
    private var head = HeadParser(.response)
    private var parser = FrameParser()
    private var assembler = MessageAssembler(.toClient)
    private var legality = FrameLegality(.toClient)
    private var phase = Phase.idle
    private var sentClose = false

    package init(_ opening: Opening, dice: WireDice) {
        self.opening = opening
        self.dice = dice
    }

    /// Messages may be sent.
    package var isOpen: Bool { phase == .open && !sentClose }

    /// The upgrade request; sent first, once.
    package mutating func open() -> ByteBuffer {
        phase = .answering
        offer = UpgradeOffer(opening, key: AcceptKey.base64(dice.bytes(16)))
        var text = "GET \(opening.target) HTTP/1.1\r\n"
        for field in offer.fields { text += "\(field.name): \(field.value)\r\n" }
        return ByteBuffer(string: text + "\r\n")
    }

    package mutating func receive(_ bytes: ByteBuffer, into output: inout Output) {
        switch phase {
        case .idle, .over: return
        case .answering:
            head.feed(bytes)
            answer(&output)
        case .open:
            parser.feed(bytes)
            frames(&output)
        }
    }

    private mutating func answer(_ output: inout Output) {
        while phase == .answering {
            switch head.next() {
            case .partial: return
            case .notHTTP(let reason): fail("the server's answer is no HTTP: \(reason)", &output)
            case .refused(let refusal): fail("the server's answer is malformed: \(refusal.detail)", &output)
            case .request: fail("the server sent a request", &output)
            case .response(let response):
                if response.isInterim { continue }
                guard response.status == 101 else {
                    phase = .over
                    output.events.append(.refused(status: response.status))
                    return
                }
                if let problem = offer.problem(of: response) {
                    return fail("the server's 101 is wrong: \(problem)", &output)
                }
                phase = .open
                output.events.append(.accepted(subprotocol: response.subprotocol))
                parser.feed(head.takeHeld())
                frames(&output)
            }
        }
    }

    private mutating func frames(_ output: inout Output) {
        while phase == .open {
            switch parser.next() {
            case .partial: return
            case .oversize(let header): fail("a frame of \(header.declaredLength) bytes", &output)
            case .piece: fail("bytes of no frame", &output)
            case .illegal(_, let violation): fail("an illegal frame: \(violation.detail)", &output)
            case .frame(let frame, _):
                if let violation = legality.violations(of: frame).first {
                    return fail("an illegal frame: \(violation.detail)", &output)
                }
                if let message = assembler.take(frame) { take(message, &output) }
            }
        }
    }

    private mutating func take(_ message: AssembledMessage, _ output: inout Output) {
        guard let payload = message.payload else {
            return fail("a message that cannot be read: \(message.unlifted ?? "no reason")", &output)
        }
        switch message.opcode {
        case .ping: if !sentClose { write(.pong, payload, &output) }
        case .pong: break
        case .close:
            let body = CloseBody(payload)
            output.events.append(.close(code: body.code, reason: body.reason ?? ""))
            if !sentClose {
                sentClose = true
                write(.close, body.code == nil ? ByteBuffer() : CloseBody(code: body.code ?? 1000).payload, &output)
            }
            phase = .over
            output.finish = true
        default: output.events.append(.message(message.opcode, payload))
        }
    }

    private mutating func fail(_ reason: String, _ output: inout Output) {
        if phase == .open, !sentClose {
            sentClose = true
            write(.close, CloseBody(code: 1002).payload, &output)
        }
        phase = .over
        output.finish = true
        output.events.append(.broken(reason))
    }

    /// One message in one frame.
    package mutating func send(_ opcode: Opcode, _ payload: ByteBuffer, into output: inout Output) {
        guard isOpen else { return }
        write(opcode, payload, &output)
    }

    /// Begins the closing handshake; the code is written as it is, legal or not.
    package mutating func close(code: UInt16, reason: String, into output: inout Output) {
        guard isOpen else { return }
        sentClose = true
        write(.close, CloseBody(code: code, reason: reason).payload, &output)
    }

    /// Frames as they are, legal or not, whatever has been said before. A whole Close is ours: none is sent again.
    package mutating func write(_ frames: [Frame], into output: inout Output) {
        for frame in frames {
            FrameWriter.write(frame, into: &output.bytes)
            let isTrue = frame == Frame(fin: true, opcode: .close, maskKey: frame.maskKey, payload: frame.payload)
            if phase == .open, isTrue { sentClose = true }
        }
    }

    package mutating func drawMask() -> UInt32 { dice.word() }

    private mutating func write(_ opcode: Opcode, _ payload: ByteBuffer, _ output: inout Output) {
        FrameWriter.write(Frame(opcode: opcode, maskKey: dice.word(), payload: payload), into: &output.bytes)
    }
}
