package import Contracts
package import Journaling
package import NIOCore
package import Plans
import ProxyRuntime
import Wire

/// Plays the server side of a recording as a function of what arrives: each connection takes the part of the server in
/// one recorded session, waits for what the recorded client said and answers as recorded.
package struct ServingMachine: Sendable {
    package enum Event: Sendable {
        case opened(Int)
        case received(Int, ByteBuffer)
        case ended(Int)
        case wake
        /// No more is waited for.
        case stop
    }
    package enum Command: Sendable {
        case write(Int, ByteBuffer)
        /// End our side behind what was written.
        case finish(Int)
        case wake(at: Instant)
        /// Every recorded session has been played to its end.
        case over
    }
    package struct Settings: Sendable {
        package var contract: Contract?
        /// How much of the recorded pauses is kept.
        package var pace = 1.0
        /// How long a recorded message is waited for once a later one came, or once nothing is left to say.
        package var patience = Duration.seconds(5)
        package var recordedEpoch: Int64?
        package var nowEpoch: Int64?
        package init(contract: Contract?) { self.contract = contract }
    }
    enum Phase: Sendable { case head, open, closing, over }
    struct Peer: Sendable {
        var openedAt: Instant
        var phase = Phase.head
        var head = HeadParser(.request)
        var parser = FrameParser()
        var assembler = MessageAssembler(.toServer)
        var legality = FrameLegality(.toServer)
        var script: Int?
        var sentClose = false
    }

    /// Recorded sessions without an answer to their upgrade: nobody can give it.
    package let left: [SessionID]
    let settings: Settings
    let finder: ContractSecrets?
    var scripts: [ServingScript]
    var matcher: RequestMatcher
    var peers: [Int: Peer] = [:]
    /// What no recorded session explains.
    package var strangers: [String] = []
    var commands: [Command] = []
    var isOver = false
    var alarms: [Instant] = []

    package init(_ entries: [Entry], _ settings: Settings) {
        self.settings = settings
        var reader = TalkReader(contract: settings.contract, at: .client)
        for entry in entries { reader.take(entry) }
        let all = reader.finish()
        let talks = all.filter { $0.answer != .none }
        left = all.filter { $0.answer == .none }.map(\.session)
        scripts = talks.map { ServingScript($0) }
        matcher = RequestMatcher(
            contract: settings.contract, recorded: talks, recordedEpoch: settings.recordedEpoch, nowEpoch: settings.nowEpoch)
        finder = settings.contract.map { ContractSecrets($0, key: nil) }
    }

    package var count: Int { scripts.count }
    package var results: [SessionComparison] { scripts.map(\.result) }

    package mutating func handle(_ event: Event, at now: Instant, into output: inout [Command]) {
        switch event {
        case .opened(let id): peers[id] = Peer(openedAt: now)
        case .received(let id, let bytes): received(bytes, id, now)
        case .ended(let id): ended(id, now)
        case .wake: break
        case .stop: stop(now)
        }
        alarms = []
        for id in peers.keys.sorted() { advance(id, now) }
        if !isOver, scripts.allSatisfy(\.isOver) {
            isOver = true
            commands.append(.over)
        }
        if let soonest = alarms.min(), !isOver { commands.append(.wake(at: soonest)) }
        output += commands
        commands.removeAll(keepingCapacity: true)
    }

    private mutating func stop(_ now: Instant) {
        for index in scripts.indices {
            let opened = scripts[index].connection.flatMap { peers[$0]?.openedAt }
            scripts[index].conclude(at: now, opened: opened)
        }
        for id in peers.keys.sorted() { commands.append(.finish(id)) }
        isOver = true
        commands.append(.over)
    }

    private mutating func ended(_ id: Int, _ now: Instant) {
        guard let peer = peers.removeValue(forKey: id) else { return }
        if let script = peer.script { scripts[script].conclude(at: now, opened: peer.openedAt) }
        commands.append(.finish(id))
    }

    private mutating func received(_ bytes: ByteBuffer, _ id: Int, _ now: Instant) {
        guard var peer = peers[id] else { return }
        switch peer.phase {
        case .head:
            peer.head.feed(bytes)
            peers[id] = peer
            readHead(id, now)
        case .open, .closing:
            peer.parser.feed(bytes)
            peers[id] = peer
            readFrames(id, now)
        case .over: break
        }
    }

    // The upgrade

    private mutating func readHead(_ id: Int, _ now: Instant) {
        guard var peer = peers[id] else { return }
        let result = peer.head.next()
        peers[id] = peer
        switch result {
        case .partial: return
        case .request(let head):
            if let problem = head.upgradeProblem { return refuse(id, 400, "no WebSocket upgrade: \(problem)") }
            upgrade(head, id, now)
        case .notHTTP(let reason): refuse(id, 400, "no HTTP: \(reason)")
        case .refused(let refusal): refuse(id, refusal.status, refusal.detail)
        case .response: refuse(id, 400, "a response")
        }
    }

    /// A connection that no recorded session explains.
    private mutating func refuse(_ id: Int, _ status: Int, _ why: String) {
        // Whoever only looks whether anybody listens is no client.
        if strangers.count < 1_000 { strangers.append(why) }
        send("HTTP/1.1 \(status) Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", id)
        finish(id)
    }

    private mutating func send(_ text: String, _ id: Int) { commands.append(.write(id, ByteBuffer(string: text))) }

    private mutating func finish(_ id: Int) {
        peers[id]?.phase = .over
        commands.append(.finish(id))
    }

    private mutating func upgrade(_ head: RequestHead, _ id: Int, _ now: Instant) {
        let view = HeadView(head.bytes)
        let credential = finder?.secrets(inRequest: view).first { $0.isCredential }
        let user = finder?.user(inRequest: view, credential: credential)
        guard let index = claim(user: user, path: head.path) else {
            let who = user.map { "\($0) " } ?? ""
            return refuse(id, 503, "\(who)connects to \(head.path) and every recorded session has its client")
        }
        peers[id]?.script = index
        scripts[index].connection = id
        scripts[index].lastAt = now
        matcher.learn(user: scripts[index].talk.user, now: user)
        if head.path != scripts[index].talk.path {
            differ(.changed, .upgrade, "upgrade", "the path is \(head.path), was \(scripts[index].talk.path)", index)
        }
        switch scripts[index].talk.answer {
        case .refused(let status):
            send(Self.refusal(status, as: scripts[index].talk.response), id)
            finish(id)
            scripts[index].conclude(at: now, opened: now)
        case .accepted(let subprotocol): accept(head, subprotocol, id, index, now)
        case .none: break
        }
    }

    /// The recorded answer without its body.
    private static func refusal(_ status: Int, as recorded: ByteBuffer?) -> String {
        let head = recorded.flatMap { try? ResponseHead($0) }
        var text = "HTTP/1.1 \(status) \(head?.reason ?? "Refused")\r\n"
        let own: Set = ["content-length", "transfer-encoding", "connection"]
        for field in head?.fields ?? [] where !own.contains(field.name.lowercased()) { text += "\(field.name): \(field.value)\r\n" }
        return text + "Connection: close\r\nContent-Length: 0\r\n\r\n"
    }

    private mutating func accept(_ head: RequestHead, _ subprotocol: String?, _ id: Int, _ index: Int, _ now: Instant) {
        var text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        text += "Sec-WebSocket-Accept: \(AcceptKey.compute(head.value("sec-websocket-key") ?? ""))\r\n"
        if let subprotocol {
            // A redacted one stood for a credential: what the client offers in its place is taken.
            let offered = head.subprotocols.map(\.value)
            if let taken = offered.first(where: { $0 == subprotocol }) ?? (subprotocol.contains("‹") ? offered.last : nil) {
                text += "Sec-WebSocket-Protocol: \(taken)\r\n"
            } else {
                differ(.changed, .upgrade, "upgrade", "the client does not offer subprotocol \(subprotocol)", index)
            }
        }
        send(text + "\r\n", id)
        peers[id]?.phase = .open
        guard var peer = peers[id] else { return }
        peer.parser.feed(peer.head.takeHeld())
        peers[id] = peer
        readFrames(id, now)
    }

    /// The first session without a client: of this user and path, of this user, of this path, any.
    private func claim(user: String?, path: String) -> Int? {
        let free = scripts.indices.filter { scripts[$0].connection == nil && !scripts[$0].isOver }
        let ranked = free.map { index -> (rank: Int, index: Int) in
            let talk = scripts[index].talk
            let isUser = talk.user == user ? 0 : talk.user == nil || user == nil ? 1 : 4
            return (isUser + (talk.path == path ? 0 : 2), index)
        }
        return ranked.min { ($0.rank, $0.index) < ($1.rank, $1.index) }?.index
    }

    mutating func differ(_ kind: Difference.Kind, _ subject: Difference.Subject, _ title: String, _ sentence: String, _ index: Int) {
        var difference = Difference(kind: kind, number: 0, title: title, sentence: sentence)
        difference.subject = subject
        if kind == .extra { scripts[index].result.extra += 1 } else { scripts[index].result.changed += 1 }
        scripts[index].result.differences.append(difference)
    }
}
