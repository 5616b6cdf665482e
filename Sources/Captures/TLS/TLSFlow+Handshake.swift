import Journaling
import NIOCore
import Wire

/// What the messages of the handshake change.
extension TLSFlow {
    enum Cover {
        case clear
        /// Under the handshake keys of TLS 1.3.
        case sealed
        /// Under the keys of application data, either version.
        case established
    }

    func handleHandshake(
        _ content: ByteBuffer, _ direction: TLSDirection, _ cover: Cover
    ) throws(ImportError) {
        direction.handshake.append(content)
        while !direction.isDone {
            switch direction.handshake.next() {
            case .partial: return
            case .tooLong: return try giveUp(.unreadableHello(direction.side))
            case .message(let message):
                switch cover {
                case .clear: try handleClear(message, direction)
                case .sealed: try handleSealed(message, direction)
                case .established: try handleEstablished(message, direction)
                }
            }
        }
    }

    private func handleClear(
        _ message: TLSHandshakeReader.Message, _ direction: TLSDirection
    ) throws(ImportError) {
        switch (message.kind, direction.side) {
        case (.clientHello, .client):
            guard let hello = TLSClientHello(message.body) else { return try giveUp(.unreadableHello(.client)) }
            if clientHello == nil {
                clientHello = hello
            } else if retries.asked, !retries.answered {
                // RFC 8446 section 4.1.2: the random stays; a client that changes it logs the new one.
                retries.answered = true
                clientHello = hello
            }
        case (.serverHello, .server):
            guard let hello = TLSServerHello(message.body) else { return try giveUp(.unreadableHello(.server)) }
            if hello.isRetryRequest {
                guard !retries.asked, serverHello == nil else { return try giveUp(.outOfPlace(.server)) }
                retries.asked = true
            } else if serverHello == nil {
                try adopt(hello)
            }
        case (.clientHello, .server), (.serverHello, .client): try giveUp(.outOfPlace(direction.side))
        default: break
        }
    }

    private func adopt(_ hello: TLSServerHello) throws(ImportError) {
        guard hello.version == 0x0303 || hello.isTLS13 else { return try giveUp(.version(hello.version)) }
        guard let suite = CipherSuite(hello.suite), suite.isTLS13 == hello.isTLS13 else {
            return try giveUp(.suite(hello.suite, isTLS13: hello.isTLS13))
        }
        guard hello.compression == 0 else { return try giveUp(.compression) }
        if TLSFlow.isHTTP2(hello.protocolName) { return try giveUp(.http2) }
        self.suite = suite
        serverHello = hello
        client.maySkip = hello.isTLS13 && clientHello?.offersEarlyData == true && !retries.asked
    }

    private func handleSealed(
        _ message: TLSHandshakeReader.Message, _ direction: TLSDirection
    ) throws(ImportError) {
        switch (message.kind, direction.side) {
        case (.encryptedExtensions, .server):
            let extensions = TLSEncryptedExtensions(message.body)
            acceptsEarlyData = extensions.acceptsEarlyData
            if TLSFlow.isHTTP2(extensions.protocolName) { try giveUp(.http2) }
        case (.finished, _): direction.phase = .finished
        default: break
        }
    }

    private func handleEstablished(
        _ message: TLSHandshakeReader.Message, _ direction: TLSDirection
    ) throws(ImportError) {
        if serverHello?.isTLS13 == true {
            if message.kind == .keyUpdate { try updateKey(direction) }
        } else if message.kind == .clientHello || message.kind == .serverHello {
            try giveUp(.renegotiation)
        }
    }

    private static func isHTTP2(_ name: [UInt8]?) -> Bool { name == Array("h2".utf8) }
}
