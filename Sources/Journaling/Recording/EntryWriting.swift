import NIOCore
import Wire

/// Keys in their fixed order; what has its usual value is left out.
extension LineWriter {
    mutating func write(_ entry: Entry) {
        write("n", entry.number)
        write("t", entry.instant.nanoseconds)
        if entry.loop != 0 { write("loop", entry.loop) }
        write("seq", entry.sequence)
        if let ref = entry.ref { write("ref", ref: ref) }
        write(entry.body)
    }

    private mutating func write(_ body: Entry.Body) {
        switch body {
        case .opened(let opened):
            kind("opened")
            write("transport", opened.transport.value)
            write("peer", opened.peer)
            if opened.isMadeUp { write("made_up", true) }
            if let fault = opened.fault { write("fault", fault) }
            if let route = opened.route { write("route", route) }
            if let target = opened.target { write("target", target) }
            if !opened.http2.isEmpty { write("http2", opened.http2.map(\.rawValue)) }
        case .head(let head): write(head)
        case .facts(let facts): write(facts)
        case .became(let became): write(became)
        case .frame(let frame): write(frame)
        case .bytes(let bytes): write(bytes)
        case .fault(let fault): write(fault)
        case .limit(let limit):
            kind("limit")
            write("id", limit.id)
            write("detail", limit.detail)
            if let direction = limit.direction { write("dir", word: direction.rawValue) }
        case .hold(let hold):
            kind(hold.isHeld ? "held" : "released")
            write("side", word: hold.side.rawValue)
            write("cause", word: hold.cause.rawValue)
        case .recoded(let recoded):
            kind("recoded")
            write("on", ref: recoded.on)
            write("reason", recoded.reason)
        case .ended(let end): write(end)
        case .closed(let totals):
            kind("closed")
            write("Cin", totals.clientIn)
            write("Sout", totals.serverOut)
            write("Sin", totals.serverIn)
            write("Cout", totals.clientOut)
        case .note(let text):
            kind("note")
            write("note", text)
        case .tick(let crowded):
            kind("tick")
            if crowded > 0 { write("crowded", crowded) }
        }
    }

    private mutating func kind(_ word: String) { write("kind", word: word) }

    private mutating func write(_ passage: Passage) {
        write("dir", word: passage.direction.rawValue)
        if let arrival = passage.in { write("in", arrival.nanoseconds) }
        if let departure = passage.out { write("out", departure.nanoseconds) }
    }

    private mutating func write(_ provenance: Provenance) {
        if let source = provenance.source { write("from", ref: source) }
        if !provenance.faults.isEmpty { write("faults", provenance.faults) }
    }

    private mutating func write(_ head: HeadRecord) {
        kind("head")
        write(head.passage)
        if head.bytes.readableBytes > 0 { write(payload: head.bytes) }
        if head.wireSize != UInt64(clamping: head.bytes.readableBytes) { write("size", head.wireSize) }
        write(head.provenance)
    }

    private mutating func write(_ facts: Facts) {
        kind("facts")
        write("tap", word: facts.tap.rawValue)
        write("user", ifPresent: facts.user)
        if !facts.rivals.isEmpty { write("rivals", facts.rivals) }
        write("place", ifPresent: facts.place)
        write("state", word: facts.state.rawValue)
        if let expires = facts.expires { write("expires", expires) }
        write("tag", ifPresent: facts.tag)
        if !facts.faults.isEmpty { write("faults", facts.faults) }
        if facts.isSecret { write("secret", true) }
    }

    private mutating func write(_ became: Became) {
        switch became {
        case .accepted(let subprotocol, let deflate):
            kind("accepted")
            write("subprotocol", ifPresent: subprotocol)
            write("deflate", deflate)
        case .refused(let status):
            kind("refused")
            write("status", status)
        case .opaque(let reason):
            kind("opaque")
            write("reason", reason)
        }
    }

    private mutating func write(_ record: FrameRecord) {
        kind("frame")
        write(record.passage)
        let frame = record.frame
        write("first", frame.firstByte)
        if frame.lengthForm != LengthForm.shortest(for: frame.declaredLength) { write("form", frame.lengthForm.rawValue) }
        write("len", frame.declaredLength)
        if let key = frame.maskKey { write("mask", hex: key) }
        if frame.payload.readableBytes > 0 { write(payload: frame.payload) }
        if let message = record.message {
            object("msg") { $0.write(message, frame: frame) }
        }
        if record.read != 0 { write("read", record.read) }
        if record.redacted { write("redacted", true) }
        if record.wireSize != FrameRecord.wireSize(of: frame) { write("size", record.wireSize) }
        write(record.provenance)
    }

    private mutating func write(_ message: MessageRecord, frame: Frame) {
        write("n", message.ordinal)
        write("op", message.opcode.rawValue)
        if let payload = message.payload {
            if payload == frame.payload { write("same", true) } else { write(payload: payload) }
        }
        write("unlifted", ifPresent: message.unlifted)
    }

    private mutating func write(_ bytes: BytesRecord) {
        kind("bytes")
        write("of", word: bytes.kind.rawValue)
        write(bytes.passage)
        if bytes.bytes.readableBytes > 0 { write(payload: bytes.bytes) }
        if bytes.wireSize != UInt64(clamping: bytes.bytes.readableBytes) { write("size", bytes.wireSize) }
        write(bytes.provenance)
    }

    private mutating func write(_ fault: FaultRecord) {
        kind("fault")
        write("id", fault.id)
        write("fault", fault.kind)
        write("reach", word: fault.influence.reach.rawValue)
        write("excuses", fault.influence.excuses.map(\.rawValue))
        write("tap", word: fault.tap.rawValue)
        if let on = fault.on { write("on", ref: on) }
        write("detail", fault.detail)
        if !fault.applied { write("applied", false) }
        if fault.held != .zero { write("held", fault.held.nanoseconds) }
        write("partner", ifPresent: fault.partner)
        guard let expect = fault.expect else { return }
        write("expect", expect.what.rawValue)
        if !expect.codes.isEmpty { write("codes", expect.codes.map { "\($0)" }) }
        if let within = expect.within { write("within", within.nanoseconds) }
    }

    private mutating func write(_ end: EndRecord) {
        kind("ended")
        write("side", word: end.side.rawValue)
        write("style", word: end.style.rawValue)
        write("by", word: end.by.rawValue)
        if !end.cause.isEmpty { write("cause", end.cause) }
        if end.undelivered != 0 { write("undelivered", end.undelivered) }
    }
}

extension LengthForm {
    /// The form that RFC 6455 section 5.2 demands for a length.
    static func shortest(for length: UInt64) -> LengthForm { length < 126 ? .seven : length < 65_536 ? .sixteen : .sixtyFour }
}
