import NIOCore

/// Decrypts the records of one direction under one key, in order.
final class RecordOpener {
    enum Failure: Error, Equatable {
        /// Not what its writer wrote under this key at this place.
        case unauthentic
        case library(OpenSSLError)
    }

    private enum Form {
        case tls13(OpenSSLAEAD)
        /// The nonce is four bytes of the key block and eight in front of the record.
        case explicitNonce(OpenSSLAEAD)
        /// The nonce is the vector of the key block with the number of the record (RFC 7905).
        case countedNonce(OpenSSLAEAD)
        case blocks(OpenSSLCBC, OpenSSLHMAC, macLength: Int, encryptsThenMACs: Bool)
    }

    private let form: Form
    private let vector: [UInt8]
    private var nonce: [UInt8]
    /// What a tag or MAC covers besides the content, written anew for each record.
    private var extra: [UInt8]
    /// Records opened.
    private(set) var sequence: UInt64 = 0

    /// TLS 1.3: key and vector from a traffic secret (RFC 8446 section 7.3).
    init(suite: CipherSuite, secret: [UInt8]) throws(OpenSSLError) {
        let key = try OpenSSLKDF.expand(secret, label: "key", count: suite.cipher.keyLength, hash: suite.hash)
        vector = try OpenSSLKDF.expand(secret, label: "iv", count: OpenSSLAEAD.nonceLength, hash: suite.hash)
        nonce = vector
        extra = [UInt8](repeating: 0, count: TLSRecordHeader.size)
        form = .tls13(try OpenSSLAEAD(suite.cipher, key: key))
    }

    /// TLS 1.2: this side's part of the key block (RFC 5246 section 6.3).
    init(
        suite: CipherSuite, master: [UInt8], clientRandom: [UInt8], serverRandom: [UInt8], isClient: Bool,
        encryptsThenMACs: Bool
    ) throws(OpenSSLError) {
        let macLength = suite.mac?.length ?? 0
        let keyLength = suite.cipher.keyLength
        let vectorLength = suite.cipher == .chaCha20 ? 12 : suite.cipher.isBlockMode ? 0 : 4
        let block = try OpenSSLKDF.prf(
            master, label: "key expansion", seed: serverRandom + clientRandom,
            count: 2 * (macLength + keyLength + vectorLength), hash: suite.hash)
        func part(_ start: Int, _ length: Int) -> [UInt8] {
            let from = 2 * start + (isClient ? 0 : length)
            return Array(block[from..<from + length])
        }
        let key = part(macLength, keyLength)
        vector = part(macLength + keyLength, vectorLength)
        extra = [UInt8](repeating: 0, count: 8 + TLSRecordHeader.size)
        nonce = vector + [UInt8](repeating: 0, count: OpenSSLAEAD.nonceLength - vectorLength)
        if let mac = suite.mac {
            form = .blocks(
                try OpenSSLCBC(suite.cipher, key: key), try OpenSSLHMAC(mac, key: part(0, macLength)),
                macLength: macLength, encryptsThenMACs: encryptsThenMACs)
        } else if suite.cipher == .chaCha20 {
            form = .countedNonce(try OpenSSLAEAD(suite.cipher, key: key))
        } else {
            form = .explicitNonce(try OpenSSLAEAD(suite.cipher, key: key))
        }
    }

    /// A record that does not open leaves everything as it was.
    func open(_ header: TLSRecordHeader, _ body: ByteBuffer) throws(Failure) -> TLSPlain {
        let plain: TLSPlain
        do {
            plain =
                switch form {
                case .tls13(let cipher): try openTLS13(cipher, header, body)
                case .explicitNonce(let cipher): try openExplicit(cipher, header, body)
                case .countedNonce(let cipher): try openCounted(cipher, header, body)
                case .blocks(let cipher, let mac, let macLength, let encryptsThenMACs):
                    encryptsThenMACs
                        ? try openBlocksMACFirst(cipher, mac, macLength, header, body)
                        : try openBlocks(cipher, mac, macLength, header, body)
                }
        } catch let error as Failure {
            throw error
        } catch let error as OpenSSLError {
            throw .library(error)
        } catch {
            throw .unauthentic
        }
        sequence &+= 1
        return plain
    }

