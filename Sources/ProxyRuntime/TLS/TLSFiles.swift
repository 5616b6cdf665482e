import Captures
import NIOSSL

/// Certificates and keys that the user names.
enum TLSFiles {
    static func certificates(_ path: String, for option: String) throws(TLSProblem) -> [NIOSSLCertificate] {
        let found: [NIOSSLCertificate]
        do { found = try NIOSSLCertificate.fromPEMFile(path) } catch {
            throw TLSProblem(
                "\(option) holds no certificate", place: path, expected: "a PEM file with -----BEGIN CERTIFICATE-----",
                found: ProcFile.text(path, most: 1) == nil ? "a file that cannot be read" : "something else", remedy: "name another file")
        }
        guard !found.isEmpty else {
            throw TLSProblem("\(option) holds no certificate", place: path, expected: "a PEM file", found: "none in it")
        }
        return found
    }

    static func key(_ path: String, for option: String) throws(TLSProblem) -> NIOSSLPrivateKey {
        ProcessSecrecy.begin()
        do { return try NIOSSLPrivateKey(file: path, format: .pem) } catch {
            throw TLSProblem(
                "\(option) holds no key that can be used", place: path, expected: "a PEM file with a private key and no passphrase",
                found: ProcFile.text(path, most: 1) == nil ? "a file that cannot be read" : "something else",
                remedy: "openssl pkey -in \(PrivateDirectory.shell(path)) -out plain.pem")
        }
    }

    /// A chain with its key; says which of them does not fit rather than leaving it to the first handshake.
    static func pair(
        chain: String, key: String, options: (chain: String, key: String)
    ) throws(TLSProblem) -> (chain: [NIOSSLCertificate], key: NIOSSLPrivateKey) {
        let certificates = try certificates(chain, for: options.chain)
        let secret = try self.key(key, for: options.key)
        var probe = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(secret))
        probe.minimumTLSVersion = .tlsv12
        do { _ = try NIOSSLContext(configuration: probe) } catch {
            throw TLSProblem(
                "\(options.key) is not the key of \(options.chain)", place: key, expected: "the private key of \(chain)",
                remedy: "name the key that belongs to the certificate")
        }
        return (certificates, secret)
    }
}
