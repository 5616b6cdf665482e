import NIOCore
import NIOSSL
import NIOTLS

/// A hop's handshake is done; comes as a user event.
struct TLSSecured: Equatable, Sendable {
    /// `TLS 1.3`
    var version: String
    /// What ALPN settled; nil = it was not used.
    var applicationProtocol: String?
}

/// Stands behind NIOSSL's handler: bounds the handshake's time (trust.md L2) and turns what the library says into
/// `TLSSecured` and `TLSTrouble`.
final class TLSGate: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private enum State { case shaking, secured, failed }
    private var state = State.shaking
    private let ssl: NIOSSLHandler
    private let wire: TLSWire
    private let handshakeTime: Duration
    private let peer: String
    private var timer: Scheduled<Void>?
    /// The socket's own error came first: what the library says of it is no news.
    private var socketBroke = false

    init(_ ssl: NIOSSLHandler, wire: TLSWire, handshakeTime: Duration, peer: String) {
        self.ssl = ssl
        self.wire = wire
        self.handshakeTime = handshakeTime
        self.peer = peer
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { startTimer(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { stopTimer() }

    func channelActive(context: ChannelHandlerContext) {
        startTimer(context)
        context.fireChannelActive()
    }

    /// The clock stands while a fault holds us up: that time is no fault of the peer.
    private func startTimer(_ context: ChannelHandlerContext) {
        guard timer == nil, state == .shaking else { return }
        let left = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: .nanoseconds(handshakeTime.nanoseconds)) {
            let (gate, context) = left.value
            gate.timer = nil
            gate.isLate(context)
        }
    }

    private func stopTimer() {
        timer?.cancel()
        timer = nil
    }

    private func isLate(_ context: ChannelHandlerContext) {
        guard state == .shaking else { return }
        if wire.isStalled { return startTimer(context) }
        fail(context, .late, "\(peer) did not finish the TLS handshake within \(handshakeTime.components.seconds) s")
        wire.close()
    }

    private func fail(_ context: ChannelHandlerContext, _ kind: TLSTrouble.Kind, _ sentence: String) {
        state = .failed
        stopTimer()
        context.fireErrorCaught(TLSTrouble(kind: kind, sentence: sentence))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case TLSUserEvent.handshakeCompleted(let negotiated):
            guard state == .shaking else { return }
            state = .secured
            stopTimer()
            wire.handshakeIsDone()
            let version = ssl.tlsVersion.map { "TLS \(TLSVersionWords.word($0))" } ?? "TLS"
            context.fireUserInboundEventTriggered(TLSSecured(version: version, applicationProtocol: negotiated))
        case TLSUserEvent.shutdownCompleted: break
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let now = MonotonicClock.wall / 1_000_000_000
        switch state {
        case .failed: return
        case .shaking:
            fail(
                context, .handshake, TLSWords.handshake(error, peer: peer, alert: wire.alert, certificate: ssl.peerCertificate, at: now))
        case .secured:
            if error is IOError {
                socketBroke = true
                return context.fireErrorCaught(error)
            }
            if case NIOSSLError.uncleanShutdown = error {
                guard !socketBroke else { return }
                return context.fireErrorCaught(TLSTrouble(kind: .truncated, sentence: "\(peer) ended without close_notify"))
            }
            socketBroke = true
            context.fireErrorCaught(TLSTrouble(kind: .broken, sentence: TLSWords.broken(error, peer: peer)))
        }
    }
}

enum TLSVersionWords {
    static func word(_ version: TLSVersion) -> String {
        switch version {
        case .tlsv1: "1.0"
        case .tlsv11: "1.1"
        case .tlsv12: "1.2"
        case .tlsv13: "1.3"
        }
    }
}
