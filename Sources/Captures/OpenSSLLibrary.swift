import COpenSSL

/// The only file that calls OpenSSL.
enum OpenSSLLibrary {
    static var version: String {
        unsafe OpenSSL_version(OPENSSL_VERSION).map { unsafe String(cString: $0) } ?? "OpenSSL, unknown version"
    }
}
