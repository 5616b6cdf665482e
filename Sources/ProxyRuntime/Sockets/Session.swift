import Faults
import Journaling
import NIOCore
import Wire

/// Two sockets and a session machine on one event loop. Performs the machine's commands in order and invents nothing.
final class Session {
    let id: SessionID
    let loop: Loop
    /// Sessions that its faults opened; they leave with it.
    var visits: [SessionID] = []
    let gateway: Gateway
    /// A fault opened it. Asked at each event, so not asked of the machine, which would be copied for it.
    let isVisit: Bool
    /// Bytes of this session that wait for the recorder.
    let backlog: SessionBacklog
    var cost = QueueCost()
    /// What it brought to the recorder's queue so far.
    var charged = 0
    var machine: SessionMachine
    private let opened: Opened
    /// What its sockets had counted when it got them from another session.
    private var inherited = Totals(clientIn: 0, clientOut: 0, serverIn: 0, serverOut: 0)
    private var client: Link?
    private var server: Link?
    private var prepared: Foreword?
    let tls: SessionTLS
    /// What its client's TLS began with, before it was known whose it is.
    private var hello: ByteBuffer?
    private enum Dialling { case no, yes, abandoned }
    private var dialling = Dialling.no
    /// What faults ask of the two handshakes.
    private var clientOrders = TLSOrders.none
    private(set) var serverOrders = TLSOrders.none
    private(set) var label: String?
    private(set) var isOver = false
    /// The recorder is behind with what this session brought.
    var waitsForRecorder = false
    private(set) var isHeldForRecorder = false
    /// The instant of the machine's last `wake`; earlier entries of the loop's heap are stale.
    private(set) var wakeAt: Instant?
    /// When one of the two directions of a socket ended, for L8.
    private(set) var halfClosedSince: Instant?

    /// - Parameters:
    ///   - tls: nil = as everybody's who connects there.
    ///   - visit: when a fault opens it.
    init(id: SessionID, opened: Opened, loop: Loop, gateway: Gateway, tls: SessionTLS? = nil, visit: Visit? = nil) {
        let tls = tls ?? gateway.ownTLS
        self.tls = tls
        self.id = id
        self.opened = opened
        self.loop = loop
        self.gateway = gateway
        isVisit = visit != nil
        machine = visit.map { gateway.machine(for: id, $0) } ?? gateway.machine(for: id, to: opened.target, tls)
        backlog = SessionBacklog(
            session: id, loop: loop.index, limit: loop.shared.options.limits.recorderSessionBytes)
    }

    // MARK: From the links

    func attachClient(_ link: Link) { client = link }

    var transport: TransportID { opened.transport }

    func linkBecameActive(_ link: Link) {
        switch link.side {
        case .client:
            if loop.shared.faultsAreOff { loop.deliver(.faultsOff, to: self) }
            loop.deliver(.accepted(opened), to: self)
            // Behind what was decided at the accept.
            if tls.client != nil, !link.isPrepared { loop.later { self.secureClient() } }
            tellRecorder()
        case .server:
            if dialling == .abandoned { return link.close(.reset) }
            dialling = .no
            server = link
            loop.deliver(.connected, to: self)
        }
    }

    private func secureClient() {
        guard let own = tls.client, let link = client, !link.isClosed, !link.isDiscarding, let channel = link.context?.channel
        else { return }
        do {
            link.secure(try own.secure(channel, clientOrders, host: tls.host))
            guard let hello else { return }
            self.hello = nil
            channel.pipeline.syncOperations.fireChannelRead(NIOAny(hello))
            channel.pipeline.syncOperations.fireChannelReadComplete()
        } catch {
            loop.deliver(.broken(.client, "TLS cannot be begun: \(error)", limit: nil), to: self)
            link.closeNow()
        }
    }

    func linkBecameSecure(_ link: Link, _ secured: TLSSecured) {
        let words = [secured.version, secured.applicationProtocol].compactMap { $0 }.joined(separator: ", ")
        loop.deliver(.secured(link.side, words), to: self)
    }

    func linkBroke(_ link: Link, _ trouble: TLSTrouble) {
        if link.side == .server, link !== server { return dialFailed(trouble.sentence) }
        loop.deliver(.broken(link.side, trouble.sentence, limit: trouble.kind == .late ? "L2" : nil), to: self)
    }

    func inputEnded(_ link: Link) {
        if halfClosedSince == nil { halfClosedSince = loop.now }
    }

    func linkClosed(_ link: Link) {
        if halfClosedSince == nil { halfClosedSince = loop.now }
        loop.endIfOver(self)
    }

    /// Both sockets are gone and nothing is being dialled.
    var hasNoSockets: Bool {
        (client?.isClosed ?? machine.isGuestGone) && (server?.isClosed ?? true) && dialling != .yes
    }

    func markOver() { isOver = true }

    /// Begins a session that a fault opened: its client is in its machine.
    func begin() {
        loop.deliver(.accepted(opened), to: self)
        tellRecorder()
    }

    var totals: Totals {
        let guest = machine.guestBytes
        return Totals(
            clientIn: client?.bytesIn ?? guest?.in ?? 0, clientOut: client?.bytesOut ?? guest?.out ?? 0,
            serverIn: server?.bytesIn ?? 0, serverOut: server?.bytesOut ?? 0
        ).since(inherited)
    }

    // MARK: Succession

