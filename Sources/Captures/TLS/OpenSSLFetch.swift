import COpenSSL

/// OpenSSL refused a call that has to work: an algorithm is missing, or no memory was left.
struct OpenSSLError: Error, Equatable {
    /// `AES-128-GCM`
    let what: String
}

/// What is fetched once for the process; a fetch costs more than a record.
enum OpenSSLFetch {
    // Made once by the runtime's lock and never written or freed after that; OpenSSL counts references by itself.
    nonisolated(unsafe) private static let ciphers: [String: OpaquePointer] = {
        _ = miswire_start()
        var found: [String: OpaquePointer] = unsafe [:]
        for cipher in CipherSuite.Cipher.allCases {
            if let fetched = unsafe EVP_CIPHER_fetch(nil, cipher.openSSLName, nil) {
                unsafe found[cipher.openSSLName] = unsafe fetched
            }
        }
        return unsafe found
    }()

    // As above.
    nonisolated(unsafe) private static let hmac: OpaquePointer? = {
        _ = miswire_start()
        return unsafe EVP_MAC_fetch(nil, "HMAC", nil)
    }()

    // As above.
    nonisolated(unsafe) private static let hkdf: OpaquePointer? = {
        _ = miswire_start()
        return unsafe EVP_KDF_fetch(nil, "HKDF", nil)
    }()

    // As above.
    nonisolated(unsafe) private static let prf: OpaquePointer? = {
        _ = miswire_start()
        return unsafe EVP_KDF_fetch(nil, "TLS1-PRF", nil)
    }()

    static func cipher(_ cipher: CipherSuite.Cipher) throws(OpenSSLError) -> OpaquePointer {
        guard let found = unsafe ciphers[cipher.openSSLName] else { throw OpenSSLError(what: cipher.openSSLName) }
        return unsafe found
    }

    static func hmacAlgorithm() throws(OpenSSLError) -> OpaquePointer {
        guard let found = unsafe hmac else { throw OpenSSLError(what: "HMAC") }
        return unsafe found
    }

    static func hkdfAlgorithm() throws(OpenSSLError) -> OpaquePointer {
        guard let found = unsafe hkdf else { throw OpenSSLError(what: "HKDF") }
        return unsafe found
    }

    static func prfAlgorithm() throws(OpenSSLError) -> OpaquePointer {
        guard let found = unsafe prf else { throw OpenSSLError(what: "TLS1-PRF") }
        return unsafe found
    }
}
