import Wire

/// From the secrets of the key log to what opens records.
extension TLSFlow {
    /// TLS 1.3, the first record that is not in clear. False: it waits, or is lost.
    func installHandshake(_ direction: TLSDirection) throws(ImportError) -> Bool {
        guard let random = clientHello?.random else { return wait(direction, for: .hello(.client)) }
        if let secret = shared.keys.secret(direction.handshakeLabel, of: random) {
            return try install(direction, secret) { .open($0, isHandshake: true) }
        }
        // Early data could stand between the handshake and the rest, where it would vanish without a word.
        let maySearch = direction.side == .server || clientHello?.offersEarlyData != true
        guard maySearch else { return wait(direction, for: .secret([direction.handshakeLabel])) }
        if let secret = shared.keys.secret(direction.trafficLabel, of: random) {
            return try install(direction, secret) { .searching($0) }
        }
        return wait(direction, for: .secret([direction.handshakeLabel, direction.trafficLabel]))
    }

    /// TLS 1.3, after Finished. False: it waits, or is lost.
    func installTraffic(_ direction: TLSDirection) throws(ImportError) -> Bool {
        guard let random = clientHello?.random, let secret = shared.keys.secret(direction.trafficLabel, of: random)
        else {
            return wait(direction, for: .secret([direction.trafficLabel]))
        }
        return try install(direction, secret) { .open($0, isHandshake: false) }
    }

    /// TLS 1.2, after ChangeCipherSpec. False: it waits, or is lost.
    func installMaster(_ direction: TLSDirection, _ hello: TLSServerHello) throws(ImportError) -> Bool {
        guard let random = clientHello?.random, let master = shared.keys.secret(.master, of: random), let suite else {
            return wait(direction, for: .secret([.master]))
        }
        do {
            let opener = try RecordOpener(
                suite: suite, master: master, clientRandom: random.bytes, serverRandom: hello.random,
                isClient: direction.side == .client, encryptsThenMACs: hello.encryptsThenMACs)
            direction.phase = .open(opener, isHandshake: false)
            // What was cut when the keys changed belongs to no message under the new ones.
            direction.handshake = TLSHandshakeReader()
            return true
        } catch {
            try lose(direction, .library(error))
            return false
        }
    }

    /// RFC 8446 section 7.2.
    func updateKey(_ direction: TLSDirection) throws(ImportError) {
        guard let suite else { return }
        let next: [UInt8]
        do {
            next = try OpenSSLKDF.expand(
                direction.secret, label: "traffic upd", count: suite.hash.length, hash: suite.hash)
        } catch { return try lose(direction, .library(error)) }
        _ = try install(direction, next) { .open($0, isHandshake: false) }
    }

    private func install(
        _ direction: TLSDirection, _ secret: [UInt8], _ phase: (RecordOpener) -> TLSDirection.Phase
    ) throws(ImportError) -> Bool {
        guard let suite else { return false }
        do {
            direction.phase = phase(try RecordOpener(suite: suite, secret: secret))
            direction.secret = secret
            direction.handshake = TLSHandshakeReader()
            return true
        } catch {
            try lose(direction, .library(error))
            return false
        }
    }
}
