import COpenSSL

/// Keys from secrets.
enum OpenSSLKDF {
    /// HKDF-Expand-Label without context (RFC 8446 section 7.1). At most 255 bytes.
    static func expand(
        _ secret: [UInt8], label: String, count: Int, hash: CipherSuite.Hash
    ) throws(OpenSSLError) -> [UInt8] {
        let name = Array("tls13 ".utf8) + Array(label.utf8)
        guard let size = UInt8(exactly: count), let nameSize = UInt8(exactly: name.count), !secret.isEmpty else {
            throw OpenSSLError(what: "HKDF")
        }
        let info = [0, size, nameSize] + name + [0]
        let kdf = unsafe try OpenSSLFetch.hkdfAlgorithm()
        var output = [UInt8](repeating: 0, count: count)
        let result = unsafe miswire_expand(
            kdf, hash.openSSLName, secret, secret.count, info, info.count, &output, output.count)
        guard result == 1 else { throw OpenSSLError(what: "HKDF") }
        return output
    }

    /// PRF(secret, label, seed) of TLS 1.2 (RFC 5246 section 5).
    static func prf(
        _ secret: [UInt8], label: String, seed: [UInt8], count: Int, hash: CipherSuite.Hash
    ) throws(OpenSSLError) -> [UInt8] {
        let kdf = unsafe try OpenSSLFetch.prfAlgorithm()
        let whole = Array(label.utf8) + seed
        var output = [UInt8](repeating: 0, count: count)
        let result = unsafe miswire_prf(
            kdf, hash.openSSLName, secret, secret.count, whole, whole.count, &output, output.count)
        guard result == 1 else { throw OpenSSLError(what: "TLS1-PRF") }
        return output
    }
}
