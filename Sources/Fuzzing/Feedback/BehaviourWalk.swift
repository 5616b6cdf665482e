import Contracts
import Journaling
import NIOCore
import Wire

/// Goes once through a journal; each message is decoded once.
struct BehaviourWalk {
    private(set) var features = FeatureSet()
    private let contract: Contract
    private let recognizer: Recognizer
    private var sessions: [SessionID: SessionTrack] = [:]
    /// Who spoke last, for the order between users.
    private var lastSpoken: [(user: String, event: UInt64, request: UInt64)] = []
    private var orders = 0
    private static let mostOrders = 256

    init(contract: Contract, recognizer: Recognizer) {
        self.contract = contract
        self.recognizer = recognizer
    }

    mutating func take(_ entry: Entry) {
        guard let id = entry.session else { return }
        // Taken out, so that what it holds is changed in place.
        var track = sessions.removeValue(forKey: id) ?? SessionTrack()
        switch entry.body {
        case .facts(let facts): note(facts, &track)
        case .head(let head): note(head, &track)
        case .became(let became): note(became, &track)
        case .frame(let frame): note(frame, id, &track)
        case .bytes(let bytes) where bytes.passage.direction == .toClient && bytes.passage.in != nil:
            track.event(FeatureHash.join(40, FeatureHash.text(bytes.kind.rawValue)), into: &features)
        case .ended(let end): note(end, &track)
        default: break
        }
        sessions[id] = track
    }

    mutating func finish() {
        for id in sessions.keys.sorted() { sessions[id]?.tellCounts(into: &features) }
    }

    private func note(_ facts: Facts, _ track: inout SessionTrack) {
        guard facts.tap == .serverOut else { return }
        track.user = facts.user ?? track.user
        track.credential = FeatureHash.text(facts.state.rawValue)
    }

    private mutating func note(_ head: HeadRecord, _ track: inout SessionTrack) {
        guard head.passage.direction == .toClient, head.passage.in != nil, let response = try? ResponseHead(head.bytes)
        else { return }
        features.insert(.opening, UInt64(clamping: response.status), track.credential)
    }

    private mutating func note(_ became: Became, _ track: inout SessionTrack) {
        switch became {
        case .accepted(let subprotocol, let deflate):
            track.phase = .open
            features.insert(.opening, 1, track.credential, subprotocol == nil ? 0 : 1, deflate ? 1 : 0)
        case .refused(let status):
            track.phase = .over
            features.insert(.opening, 2, track.credential, UInt64(clamping: status))
        case .opaque: features.insert(.opening, 3)
        }
    }

    private mutating func note(_ end: EndRecord, _ track: inout SessionTrack) {
        if end.side == .server, end.by == .peer {
            features.insert(.end, FeatureHash.text(end.style.rawValue), track.state, track.lastRequest)
        }
        if end.side == .server { track.phase = .over }
    }

    private mutating func note(_ record: FrameRecord, _ id: SessionID, _ track: inout SessionTrack) {
        switch record.passage.direction {
        case .toServer:
            guard record.passage.out != nil, let message = record.message else { return }
            request(message, id, &track)
        case .toClient:
            guard record.passage.in != nil else { return }
            let frame = record.frame
            features.insert(
                .frame, UInt64(frame.firstByte), UInt64(frame.lengthForm.rawValue), frame.maskKey == nil ? 0 : 1)
            guard let message = record.message else { return }
            event(message, id, &track)
        }
    }

    // MARK: Requests

    private mutating func request(_ message: MessageRecord, _ id: SessionID, _ track: inout SessionTrack) {
        guard !message.opcode.isControl, let payload = message.payload else {
            track.request(FeatureHash.join(41, UInt64(message.opcode.rawValue)), value: nil)
            return
        }
        let recognition = recognizer.recognise(payload, opcode: message.opcode, direction: .toServer)
        let token = FeatureHash.join(42, Self.token(of: recognition))
        track.request(token, value: recognition.value)
        track.runs.request(recognition, contract)
        let user = track.user ?? id.description
        tellOrder(user, token, isRequest: true)
        spoke(user) { $0.request = token }
    }

