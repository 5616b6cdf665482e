import Crypto
import Foundation
import NIOSSL
import SwiftASN1
import X509

/// Our own CA: made on this machine for this installation, good for a few names and a few weeks (trust.md T1 to T4). Whoever
/// has its key is each of those names to whoever trusts it, so the key stays in this value and in one file.
package struct Authority: Sendable {
    package static let life: Int64 = 90 * 86_400
    package static let leafLife: Int64 = 7 * 86_400
    /// Clocks of others may be behind ours by that much.
    package static let backdating: Int64 = 48 * 3_600
    /// With less left, whoever trusts it is to be told in time.
    package static let nearEnd: Int64 = 14 * 86_400

    let certificate: Certificate
    private let key: P256.Signing.PrivateKey
    package let names: CANames

    /// - Parameter now: seconds since 1970.
    package init(names: CANames, at now: Int64) throws(TLSProblem) {
        self.names = names
        key = P256.Signing.PrivateKey()
        do { certificate = try Self.root(key, names, from: now - Self.backdating, to: now + Self.life) } catch {
            throw TLSProblem("the CA's certificate cannot be made", found: "\(error)")
        }
    }

    /// - Parameter text: as `stored` gives it.
    init(stored text: String, place: String) throws(TLSProblem) {
        func broken(_ found: String) -> TLSProblem {
            TLSProblem("the CA is broken", place: place, found: found, remedy: "miswire ca create --renew")
        }
        do {
            let parts = try PEMDocument.parseMultiple(pemString: text)
            guard let secret = parts.first(where: { $0.discriminator == "PRIVATE KEY" }) else { throw broken("no private key") }
            guard let public_ = parts.first(where: { $0.discriminator == "CERTIFICATE" }) else { throw broken("no certificate") }
            key = try P256.Signing.PrivateKey(derRepresentation: secret.derBytes)
            certificate = try Certificate(derEncoded: public_.derBytes)
        } catch let error as TLSProblem {
            throw error
        } catch {
            throw broken("bytes that are no key with its certificate")
        }
        guard certificate.publicKey == Certificate.PublicKey(key.publicKey) else { throw broken("a certificate of another key") }
        guard let constraints = try? certificate.extensions.nameConstraints else { throw broken("no name constraints") }
        names = CANames(
            domains: Array(constraints.permittedDNSDomains),
            addresses: constraints.permittedIPRanges.map { Array($0.bytes.prefix($0.bytes.count / 2)) })
    }

    /// Key and certificate as one text, so that never one of them is older than the other.
    func stored() throws(TLSProblem) -> String {
        guard let secret = try? Certificate.PrivateKey(key).serializeAsPEM() else { throw TLSProblem("the CA's key cannot be written") }
        return secret.pemString + "\n" + certificatePEM
    }

    // MARK: What anybody may know

    package var certificatePEM: String { ((try? certificate.serializeAsPEM().pemString) ?? "") + "\n" }

    package var certificateDER: [UInt8] {
        var coder = DER.Serializer()
        return (try? coder.serialize(certificate)).map { coder.serializedBytes } ?? []
    }

    /// SHA-256 of the certificate, in pairs of hex digits with colons between.
    package var fingerprint: String {
        SHA256.hash(data: certificateDER).map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined(separator: ":")
    }

    package var subject: String { "\(certificate.subject)" }
    /// Seconds since 1970.
    package var begins: Int64 { Int64(certificate.notValidBefore.timeIntervalSince1970) }
    package var ends: Int64 { Int64(certificate.notValidAfter.timeIntervalSince1970) }

    /// Days that are left, the one that has begun included: the same a second after it was made as when it was.
    package func days(at now: Int64) -> Int { ends > now ? Int(clamping: (ends - now - 1) / 86_400 + 1) : 0 }

    // MARK: Certificates

    private static func root(
        _ key: P256.Signing.PrivateKey, _ names: CANames, from begin: Int64, to end: Int64
    ) throws -> Certificate {
        let mark = SHA256.hash(data: key.publicKey.x963Representation)
        let subject = try DistinguishedName {
            CommonName("miswire CA \(mark.prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())")
            OrganizationName("miswire on this machine only")
        }
        let ranges = [[127, 0, 0, 0, 255, 0, 0, 0], Self.single([UInt8](repeating: 0, count: 15) + [1])] + names.addresses.map(Self.single)
        return try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(key.publicKey),
            notValidBefore: Date(timeIntervalSince1970: Double(begin)), notValidAfter: Date(timeIntervalSince1970: Double(end)),
            issuer: subject, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true))
                Critical(
                    NameConstraints(
                        permittedDNSDomains: names.domains, permittedIPRanges: ranges.map { ASN1OctetString(contentBytes: $0[...]) }))
                SubjectKeyIdentifier(keyIdentifier: Array(mark.prefix(20))[...])
            }, issuerPrivateKey: .init(key))
    }

    /// An address and the mask that lets through no other.
    private static func single(_ address: [UInt8]) -> [UInt8] { address + [UInt8](repeating: 255, count: address.count) }

    /// What a leaf says and for how long. Faults alone ask for anything but `ordinary`.
    struct LeafTerms {
        var names: [String]
        var begin: Int64
        var end: Int64
        /// Signed by its own key and not by the CA's.
        var isSelfSigned = false

        static func ordinary(_ names: [String], at now: Int64) -> LeafTerms {
            LeafTerms(names: names, begin: now - Authority.backdating, end: now + Authority.leafLife)
        }
    }

    /// - Throws: `TLSProblem` for a name that this CA does not vouch for.
    func leaf(_ terms: LeafTerms, for leafKey: P256.Signing.PrivateKey) throws(TLSProblem) -> Certificate {
        if !terms.isSelfSigned, let foreign = terms.names.first(where: { !names.covers($0) }) {
            throw TLSProblem(
                "the CA does not vouch for \(foreign)", expected: "one of \((["loopback"] + names.words).joined(separator: ", "))",
                remedy: "miswire ca create --renew --ca-names \(PrivateDirectory.shell((names.words + [foreign]).joined(separator: ",")))")
        }
        // No name at all in it that could be taken for a host: only the alternative names count (RFC 9525 section 2).
        do {
            let subject = try DistinguishedName { CommonName("miswire proxy") }
            return try Certificate(
                version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(leafKey.publicKey),
                notValidBefore: Date(timeIntervalSince1970: Double(terms.begin)),
                notValidAfter: Date(timeIntervalSince1970: Double(terms.isSelfSigned ? terms.end : min(terms.end, ends))),
                issuer: terms.isSelfSigned ? subject : certificate.subject, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
                extensions: try Certificate.Extensions {
                    Critical(BasicConstraints.notCertificateAuthority)
                    Critical(KeyUsage(digitalSignature: true))
                    try ExtendedKeyUsage([.serverAuth])
                    SubjectAlternativeNames(
                        terms.names.map { name in
                            CANames.address(name).map { .ipAddress(ASN1OctetString(contentBytes: $0[...])) } ?? .dnsName(name.lowercased())
                        })
                    SubjectKeyIdentifier(keyIdentifier: Array(SHA256.hash(data: leafKey.publicKey.x963Representation).prefix(20))[...])
                    AuthorityKeyIdentifier(keyIdentifier: Array(SHA256.hash(data: signer(terms, leafKey).x963Representation).prefix(20))[...])
                }, issuerPrivateKey: .init(terms.isSelfSigned ? leafKey : key))
        } catch let error as TLSProblem { throw error } catch { throw TLSProblem("a certificate cannot be made", found: "\(error)") }
    }

    private func signer(_ terms: LeafTerms, _ leafKey: P256.Signing.PrivateKey) -> P256.Signing.PublicKey {
        terms.isSelfSigned ? leafKey.publicKey : key.publicKey
    }
}

extension Authority: CustomStringConvertible, CustomReflectable {
    /// Nothing that prints values ever prints the key (trust.md T5).
    package var description: String { "Authority(\(subject))" }
    package var customMirror: Mirror { Mirror(self, children: ["subject": subject]) }
}