    private func openTLS13(_ cipher: OpenSSLAEAD, _ header: TLSRecordHeader, _ body: ByteBuffer) throws -> TLSPlain {
        countNonce()
        describe(header, header.length, at: 0)
        guard var content = try cipher.open(body, nonce: nonce, extra: extra) else { throw Failure.unauthentic }
        // The last byte that is not padding says what it is.
        let view = content.readableBytesView
        guard let last = view.lastIndex(where: { $0 != 0 }) else { throw Failure.unauthentic }
        let kind = view[last]
        let length = last - view.startIndex
        return TLSPlain(kind: .init(rawValue: kind), content: content.readSlice(length: length) ?? ByteBuffer())
    }

    private func openExplicit(_ cipher: OpenSSLAEAD, _ header: TLSRecordHeader, _ body: ByteBuffer) throws -> TLSPlain {
        var body = body
        guard let explicit = body.readBytes(length: 8) else { throw Failure.unauthentic }
        nonce.replaceSubrange(4..<12, with: explicit)
        number(header, body.readableBytes - OpenSSLAEAD.tagLength)
        guard let content = try cipher.open(body, nonce: nonce, extra: extra) else { throw Failure.unauthentic }
        return TLSPlain(kind: header.kind, content: content)
    }

    private func openCounted(_ cipher: OpenSSLAEAD, _ header: TLSRecordHeader, _ body: ByteBuffer) throws -> TLSPlain {
        countNonce()
        number(header, body.readableBytes - OpenSSLAEAD.tagLength)
        guard let content = try cipher.open(body, nonce: nonce, extra: extra) else { throw Failure.unauthentic }
        return TLSPlain(kind: header.kind, content: content)
    }

    /// MAC inside the ciphertext (RFC 5246 section 6.2.3.2).
    private func openBlocks(
        _ cipher: OpenSSLCBC, _ mac: OpenSSLHMAC, _ macLength: Int, _ header: TLSRecordHeader, _ body: ByteBuffer
    ) throws -> TLSPlain {
        guard var blocks = try cipher.decrypt(body), let content = unpadded(&blocks, leaving: macLength) else {
            throw Failure.unauthentic
        }
        number(header, content.readableBytes)
        guard try mac.verifies(extra, content, blocks) else { throw Failure.unauthentic }
        return TLSPlain(kind: header.kind, content: content)
    }

    /// MAC over the ciphertext (RFC 7366).
    private func openBlocksMACFirst(
        _ cipher: OpenSSLCBC, _ mac: OpenSSLHMAC, _ macLength: Int, _ header: TLSRecordHeader, _ body: ByteBuffer
    ) throws -> TLSPlain {
        var body = body
        guard let sealed = body.readSlice(length: max(0, body.readableBytes - macLength)) else {
            throw Failure.unauthentic
        }
        number(header, sealed.readableBytes)
        guard try mac.verifies(extra, sealed, body), var blocks = try cipher.decrypt(sealed),
            let content = unpadded(&blocks, leaving: 0)
        else { throw Failure.unauthentic }
        return TLSPlain(kind: header.kind, content: content)
    }

    /// The content in front of `leaving` bytes and the padding; `blocks` is left with those bytes.
    private func unpadded(_ blocks: inout ByteBuffer, leaving: Int) -> ByteBuffer? {
        let view = blocks.readableBytesView
        guard let padding = view.last else { return nil }
        let length = view.count - Int(padding) - 1 - leaving
        guard length >= 0, view.suffix(Int(padding) + 1).allSatisfy({ $0 == padding }) else { return nil }
        let content = blocks.readSlice(length: length)
        blocks = blocks.readSlice(length: leaving) ?? ByteBuffer()
        return content
    }

    private func countNonce() {
        for index in 4..<12 {
            nonce[index] = vector[index] ^ UInt8(truncatingIfNeeded: sequence >> (8 * UInt64(11 - index)))
        }
    }

    /// TLS 1.2: the record's number goes before what describes it.
    private func number(_ header: TLSRecordHeader, _ length: Int) {
        for index in 0..<8 { extra[index] = UInt8(truncatingIfNeeded: sequence >> (56 - 8 * UInt64(index))) }
        describe(header, length, at: 8)
    }

    private func describe(_ header: TLSRecordHeader, _ length: Int, at index: Int) {
        extra[index] = header.kind.rawValue
        extra[index + 1] = UInt8(truncatingIfNeeded: header.version >> 8)
        extra[index + 2] = UInt8(truncatingIfNeeded: header.version)
        extra[index + 3] = UInt8(truncatingIfNeeded: length >> 8)
        extra[index + 4] = UInt8(truncatingIfNeeded: length)
    }
}