    /// Few different ones, however many ways there are to be wrong.
    private static func token(of recognition: Recognition) -> UInt64 {
        let rule = UInt64(clamping: (recognition.rule ?? -1) + 1)
        switch recognition.outcome {
        case .valid: return FeatureHash.join(rule, 1)
        case .invalid(let phrase): return FeatureHash.join(rule, 2 + (TextTemplate.hash(of: phrase) & 0xff) << 8)
        case .unknown:
            let kind = FeatureHash.text(recognition.value?.kind ?? "")
            return FeatureHash.join(kind, recognition.type == nil ? 3 : 4)
        case .malformed(let phrase): return FeatureHash.join(TextTemplate.hash(of: phrase) & 0x3f, 5)
        case .ignored, .unreadable: return 6
        }
    }

    // MARK: Events

    private mutating func event(_ message: MessageRecord, _ id: SessionID, _ track: inout SessionTrack) {
        if message.opcode == .close { return close(message, &track) }
        guard !message.opcode.isControl, let payload = message.payload else {
            return track.event(FeatureHash.join(43, UInt64(message.opcode.rawValue)), into: &features)
        }
        let recognition = recognizer.recognise(payload, opcode: message.opcode, direction: .toClient)
        let token = FeatureHash.join(44, Self.eventToken(recognition))
        let state = track.state
        track.event(token, into: &features)
        track.runs.event(recognition, contract, token: token, into: &features)
        if track.phase == .open, contract.session?.greeting == nil || contract.session?.greeting == recognition.name {
            track.phase = .greeted
        }
        features.insert(.edge, state, token, track.state)
        features.insert(.size, token, FeatureHash.bucket(payload.readableBytes))
        if let value = recognition.value {
            features.insert(.shape, token, track.shape(of: value))
            tellTexts(value, recognition, token, track)
        }
        let user = track.user ?? id.description
        tellOrder(user, token, isRequest: false)
        spoke(user) { $0.event = token }
    }

    /// An undeclared event is known by its type as the server writes it, less what is a value.
    private static func eventToken(_ recognition: Recognition) -> UInt64 {
        let type = recognition.type.map { TextTemplate.hash(of: $0) } ?? 0
        return FeatureHash.join(type, token(of: recognition))
    }

    /// The texts in an error: which sentence, not about what.
    private mutating func tellTexts(
        _ value: JSON, _ recognition: Recognition, _ token: UInt64, _ track: SessionTrack
    ) {
        guard let name = recognition.name, contract.isError(event: name), case .object(let members) = value else { return }
        let echoes = track.echoes()
        for member in members.prefix(16) {
            guard case .string(let text) = member.value else { continue }
            features.insert(.text, token, FeatureHash.text(member.key), TextTemplate.hash(of: text, without: echoes))
        }
        if let kind = contract.errorKind(of: value) {
            features.insert(.text, token, TextTemplate.hash(of: kind), track.lastRequest, 1)
        }
    }

    private mutating func close(_ message: MessageRecord, _ track: inout SessionTrack) {
        let body = message.payload.map { CloseBody($0) }
        let code = UInt64(body?.code ?? 0)
        features.insert(.close, code, track.state, track.lastRequest)
        features.insert(.close, code, track.phase.rawValue)
        track.event(FeatureHash.join(45, code), into: &features)
        track.phase = .closing
    }

    // MARK: Order between users

    private mutating func spoke(_ user: String, _ set: (inout (user: String, event: UInt64, request: UInt64)) -> Void) {
        var one = (user: user, event: UInt64(0), request: UInt64(0))
        if let known = lastSpoken.firstIndex(where: { $0.user == user }) { one = lastSpoken.remove(at: known) }
        set(&one)
        lastSpoken.append(one)
        if lastSpoken.count > 4 { lastSpoken.removeFirst() }
    }

    /// Another user's event before this request, another user's request before this event.
    private mutating func tellOrder(_ user: String, _ token: UInt64, isRequest: Bool) {
        for other in lastSpoken where other.user != user && orders < Self.mostOrders {
            let before = isRequest ? other.event : other.request
            guard before != 0 else { continue }
            orders += 1
            features.insert(.order, before, token, isRequest ? 1 : 2)
        }
    }
}
