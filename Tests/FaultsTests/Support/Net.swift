import Contracts
import Journaling
import NIOCore
import Wire

@testable import Faults

/// A shell without sockets: sessions by number, what each side got, and time that only the test moves.
struct Net {
    struct Session {
        var machine: SessionMachine
        var toServer = ByteBuffer()
        var toClient = ByteBuffer()
        var commands: [String] = []
        var entries: [RawEntry] = []
        var wake = Instant.distantFuture
        var label: String?
        var taken = Totals(clientIn: 0, clientOut: 0, serverIn: 0, serverOut: 0)
        /// Sides that read and write nothing any more.
        var gone: Set<Side> = []
        var writes = 0
        /// The session that has its sockets now.
        var heir: SessionID?
        /// Sessions that its faults opened.
        var visits: [SessionID] = []
        var isVisit: Bool { machine.guestBytes != nil }
    }

    var configuration: SessionConfiguration
    /// Which hops speak TLS.
    var hops = TLSHops()
    var sessions: [SessionID: Session] = [:]
    var now = Instant(nanoseconds: 1_000_000)
    /// How many crossings were asked for.
    var crossed = 0
    /// Crossings wait here until `answer`, as for another loop; nil = they are answered at once.
    var unanswered: [Crossing]?
    /// No more connections of faults than that.
    var mostVisits = 64

    init(
        profile: Profile? = nil, seed: UInt64 = 7, limits: Limits = .standard, record: Bool = true,
        contract: Contract? = nil
    ) {
        configuration = SessionConfiguration(
            profile: profile, contract: contract, seed: seed, limits: limits, finder: NameFinder(), record: record)
        configuration.followsExchanges = true
    }

    /// Whoever has the sockets that this session began with.
    func last(_ id: SessionID) -> SessionID { sessions[id]?.heir.map(last) ?? id }

    mutating func open(_ number: UInt32) -> SessionID {
        let id = SessionID(number)
        var machine = SessionMachine(configuration: configuration, id: id)
        machine.hops = hops
        sessions[id] = Session(machine: machine)
        send(.accepted(Opened(transport: TransportID(number), peer: "127.0.0.1:5")), to: id)
        return id
    }

    /// A session whose upgrade is over, by default with everything clean.
    mutating func upgraded(_ number: UInt32, user: String = "", extensions: String? = nil) -> SessionID {
        let id = open(number)
        send(.connected, to: id)
        client(id, Sample.request(user: user, extensions: extensions))
        server(id, Sample.response(extensions: extensions))
        return id
    }

    mutating func client(_ id: SessionID, _ bytes: ByteBuffer) { receive(id, .client, bytes) }
    mutating func client(_ id: SessionID, _ text: String) { receive(id, .client, ByteBuffer(string: text)) }
    mutating func server(_ id: SessionID, _ bytes: ByteBuffer) { receive(id, .server, bytes) }
    mutating func server(_ id: SessionID, _ text: String) { receive(id, .server, ByteBuffer(string: text)) }

    private mutating func receive(_ id: SessionID, _ side: Side, _ bytes: ByteBuffer) {
        let id = last(id)
        guard sessions[id]?.gone.contains(side) == false else { return }
        let count = UInt64(bytes.readableBytes)
        if side == .client { sessions[id]?.taken.clientIn += count } else { sessions[id]?.taken.serverIn += count }
        send(.received(side, bytes), to: id)
    }

    /// Moves time and wakes whoever asked for it.
    mutating func pass(_ duration: Duration) {
        let end = now.advanced(by: duration)
        for _ in 0..<10_000 {
            let due = sessions.filter { $0.value.wake <= end }.min { ($0.value.wake, $0.key) < ($1.value.wake, $1.key) }
            guard let due else { break }
            now = max(now, due.value.wake)
            sessions[due.key]?.wake = .distantFuture
            send(.wake, to: due.key)
        }
        now = end
    }

    mutating func send(_ event: SessionEvent, to id: SessionID) {
        now = now.advanced(by: .nanoseconds(1))
        var output = SessionOutput()
        sessions[id]?.machine.handle(event, at: now, into: &output)
        sessions[id]?.entries += output.entries
        for command in output.commands { perform(command, for: id) }
    }

