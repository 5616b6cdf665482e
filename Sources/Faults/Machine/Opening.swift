import Journaling
import NIOCore
import Wire

/// What a session keeps until frames, or opaque bytes, flow.
struct Opening: Sendable {
    enum Dial: Sendable, Equatable {
        /// Waits for a delay, or for the request head.
        case waiting(until: Instant?)
        case dialling
        case connected
        case failed(String)
    }
    enum Stage: Sendable { case request, response }

    var request: HeadParser
    var response: HeadParser
    var head: RequestHead?
    var dial = Dial.waiting(until: nil)
    var stage = Stage.request
    /// When the first bytes of the head that is read arrived.
    var arrived: [Instant] = []
    /// Faults that keep the dialling back.
    var holds: [Hold] = []
    /// Transport faults have their places.
    var hasConduits = false
    /// L2 for the stage, or the end of a delay before dialling.
    var stageEnds = Instant.distantFuture
    /// The client said something behind its upgrade.
    var hasSpoken = false
    /// A fault accepted the client in the server's stead.
    var stead: Stead?

    init(_ limits: Limits) {
        let heads = HeadLimits(
            total: limits.headBytes, field: limits.headFieldBytes, startLine: limits.startLineBytes,
            fields: limits.headFields)
        request = HeadParser(.request, limits: heads)
        response = HeadParser(.response, limits: heads)
    }

    var deadline: Instant {
        if case .waiting(let until?) = dial { min(until, stageEnds) } else { stageEnds }
    }
}

extension SessionMachine {
    mutating func accepted(_ opened: Opened, at now: Instant, _ output: inout SessionOutput) {
        note(.opened(opened), at: now, &output)
        trigger.accepted(at: now)
        let headIsDue = now.advanced(by: configuration.limits.requestHeadTime)
        // With TLS the shell bounds the handshake first, then the head's time begins.
        opening?.stageEnds = hops.isTLS(.client) ? .distantFuture : headIsDue
        if !trigger.acceptNeedsHead { acceptFaults(at: now, &output) }
    }

    /// Lets faults act on the accept itself, then dials.
    mutating func acceptFaults(at now: Instant, _ output: inout SessionOutput) {
        var until: Instant?
        let chained = chain(.accept, .accept, .toServer, on: nil, at: now)
        for record in chained.records { note(.fault(record), at: now, &output) }
        for step in chained.steps {
            switch step.effect {
            case .forward(_, let instant):
                until = instant
                opening?.holds = step.holds
            case .tls(let side, let orders): output.commands.append(.secure(side, orders))
            case .cut(let side, let style):
                return cut([.init(side: side, style: style)], fault: step.faults.last ?? "", at: now, &output)
            default: break
            }
        }
        if let until, until > now { opening?.dial = .waiting(until: until) } else { dial(&output) }
    }

    private mutating func dial(_ output: inout SessionOutput) {
        opening?.dial = .dialling
        output.commands.append(.connect)
    }

    mutating func connected(at now: Instant, _ output: inout SessionOutput) {
        opening?.dial = .connected
        if phase == .over { return output.commands.append(.close(.server, .reset)) }
        toServer.isReady = true
        // What was decided before there was a socket holds for it.
        if !pauses.reads(.server) { output.commands.append(.reads(.server, false)) }
    }

    mutating func connectFailed(_ reason: String, at now: Instant, _ output: inout SessionOutput) {
        guard phase != .over else { return }
        opening?.dial = .failed(reason)
        if opening?.head != nil || phase == .relaying { unreachable(at: now, &output) }
        // Else the request head, or the end of the time for it, brings the answer out.
    }

    /// What L2 and delays bring about.
    mutating func overdue(at now: Instant, _ output: inout SessionOutput) {
        if phase != .over {
            visitsDue(at: now, &output)
            squallsDue(at: now, &output)
            if let abandoned, abandoned.until <= now { endAbandoned(at: now, &output) }
        }
        for side in Side.allCases {
            guard let until = pauses.end(side), until <= now else { continue }
            pauses.stalls.removeAll { $0.side == side }
            pause(side, .fault, false, at: now, &output)
        }
        exchangesOverdue(at: now, &output)
        guard phase != .over, let opening else { return }
        if case .waiting(let until?) = opening.dial, until <= now { dial(&output) }
        guard opening.stageEnds <= now else { return }
        switch opening.stage {
        case .request where opening.request.held.readableBytes == 0:
            if case .failed = opening.dial { return unreachable(at: now, &output) }
            becomeOpaque("nobody spoke within \(configuration.limits.requestHeadTime)", at: now, &output)
        case .request:
            refuse(408, "Request Timeout", "L2", "the request head was not whole in time", at: now, &output)
        case .response:
            refuse(504, "Gateway Timeout", "L2", "the server did not answer the upgrade in time", at: now, &output)
        }
    }

