import NIOCore
import Wire

/// Fields are asked for in the order of `EntryWriting`.
extension LineFields {
    mutating func entry() throws(RecordingError) -> Entry {
        let number = try integer("n", as: UInt64.self)
        let instant = Instant(nanoseconds: try integer("t"))
        let loop = try integerIfPresent("loop", as: UInt16.self) ?? 0
        let sequence = try integer("seq", as: UInt64.self)
        let ref = try refIfPresent("ref")
        let body = try body()
        try finish()
        return Entry(number: number, instant: instant, loop: loop, sequence: sequence, ref: ref, body: body)
    }

    private mutating func body() throws(RecordingError) -> Entry.Body {
        // Most are.
        if takes("kind", #""frame""#) { return .frame(try frame()) }
        let kind = try string("kind")
        switch kind {
        case "frame": return .frame(try frame())
        case "opened":
            return .opened(
                Opened(
                    transport: TransportID(try integer("transport")), peer: try string("peer"), isMadeUp: try flag("made_up"),
                    fault: try stringIfPresent("fault"), route: try stringIfPresent("route"),
                    target: try stringIfPresent("target"), http2: try sides("http2")))
        case "head": return .head(try head())
        case "facts": return .facts(try facts())
        case "accepted":
            return .became(.accepted(subprotocol: try stringIfPresent("subprotocol"), deflate: try flag("deflate")))
        case "refused": return .became(.refused(status: try integer("status")))
        case "opaque": return .became(.opaque(try string("reason")))
        case "bytes": return .bytes(try bytes())
        case "fault": return .fault(try fault())
        case "limit":
            return .limit(
                LimitRecord(id: try string("id"), detail: try string("detail"), direction: try wordIfPresent("dir")))
        case "held", "released":
            return .hold(HoldRecord(side: try word("side"), isHeld: kind == "held", cause: try word("cause")))
        case "recoded": return .recoded(Recoded(on: try ref("on"), reason: try string("reason")))
        case "ended": return .ended(try end())
        case "closed":
            let (clientIn, serverOut) = (try integer("Cin", as: UInt64.self), try integer("Sout", as: UInt64.self))
            let serverIn = try integer("Sin", as: UInt64.self)
            return .closed(
                Totals(clientIn: clientIn, clientOut: try integer("Cout"), serverIn: serverIn, serverOut: serverOut))
        case "note": return .note(try string("note"))
        case "usage": return .target(.usage(try usage()))
        case "sentinel": return .target(.sentinel(user: try string("user")))
        case "calibrated": return .target(.calibrated(.nanoseconds(try integer("p999", as: Int64.self))))
        case "gone": return .target(.gone(try string("how")))
        case "tick": return .tick(crowded: try integerIfPresent("crowded") ?? 0)
        default:
            throw wrong(
                "kind",
                expected: "one of opened, head, facts, accepted, refused, opaque, frame, bytes, fault, limit, held, "
                    + "released, recoded, ended, closed, note, usage, sentinel, calibrated, gone, tick",
                found: .string(kind))
        }
    }

    private mutating func usage() throws(RecordingError) -> TargetUsage {
        TargetUsage(
            memory: try integer("memory"), peak: try integerIfPresent("peak"), descriptors: try integerIfPresent("fds"),
            threads: try integerIfPresent("threads"), connections: try integerIfPresent("connections"),
            sessions: try integer("sessions"), isQuiet: try flag("quiet"))
    }

    private mutating func sides(_ key: StaticString) throws(RecordingError) -> [Side] {
        var sides: [Side] = []
        for name in try strings(key) {
            guard let side = Side(rawValue: name) else { throw wrong(key, expected: "words of client, server", found: .string(name)) }
            sides.append(side)
        }
        return sides
    }

    private mutating func ref(_ key: StaticString) throws(RecordingError) -> EntryRef {
        guard let ref = try refIfPresent(key) else {
            throw wrong(key, expected: "a session and an ordinal such as s31.12", found: nil)
        }
        return ref
    }

    private mutating func passage() throws(RecordingError) -> Passage {
        let direction: Direction
        if takes("dir", #""toServer""#) {
            direction = .toServer
        } else if takes("dir", #""toClient""#) {
            direction = .toClient
        } else {
            direction = try word("dir")
        }
        return Passage(direction, in: try instantIfPresent("in"), out: try instantIfPresent("out"))
    }

    private mutating func provenance() throws(RecordingError) -> Provenance {
        Provenance(source: try refIfPresent("from"), faults: try strings("faults"))
    }

    private mutating func head() throws(RecordingError) -> HeadRecord {
        let (passage, bytes) = (try passage(), try payloadIfPresent() ?? ByteBuffer())
        let size = try integerIfPresent("size", as: UInt64.self)
        return HeadRecord(passage: passage, bytes: bytes, provenance: try provenance(), wireSize: size)
    }

    private mutating func facts() throws(RecordingError) -> Facts {
        Facts(
            tap: try word("tap"), user: try stringIfPresent("user"), rivals: try strings("rivals"),
            place: try stringIfPresent("place"),
            state: try word("state"), expires: try integerIfPresent("expires"),
            lasts: try integerIfPresent("lasts", as: Int64.self).map { .nanoseconds($0) }, tag: try stringIfPresent("tag"),
            faults: try strings("faults"), isSecret: try flag("secret"))
    }

    private mutating func frame() throws(RecordingError) -> FrameRecord {
        let passage = try passage()
        let first = try integer("first", as: UInt8.self)
        let form = try form()
        let length = try integer("len", as: UInt64.self)
        let (mask, payload) = (try mask(), try payloadIfPresent() ?? ByteBuffer())
        let message = try objectIfPresent("msg") { fields throws(RecordingError) in try fields.message(of: payload) }
        let frame = Frame(
            firstByte: first, lengthForm: form ?? .shortest(for: length), declaredLength: length, maskKey: mask, payload: payload)
        let (read, isRedacted) = (try integerIfPresent("read", as: UInt32.self) ?? 0, try flag("redacted"))
        let size = try integerIfPresent("size", as: UInt64.self)
        return FrameRecord(
            passage: passage, frame: frame, message: message, provenance: try provenance(), read: read, redacted: isRedacted,
            wireSize: size ?? FrameRecord.wireSize(of: frame))
    }

    private mutating func form() throws(RecordingError) -> LengthForm? {
        guard let number = try integerIfPresent("form", as: UInt8.self) else { return nil }
        guard let form = LengthForm(rawValue: number) else {
            throw wrong("form", expected: "7, 16 or 64", found: .number("\(number)"))
        }
        return form
    }

    private mutating func mask() throws(RecordingError) -> UInt32? {
        guard let text = try stringIfPresent("mask") else { return nil }
        guard text.utf8.count == 8, text.first != "+", let key = UInt32(text, radix: 16) else {
            throw wrong("mask", expected: "8 hex digits", found: .string(text))
        }
        return key
    }

    /// - Parameter frame: what it carries.
    private mutating func message(of frame: ByteBuffer) throws(RecordingError) -> MessageRecord {
        let ordinal = try integer("n", as: UInt32.self)
        let opcode = try integer("op", as: UInt8.self)
        let payload = try flag("same") ? frame : try payloadIfPresent()
        return MessageRecord(
            opcode: Opcode(rawValue: opcode), payload: payload, unlifted: try stringIfPresent("unlifted"), ordinal: ordinal)
    }

    private mutating func bytes() throws(RecordingError) -> BytesRecord {
        let kind = try word("of", as: BytesRecord.Kind.self)
        let (passage, bytes) = (try passage(), try payloadIfPresent() ?? ByteBuffer())
        let size = try integerIfPresent("size", as: UInt64.self)
        return BytesRecord(passage: passage, kind: kind, bytes: bytes, provenance: try provenance(), wireSize: size)
    }

    private mutating func fault() throws(RecordingError) -> FaultRecord {
        let id = try string("id")
        let kind = try string("fault")
        let reach = try word("reach", as: Influence.Reach.self)
        var excuses: [Influence.Excuse] = []
        for name in try strings("excuses") {
            guard let excuse = Influence.Excuse(rawValue: name) else {
                let words = Influence.Excuse.allCases.map { $0.rawValue }.joined(separator: ", ")
                throw wrong("excuses", expected: "words of \(words)", found: .string(name))
            }
            excuses.append(excuse)
        }
        return FaultRecord(
            id: id, kind: kind, influence: Influence(reach, excuses), tap: try word("tap"), on: try refIfPresent("on"),
            detail: try string("detail"), applied: try flag("applied", default: true),
            held: .nanoseconds(try integerIfPresent("held", as: Int64.self) ?? 0), partner: try stringIfPresent("partner"),
            expect: try expectation())
    }

    private mutating func expectation() throws(RecordingError) -> Expectation? {
        let what = try wordIfPresent("expect", as: Expectation.What.self)
        var codes: [Int] = []
        for text in try strings("codes") {
            guard let code = Int(text) else { throw wrong("codes", expected: "close codes such as 1008", found: .string(text)) }
            codes.append(code)
        }
        let within = try integerIfPresent("within", as: Int64.self)
        return what.map { what in Expectation(what: what, codes: codes, within: within.map { .nanoseconds($0) }) }
    }

    private mutating func end() throws(RecordingError) -> EndRecord {
        EndRecord(
            side: try word("side"), style: try word("style"), by: try word("by"), cause: try stringIfPresent("cause") ?? "",
            undelivered: try integerIfPresent("undelivered") ?? 0)
    }
}
