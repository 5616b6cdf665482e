import COpenSSL
import NIOCore

/// AES-CBC without padding under one key.
@safe final class OpenSSLCBC {
    static let blockLength = 16

    // Owned: made in `init`, freed in `deinit`, never handed out.
    private let context: OpaquePointer

    init(_ cipher: CipherSuite.Cipher, key: [UInt8]) throws(OpenSSLError) {
        let fetched = unsafe try OpenSSLFetch.cipher(cipher)
        guard let length = Int32(exactly: key.count), let made = unsafe miswire_decryptor(fetched, key, length) else {
            throw OpenSSLError(what: cipher.openSSLName)
        }
        unsafe context = unsafe made
    }

    deinit { unsafe EVP_CIPHER_CTX_free(context) }

    /// The blocks behind the initialization vector with which `sealed` begins; nil when there is no whole number of them.
    func decrypt(_ sealed: ByteBuffer) throws(OpenSSLError) -> ByteBuffer? {
        let count = sealed.readableBytes - OpenSSLCBC.blockLength
        guard count > 0, count % OpenSSLCBC.blockLength == 0, let length = Int32(exactly: count) else { return nil }
        var result: Int32 = -1
        var plain = ByteBufferAllocator().buffer(capacity: count)
        unsafe sealed.withUnsafeReadableBytes { input in
            _ = unsafe plain.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { output in
                // A block and `count` bytes are readable, `count` is writable.
                guard let from = unsafe input.bindMemory(to: UInt8.self).baseAddress,
                    let into = unsafe output.bindMemory(to: UInt8.self).baseAddress
                else { return 0 }
                result = unsafe miswire_decrypt_blocks(context, from, from + OpenSSLCBC.blockLength, length, into)
                return result == 1 ? count : 0
            }
        }
        guard result == 1 else { throw OpenSSLError(what: "AES-CBC") }
        return plain
    }
}

/// HMAC under one key.
@safe final class OpenSSLHMAC {
    // Owned: made in `init`, freed in `deinit`, never handed out.
    private let context: OpaquePointer

    init(_ hash: CipherSuite.Hash, key: [UInt8]) throws(OpenSSLError) {
        let algorithm = unsafe try OpenSSLFetch.hmacAlgorithm()
        guard let made = unsafe miswire_hmac(algorithm, hash.openSSLName, key, key.count) else {
            throw OpenSSLError(what: "HMAC")
        }
        unsafe context = unsafe made
    }

    deinit { unsafe EVP_MAC_CTX_free(context) }

    /// Whether `expected` is the HMAC of `head` followed by `body`.
    func verifies(_ head: [UInt8], _ body: ByteBuffer, _ expected: ByteBuffer) throws(OpenSSLError) -> Bool {
        let result = unsafe body.withUnsafeReadableBytes { bytes in
            unsafe expected.withUnsafeReadableBytes { mac in
                let from = unsafe bytes.bindMemory(to: UInt8.self).baseAddress
                let wanted = unsafe mac.bindMemory(to: UInt8.self).baseAddress
                return unsafe miswire_verify(context, head, head.count, from, bytes.count, wanted, mac.count)
            }
        }
        guard result >= 0 else { throw OpenSSLError(what: "HMAC") }
        return result == 1
    }
}