    // MARK: Request

    mutating func readRequest(_ bytes: ByteBuffer, at now: Instant, _ output: inout SessionOutput) {
        opening?.request.feed(bytes)
        guard let answer = opening?.request.next() else { return }
        switch answer {
        case .partial, .response: break
        case .request(let head): take(head, at: now, &output)
        case .notHTTP(let reason): becomeOpaque(reason, at: now, &output)
        case .refused(let refusal):
            let reason = refusal.isLimit ? "Request Header Fields Too Large" : "Bad Request"
            refuse(
                refusal.status, reason, refusal.isLimit ? "L1" : "T22", "request head: \(refusal.detail)", at: now,
                &output)
        }
    }

    private mutating func take(_ head: RequestHead, at now: Instant, _ output: inout SessionOutput) {
        let rest = opening?.request.takeHeld() ?? ByteBuffer()
        opening?.head = head
        if case .failed = opening?.dial {
            unreachable(at: now, &output)
            if rest.readableBytes > 0 { received(rest, .toServer, at: now, &output) }
            return
        }
        if let problem = head.upgradeProblem {
            if case .waiting(nil) = opening?.dial { dial(&output) }
            openConduits(at: now, &output)
            guard phase == .opening else { return }
            pass(head.bytes, .head, .toServer, arrived: now, at: now, &output)
            becomeOpaque(problem, at: now, &output)
            if configuration.followsExchanges, phase == .relaying { exchanges = Exchanges(behind: head, configuration.limits) }
            if rest.readableBytes > 0 { received(rest, .toServer, at: now, &output) }
            return
        }
        path = head.path
        let view = HeadView(head.bytes)
        let credential = configuration.finder.secrets(inRequest: view).first(where: \.isCredential)
        user = configuration.finder.user(inRequest: view, credential: credential)
        trigger.upgraded(user: user, path: path)
        if trigger.joins(.visits) { visits.head = head.bytes.compacted }
        lend(view)
        opening?.stage = .response
        let answerIsDue = now.advanced(by: configuration.limits.upgradeAnswerTime)
        opening?.stageEnds = answerIsDue
        if case .waiting(nil) = opening?.dial { acceptFaults(at: now, &output) }
        guard phase == .opening else {
            // A fault that had to know whose it is refused the connection itself: nobody gets the head.
            lose(head.bytes, .head, .toServer, arrived: now, at: now, &output)
            if rest.readableBytes > 0 { received(rest, .toServer, at: now, &output) }
            return
        }
        openConduits(at: now, &output)
        send(head.bytes, .requestHead, .toServer, at: now, &output)
        guard phase == .opening else {
            if rest.readableBytes > 0 { received(rest, .toServer, at: now, &output) }
            return
        }
        begin(.toServer, extensions: nil)
        if rest.readableBytes > 0 { received(rest, .toServer, at: now, &output) }
    }

    /// Whoever the profile names for a swap has something to lend while connected.
    private func lend(_ view: HeadView) {
        guard let user, configuration.borrows.contains(user) else { return }
        let own = configuration.finder.secrets(inRequest: view).filter { $0.isCredential && !$0.range.isEmpty }
        configuration.lender.deposit(
            own.map { Loan(user: user, place: $0.place, text: view.text($0.range)) }, for: id)
    }