    private mutating func perform(_ command: SessionCommand, for id: SessionID) {
        switch command {
        case .connect: note(id, "connect")
        case .write(let side, let bytes):
            write(bytes, to: side, of: id)
        case .flush: break
        case .finish(let side): note(id, "finish \(side.rawValue)")
        case .truncate(let side): note(id, "truncate \(side.rawValue)")
        case .secure(let side, let orders): note(id, "secure \(side.rawValue) \(orders)")
        case .close(let side, let style):
            note(id, "close \(side.rawValue) \(style.rawValue)")
            sessions[id]?.gone.insert(side)
        case .reads(let side, let on): note(id, "reads \(side.rawValue) \(on)")
        case .cross(let crossing): cross(crossing)
        case .answer(let crossing, let refused):
            send(
                refused.map { .crossingRefused(crossing, reason: $0) } ?? .crossingTaken(crossing), to: crossing.from)
        case .visit(let visit): open(visit)
        case .rouse: for other in sessions.keys.sorted() where other != id { send(.roused, to: other) }
        case .wake(let instant): sessions[id]?.wake = instant
        case .succeed(let bytes): succeed(id, bytes)
        case .label(let text): sessions[id]?.label = text
        }
    }

    /// Its number is one behind the largest.
    private mutating func open(_ visit: Visit) {
        let isFull = sessions.values.filter(\.isVisit).count >= mostVisits
        let id = SessionID((sessions.keys.max()?.value ?? 0) + 1)
        if isFull { return send(.visited(number: visit.number, nil, refused: "no room"), to: visit.from) }
        sessions[id] = Session(machine: SessionMachine(configuration: configuration, id: id, visit: visit))
        sessions[visit.from]?.visits.append(id)
        send(.visited(number: visit.number, id, refused: nil), to: visit.from)
        send(.accepted(visit.opened(as: id)), to: id)
    }

    private mutating func write(_ bytes: ByteBuffer, to side: Side, of id: SessionID) {
        guard sessions[id]?.gone.contains(side) == false else {
            return send(.undelivered(side, UInt64(bytes.readableBytes)), to: id)
        }
        sessions[id]?.writes += 1
        if side == .client {
            sessions[id]?.toClient.writeImmutableBuffer(bytes)
            sessions[id]?.taken.clientOut += UInt64(bytes.readableBytes)
        } else {
            sessions[id]?.toServer.writeImmutableBuffer(bytes)
            sessions[id]?.taken.serverOut += UInt64(bytes.readableBytes)
        }
    }

    private mutating func succeed(_ id: SessionID, _ bytes: ByteBuffer) {
        guard var taken = sessions[id]?.taken else { return }
        let heir = SessionID(id.value + 100)
        taken.clientIn -= UInt64(bytes.readableBytes)
        sessions[id]?.heir = heir
        sessions[heir] = Session(machine: SessionMachine(configuration: configuration, id: heir))
        send(.closed(taken), to: id)
        send(.resumed(Opened(transport: TransportID(id.value), peer: "127.0.0.1:5")), to: heir)
        client(heir, bytes)
    }

    private mutating func note(_ id: SessionID, _ line: String) { sessions[id]?.commands.append(line) }

    private mutating func cross(_ crossing: Crossing) {
        crossed += 1
        if unanswered != nil {
            unanswered?.append(crossing)
            return
        }
        let others = sessions.filter { $0.key != crossing.from && $0.value.label != nil }.keys.sorted()
        let partner: SessionID?
        switch crossing.selector.partner {
        case .user(let name): partner = others.first { sessions[$0]?.label == name }
        case .session(let id): partner = others.first { $0 == id }
        case .other(let draw): partner = others.isEmpty ? nil : others[Int(draw % UInt64(others.count))]
        }
        guard let partner else { return send(.crossingRefused(crossing, reason: "no partner"), to: crossing.from) }
        var crossing = crossing
        crossing.partner = sessions[partner]?.label
        send(.crossed(crossing), to: partner)
    }

    mutating func answer() {
        let waiting = unanswered ?? []
        unanswered = nil
        for crossing in waiting { cross(crossing) }
    }

    /// What the commands were since the last call.
    mutating func commands(_ id: SessionID) -> [String] {
        defer { sessions[id]?.commands = [] }
        return sessions[id]?.commands ?? []
    }

    mutating func takeServer(_ id: SessionID) -> ByteBuffer {
        defer { sessions[id]?.toServer = ByteBuffer() }
        let later = sessions[id]?.heir.map { takeServer($0) } ?? ByteBuffer()
        return Sample.joined(sessions[id]?.toServer ?? ByteBuffer(), later)
    }

