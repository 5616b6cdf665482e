import COpenSSL
import NIOCore

/// AES-GCM or ChaCha20-Poly1305 under one key: one context for all records of a direction.
@safe final class OpenSSLAEAD {
    static let tagLength = 16
    static let nonceLength = 12

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

    /// The plaintext of `sealed` (ciphertext and tag), or nil when it does not authenticate.
    func open(_ sealed: ByteBuffer, nonce: [UInt8], extra: [UInt8]) throws(OpenSSLError) -> ByteBuffer? {
        let count = sealed.readableBytes - OpenSSLAEAD.tagLength
        guard count >= 0, nonce.count == OpenSSLAEAD.nonceLength, let length = Int32(exactly: count),
            let extraLength = Int32(exactly: extra.count)
        else { return nil }
        var result: Int32 = -1
        var plain = ByteBufferAllocator().buffer(capacity: max(1, count))
        unsafe sealed.withUnsafeReadableBytes { input in
            _ = unsafe plain.writeWithUnsafeMutableBytes(minimumWritableBytes: max(1, count)) { output in
                // Both buffers were sized above: `count` and the tag are readable, `count` is writable.
                guard let from = unsafe input.bindMemory(to: UInt8.self).baseAddress,
                    let into = unsafe output.bindMemory(to: UInt8.self).baseAddress
                else { return 0 }
                result = unsafe miswire_open(
                    context, nonce, extra, extraLength, from, length, from + count, into)
                return result == 1 ? count : 0
            }
        }
        guard result >= 0 else { throw OpenSSLError(what: "an AEAD cipher") }
        return result == 1 ? plain : nil
    }
}