    /// A head through its faults and on its way.
    /// - Returns: what goes on of it.
    @discardableResult
    private mutating func send(
        _ bytes: ByteBuffer, _ kind: ParcelKind, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) -> ByteBuffer? {
        guard !trigger.selected(kind, at: now).isEmpty else {
            pass(bytes, .head, direction, arrived: now, at: now, &output)
            return bytes
        }
        if !self[direction].isClear { self[direction].outbox.hasHold = true }
        let ref = EntryRef(session: id, ordinal: nextOrdinal)
        let head = UpgradeHead(bytes: bytes)
        let parcel = kind == .requestHead ? Parcel.requestHead(head) : .responseHead(head)
        let chained = chain(parcel, kind, direction, on: ref, at: now)
        if chained.passesWhole {
            pass(bytes, .head, direction, arrived: now, at: now, &output)
        } else {
            piece(direction, .head, bytes, in: now, out: nil, at: now, &output)
        }
        for record in chained.records { note(.fault(record), at: now, &output) }
        perform(chained, of: ref, direction, original: bytes, at: now, &output)
        return chained.head
    }

    // MARK: Response

    mutating func readResponse(_ bytes: ByteBuffer, at now: Instant, _ output: inout SessionOutput) {
        guard opening?.head != nil else {
            becomeOpaque("the server spoke first", at: now, &output)
            return received(bytes, .toClient, at: now, &output)
        }
        opening?.response.feed(bytes)
        while phase == .opening, let answer = opening?.response.next() {
            switch answer {
            case .partial, .request: return
            case .response(let head) where opening?.stead != nil:
                keepBack(head, at: now, &output)
            case .response(let head) where head.isInterim:
                pass(head.bytes, .head, .toClient, arrived: now, at: now, &output)
            case .response(let head): take(head, at: now, &output)
            case .notHTTP(let reason):
                let held = opening?.response.takeHeld() ?? ByteBuffer()
                toClient.mode = .raw(.preamble)
                becomeOpaque("the server's answer: \(reason)", at: now, &output)
                pass(held, .bytes(.preamble), .toClient, arrived: now, at: now, &output)
            case .refused(let refusal):
                let id = refusal.isLimit ? "L1" : "T22"
                refuse(502, "Bad Gateway", id, "response head: \(refusal.detail)", at: now, &output)
            }
        }
    }

    private mutating func take(_ head: ResponseHead, at now: Instant, _ output: inout SessionOutput) {
        let rest = opening?.response.takeHeld() ?? ByteBuffer()
        phase = .relaying
        if head.status == 101 {
            opening = nil
            let told = send(head.bytes, .responseHead, .toClient, at: now, &output)
            begin(head, told: told, at: now, &output)
        } else {
            let isFollowed = configuration.followsExchanges && opening?.hasSpoken == false
            opening = nil
            pass(head.bytes, .head, .toClient, arrived: now, at: now, &output)
            note(.became(.refused(status: head.status)), at: now, &output)
            relayRaw(at: now, &output)
            if isFollowed { exchanges = Exchanges(refused: head, configuration.limits) }
        }
        if rest.readableBytes > 0 { received(rest, .toClient, at: now, &output) }
    }

    /// Frames begin, in both directions.
    /// - Parameter told: the head that the client gets.
    mutating func begin(_ head: ResponseHead, told: ByteBuffer?, at now: Instant, _ output: inout SessionOutput) {
        let extensions = head.extensions
        let accepted = Became.accepted(subprotocol: head.subprotocol, deflate: extensions.deflate != nil)
        note(.became(accepted), at: now, &output)
        guard phase != .over else { return }
        output.commands.append(.label(user ?? "\(id)"))
        meet(at: now, &output)
        guard phase != .over else { return }
        let client = told.map { $0 == head.bytes ? extensions : ExtensionOutcome(told: $0) } ?? extensions
        begin(.toClient, extensions: agreed(.toClient, server: extensions, client: client))
        negotiated(agreed(.toServer, server: extensions, client: client), at: now, &output)
    }

    /// Where the two sides were told different things, compressed messages go on as they come and nothing can change them;
    /// what is not compressed means the same to both.
    private mutating func agreed(
        _ direction: Direction, server: ExtensionOutcome, client: ExtensionOutcome
    ) -> ExtensionOutcome {
        if let common = ExtensionOutcome.common(direction, server: server, client: client) { return common }
        self[direction].altered = "a fault altered what was negotiated about compression"
        return .none
    }

    // MARK: Other ends of an opening