    /// Its sockets go on with another session, which begins with these bytes of the client.
    private func succeed(_ bytes: ByteBuffer) {
        guard let client, let server else { return }
        let heir = loop.heir(of: opened, by: gateway, tls)
        let (clientSide, serverSide) = (client.pass(to: heir), server.pass(to: heir))
        let border = Totals(
            clientIn: clientSide.bytesIn &- UInt64(bytes.readableBytes), clientOut: clientSide.bytesOut,
            serverIn: serverSide.bytesIn, serverOut: serverSide.bytesOut)
        heir.inherit(client, server, at: border)
        loop.deliver(.closed(border.since(inherited)), to: self)
        heir.resume(with: bytes)
    }

    private func inherit(_ client: Link, _ server: Link, at border: Totals) {
        self.client = client
        self.server = server
        inherited = border
    }

    private func resume(with bytes: ByteBuffer) {
        if loop.shared.faultsAreOff { loop.deliver(.faultsOff, to: self) }
        loop.deliver(.resumed(opened), to: self)
        tellRecorder()
        loop.deliver(.received(.client, bytes), to: self)
    }

    // MARK: Commands

    func perform(_ command: SessionCommand) {
        switch command {
        case .connect: connect()
        case .write(let side, let buffer): write(buffer, to: side)
        case .flush(let side): link(side)?.flushSegment()
        case .finish(let side): link(side)?.finish()
        case .truncate(let side): link(side)?.truncate()
        case .secure(let side, let orders):
            if side == .client { clientOrders = clientOrders.joined(with: orders) } else { serverOrders = serverOrders.joined(with: orders) }
        case .close(let side, let style): close(side, style)
        case .reads(let side, let on): link(side)?.setReads(on)
        case .cross(let crossing): loop.cross(crossing, from: self)
        case .answer(let crossing, let refused): loop.answer(crossing, refused: refused)
        case .succeed(let bytes): succeed(bytes)
        case .visit(let visit): loop.open(visit, for: self)
        case .rouse: loop.rouse(but: self)
        case .wake(let instant):
            wakeAt = instant
            loop.wake(self, at: instant)
        case .label(let text):
            label = text
            loop.shared.directory.list(.init(session: id, loop: loop.index, label: text, realm: realm))
        }
    }

    /// Not one that has gone on with an heir, whose reading is its own.
    private func link(_ side: Side) -> Link? {
        let link = side == .client ? client : server
        return link?.session === self ? link : nil
    }

    private func write(_ buffer: ByteBuffer, to side: Side) {
        if let link = link(side) { return link.write(buffer) }
        loop.deliver(.undelivered(side, UInt64(buffer.readableBytes)), to: self)
    }

    private func close(_ side: Side, _ style: CutStyle) {
        if let link = link(side) { return link.close(style) }
        if side == .server, dialling == .yes {
            dialling = .abandoned
            loop.endIfOver(self)
        }
    }

    /// Where a forward proxy dialled for it.
    var target: String? { opened.target }
    var realm: String { gateway.realm(of: target) }

    /// The server's socket is there before the machine asks for it.
    /// - Parameter hello: with what the client began TLS, when it did.
    func prepare(_ server: Foreword, hello: ByteBuffer?) {
        prepared = server
        self.hello = hello
    }

    func dropPrepared() {
        prepared?.channel.close(promise: nil)
        prepared = nil
    }

    private func connect() {
        guard server == nil, dialling == .no else { return }
        dialling = .yes
        guard let prepared else { return loop.dial(self) }
        self.prepared = nil
        take(prepared)
    }

    private func take(_ foreword: Foreword) {
        let channel = foreword.channel
        guard channel.isActive else { return dialFailed("the server ended its connection before it was used") }
        do {
            let link = Link(.server, of: self)
            // Before the link sees the channel: with TLS it is not there yet.
            if let server = tls.server { link.secure(try server.secure(channel, serverOrders, host: tls.host)) }
            try channel.pipeline.syncOperations.addHandler(link)
            try channel.syncOptions?.setOption(.autoRead, value: true)
            foreword.release()
        } catch {
            channel.close(promise: nil)
            dialFailed("the server's connection cannot be used: \(error)")
        }
    }

    func dialFailed(_ sentence: String) {
        let wasWanted = dialling == .yes
        dialling = .no
        if wasWanted { loop.deliver(.connectFailed(sentence), to: self) }
        loop.endIfOver(self)
    }

    func woke() {
        wakeAt = nil
        loop.deliver(.wake, to: self)
    }

    // MARK: The whole proxy's doing

    /// The machine holds both sides while the recorder is behind, so that the journal says so.
    func tellRecorder() {
        let isBehind = waitsForRecorder || loop.hadItsShare(self)
        guard isBehind != isHeldForRecorder, !isOver else { return }
        isHeldForRecorder = isBehind
        loop.deliver(.recorder(isBehind: isBehind), to: self)
        if isBehind { return }
        client?.resume()
        server?.resume()
    }

    /// The grace period is over, or an idle half was: both sockets go at once.
    func cut(_ style: CutStyle) {
        close(.client, style)
        close(.server, style)
    }
}

extension Totals {
    /// What was counted since then.
    fileprivate func since(_ then: Totals) -> Totals {
        func left(_ now: UInt64, _ then: UInt64) -> UInt64 { now > then ? now - then : 0 }
        return Totals(
            clientIn: left(clientIn, then.clientIn), clientOut: left(clientOut, then.clientOut),
            serverIn: left(serverIn, then.serverIn), serverOut: left(serverOut, then.serverOut))
    }
}