    mutating func takeClient(_ id: SessionID) -> ByteBuffer {
        defer { sessions[id]?.toClient = ByteBuffer() }
        let later = sessions[id]?.heir.map { takeClient($0) } ?? ByteBuffer()
        return Sample.joined(sessions[id]?.toClient ?? ByteBuffer(), later)
    }

    /// Both ends end, the sockets' counts come last, and every session's journal is compared with them.
    mutating func conclude() -> (entries: [Entry], differences: [String]) {
        end()
        return journal(.redacted)
    }

    /// What the journal of that mode leaves unexplained, were it all over now.
    func differences(_ mode: RecordingHeader.Mode) -> [String] {
        var net = self
        net.end()
        return net.journal(mode).differences
    }

    private mutating func end() {
        for id in sessions.keys.sorted() where sessions[id]?.heir == nil {
            if sessions[id]?.isVisit == true { continue }
            if sessions[id]?.gone.contains(.client) == false { send(.ended(.client, .finish), to: id) }
            if sessions[id]?.gone.contains(.server) == false { send(.ended(.server, .finish), to: id) }
            if let taken = sessions[id]?.taken { send(.closed(taken), to: id) }
            for visit in sessions[id]?.visits ?? [] { send(.leave, to: visit) }
        }
        for id in sessions.keys.sorted() where sessions[id]?.isVisit == true {
            if sessions[id]?.gone.contains(.server) == false { send(.ended(.server, .finish), to: id) }
            guard var taken = sessions[id]?.taken, let ours = sessions[id]?.machine.guestBytes else { continue }
            (taken.clientIn, taken.clientOut) = (ours.in, ours.out)
            send(.closed(taken), to: id)
        }
    }

    private func journal(_ mode: RecordingHeader.Mode) -> (entries: [Entry], differences: [String]) {
        let raw = sessions.keys.sorted().flatMap { sessions[$0]?.entries ?? [] }
            .sorted { $0.instant < $1.instant }
        var configuration = Transcriber.Configuration(redactionKey: Array(repeating: 1, count: 16), epochSeconds: 0)
        configuration.mode = mode
        var assembler = JournalAssembler(loops: 1, configuration)
        assembler.push(raw, loop: 0)
        assembler.finish(loop: 0)
        var entries: [Entry] = []
        assembler.drain(into: &entries)
        var ledger = Ledger()
        for entry in entries { ledger.observe(entry) }
        return (entries, ledger.differences.map(\.sentence))
    }

    func faults(_ id: SessionID) -> [FaultRecord] {
        (sessions[id]?.entries ?? []).compactMap { if case .value(.fault(let record)) = $0.body { record } else { nil } }
    }

    func became(_ id: SessionID) -> [Became] {
        (sessions[id]?.entries ?? []).compactMap { if case .value(.became(let became)) = $0.body { became } else { nil } }
    }

    func limits(_ id: SessionID) -> [String] {
        (sessions[id]?.entries ?? []).compactMap { if case .value(.limit(let limit)) = $0.body { limit.id } else { nil } }
    }

    func holds(_ id: SessionID) -> [HoldRecord] {
        (sessions[id]?.entries ?? []).compactMap { if case .value(.hold(let hold)) = $0.body { hold } else { nil } }
    }

    func ends(_ id: SessionID) -> [EndRecord] {
        (sessions[id]?.entries ?? []).compactMap { if case .value(.ended(let end)) = $0.body { end } else { nil } }
    }
}

/// The user stands in `X-User`; the credential is what stands in the usual places.
struct NameFinder: SecretFinder {
    private let standard = StandardSecrets()
    var verificationKey: [UInt8]? { nil }
    var expectsJWT: Bool { false }
    func secrets(inRequest head: HeadView) -> [FoundSecret] { standard.secrets(inRequest: head) }
    func secrets(inResponse head: HeadView) -> [FoundSecret] { [] }
    func secrets(inMessage payload: ByteBuffer, opcode: Opcode, _ direction: Direction) -> [FoundSecret] {
        guard let range = String(buffer: payload).range(of: "secret-token") else { return [] }
        _ = range
        return [FoundSecret(place: "request auth token", value: "secret-token", range: 0..<1, isCredential: true)]
    }
    func users(inRequest head: HeadView, credential: FoundSecret?) -> [String] {
        head.values(of: "x-user").map(head.text)
    }
    func user(inMessage payload: ByteBuffer, credential: FoundSecret) -> String? { nil }
}

extension String {
    fileprivate func range(of word: String) -> Index? {
        indices.first { self[$0...].hasPrefix(word) }
    }
}