    mutating func becomeOpaque(_ reason: String, at now: Instant, _ output: inout SessionOutput) {
        guard phase == .opening, let opening else { return }
        if case .waiting(nil) = opening.dial { dial(&output) }
        phase = .relaying
        openConduits(at: now, &output)
        note(.became(.opaque(reason)), at: now, &output)
        // Taken out: what ends the session gives up whatever is still held.
        let held = self.opening?.request.takeHeld() ?? ByteBuffer()
        if case .failed = opening.dial {
            if held.readableBytes > 0 { pass(held, .bytes(.preamble), .toServer, arrived: now, at: now, &output) }
            return unreachable(at: now, &output)
        }
        relayRaw(at: now, &output)
        if held.readableBytes > 0 { pass(held, .bytes(.preamble), .toServer, arrived: now, at: now, &output) }
        self.opening?.request = HeadParser(.request)
        self.opening?.stageEnds = .distantFuture
        if opening.dial == .connected { self.opening = nil }
    }

    /// Both directions carry bytes from here on that nobody reads as frames.
    mutating func relayRaw(at now: Instant, _ output: inout SessionOutput) {
        abandonFrames(.toServer, at: now, &output)
        toServer.mode = .raw(.opaque)
        if toClient.mode == .head { toClient.mode = .raw(.opaque) }
    }

    /// An answer of ours instead of the server's, because of a limit or a head that nobody must pass on.
    mutating func refuse(
        _ status: Int, _ reason: String, _ id: String, _ detail: String, at now: Instant, _ output: inout SessionOutput
    ) {
        loseHeads(at: now, &output)
        limit(id, detail, status >= 500 ? .toClient : .toServer, at: now, &output)
        answer(status, reason, body: Self.sentence(detail), at: now, &output)
        overBy(.tool, cause: detail, server: .reset, at: now, &output)
    }

    /// Bytes of heads that never became whole were taken and go nowhere.
    mutating func loseHeads(at now: Instant, _ output: inout SessionOutput) {
        let held = [
            (opening?.request.takeHeld(), Direction.toServer), (exchanges?.takeHeld(), .toServer),
            (opening?.response.takeHeld(), .toClient),
        ]
        for (bytes, direction) in held {
            guard let bytes, bytes.readableBytes > 0 else { continue }
            lose(bytes, .bytes(.preamble), direction, arrived: now, at: now, &output)
        }
    }

    /// The upstream could not be had.
    private mutating func unreachable(at now: Instant, _ output: inout SessionOutput) {
        guard case .failed(let reason) = opening?.dial else { return }
        toServer.isShut = true
        toServer.isReady = true
        if let head = opening?.head, phase == .opening, toServer.mode == .head {
            lose(head.bytes, .head, .toServer, arrived: now, at: now, &output)
        }
        release(at: now, &output)
        let unread = ends.takeLost(.server)
        note(
            .ended(EndRecord(side: .server, style: .reset, by: .peer, cause: reason, undelivered: unread)), at: now,
            &output)
        ends.told(.server)
        if opening?.head != nil { answer(502, "Bad Gateway", body: Self.sentence(reason), at: now, &output) }
        overBy(.tool, cause: "upstream: \(reason)", server: nil, at: now, &output)
    }

    static func sentence(_ text: String) -> String { "miswire: \(text)\n" }

    /// An HTTP answer of our own, to a client that was not answered yet. Its bytes are an entry at the client's tap alone.
    mutating func answer(
        _ status: Int, _ reason: String, headers: [(String, String)] = [], body: String, at now: Instant,
        faults: [String] = [], _ output: inout SessionOutput
    ) {
        guard opening?.stead == nil else { return }
        var text = "HTTP/1.1 \(status) \(reason)\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if !headers.contains(where: { ASCII.equal($0.0, "content-type") }) { text += "Content-Type: text/plain; charset=utf-8\r\n" }
        text += "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
        let head = ByteBuffer(string: text)
        piece(.toClient, .head, head, in: nil, out: now, Provenance(faults: faults), at: now, &output)
        let content = ByteBuffer(string: body)
        if content.readableBytes > 0 {
            piece(.toClient, .bytes(.opaque), content, in: nil, out: now, Provenance(faults: faults), at: now, &output)
        }
        flushBoth(&output)
        output.commands.append(.write(.client, ByteBuffer(string: text + body)))
    }
}
