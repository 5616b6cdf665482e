import Journaling
import NIOCore

/// Connections of forward proxies: until it is known whom each is for, and as the sessions that they become.
extension Loop {
    func enter(_ entrance: ForwardEntrance) { entrances[ObjectIdentifier(entrance)] = entrance }

    func left(_ entrance: ForwardEntrance) { entrances[ObjectIdentifier(entrance)] = nil }

    /// A session that has both its sockets: the server's is taken when the machine wants it.
    /// - Parameters:
    ///   - tls: of the tunnel, when it is opened; the bytes are what the client began it with.
    ///   - bytes: what the client said so far.
    func open(
        _ channel: any Channel, to upstream: Foreword, _ place: HostPort, by gateway: Gateway, _ tls: SessionTLS?, with bytes: ByteBuffer
    ) {
        let id = shared.nextID()
        let peer = SocketTuning.text(of: channel.remoteAddress)
        let session = begin(id, gateway.opened(TransportID(id.value), peer: peer, target: place), by: gateway, tls)
        session.prepare(upstream, hello: tls == nil ? nil : bytes)
        let link = Link(.client, of: session)
        session.attachClient(link)
        do {
            try channel.pipeline.syncOperations.addHandler(link)
            if tls == nil, bytes.readableBytes > 0 { link.begin(with: bytes) }
        } catch {
            bury(session)
            channel.close(promise: nil)
        }
    }
}
