import Foundation
import NIOCore
import NIOSSL
import X509

/// TLS went wrong on one hop. The sentence's subject is the peer.
struct TLSTrouble: Error, Equatable {
    enum Kind: Equatable {
        /// Before the handshake was done.
        case handshake
        /// The time for it was over.
        case late
        /// FIN came without close_notify: what was sent may be cut short (RFC 8446 section 6.1).
        case truncated
        /// A record that cannot be read, or an alert.
        case broken
    }
    var kind: Kind
    var sentence: String
}

/// The libraries' errors in words.
enum TLSWords {
    /// - Parameter peer: `the client`, `the server`.
    static func handshake(
        _ error: any Error, peer: String, alert: UInt8?, certificate: NIOSSLCertificate?, at now: Int64
    ) -> String {
        if let alert { return "\(peer) ended the TLS handshake: \(Self.alert(alert))" }
        if let error = error as? TLSProblem { return "\(peer) asked for a certificate: \(error.sentence)" }
        if let error = error as? IOError { return "\(peer) ended the TLS handshake: \(SocketTuning.words(for: error.errnoCode))" }
        if let error = error as? NIOSSLExtraError, error == .failedToValidateHostname {
            return "\(peer)'s certificate is for another host"
        }
        let code = code(of: error)
        if code == "CERTIFICATE_VERIFY_FAILED" { return "\(peer)'s certificate is not accepted: \(flaw(of: certificate, at: now))" }
        if code == "EOF" { return "\(peer) ended the connection during the TLS handshake" }
        if let known = Self.alert(named: code) { return "\(peer) ended the TLS handshake: \(known)" }
        if let known = mistakes[code] { return "the TLS handshake failed: \(peer) \(known)" }
        return "the TLS handshake with \(peer) failed\(code.isEmpty ? "" : ": " + plain(code))"
    }

    static func broken(_ error: any Error, peer: String) -> String {
        let code = code(of: error)
        if let known = Self.alert(named: code) { return "\(peer) ended TLS: \(known)" }
        if let known = mistakes[code] { return "\(peer) \(known)" }
        return "TLS with \(peer) broke\(code.isEmpty ? "" : ": " + plain(code))"
    }

    /// What verification found wrong; the library only says that it did.
    private static func flaw(of certificate: NIOSSLCertificate?, at now: Int64) -> String {
        guard let certificate else { return "it cannot be verified" }
        if Int64(certificate.notValidAfter) < now { return "it expired on \(UTCDay.text(Int64(certificate.notValidAfter)))" }
        if Int64(certificate.notValidBefore) > now { return "it is not valid before \(UTCDay.text(Int64(certificate.notValidBefore)))" }
        guard let bytes = try? certificate.toDERBytes(), let read = try? Certificate(derEncoded: bytes) else { return "it cannot be read" }
        if read.issuer == read.subject { return "it is self-signed and not among the trusted" }
        return "its issuer \(read.issuer) is not trusted; --ca-file FILE names one"
    }

    /// `CERTIFICATE_VERIFY_FAILED`; `EOF` for an end in the middle; empty when nothing is known.
    private static func code(of error: any Error) -> String {
        let inner: BoringSSLError? =
            switch error {
            case let error as BoringSSLError: error
            case NIOSSLError.handshakeFailed(let inner), NIOSSLError.shutdownFailed(let inner): inner
            default: nil
            }
        switch inner {
        case .sslError(let stack), .unknownError(let stack):
            if stack.contains(.eofDuringHandshake) || stack.contains(.eofDuringAdditionalCertficiateChainValidation) { return "EOF" }
            // `Error: 268435581 error:1000007d:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED at …`
            guard let first = stack.first?.description, let end = first.range(of: " at ") else { return "" }
            return first[..<end.lowerBound].split(separator: ":").last.map(String.init) ?? ""
        default: return ""
        }
    }

    private static func plain(_ code: String) -> String { code.lowercased().split(separator: "_").joined(separator: " ") }

    /// What an alert of the peer means (RFC 8446 section 6.2).
    static func alert(_ code: UInt8) -> String { alerts.first { $0.code == code }?.words ?? "alert \(code)" }

    private static func alert(named name: String) -> String? {
        let bare = name.split(separator: "_ALERT_", maxSplits: 1).last.map(String.init) ?? name
        return alerts.first { $0.name == bare || "TLSV1_\($0.name)" == name }?.words
    }

    /// Code, the library's name for it, and words.
    private static let alerts: [(code: UInt8, name: String, words: String)] = [
        (10, "UNEXPECTED_MESSAGE", "it did not expect what it got (unexpected_message)"),
        (20, "BAD_RECORD_MAC", "a record that reached it was damaged (bad_record_mac)"),
        (40, "HANDSHAKE_FAILURE", "nothing that it speaks is common (handshake_failure)"),
        (42, "BAD_CERTIFICATE", "it does not accept the certificate (bad_certificate)"),
        (43, "UNSUPPORTED_CERTIFICATE", "it cannot use the certificate (unsupported_certificate)"),
        (44, "CERTIFICATE_REVOKED", "the certificate is revoked (certificate_revoked)"),
        (45, "CERTIFICATE_EXPIRED", "the certificate is out of date (certificate_expired)"),
        (46, "CERTIFICATE_UNKNOWN", "it does not accept the certificate (certificate_unknown)"),
        (47, "ILLEGAL_PARAMETER", "something in the handshake is illegal to it (illegal_parameter)"),
        (48, "UNKNOWN_CA", "it does not know the CA of the certificate (unknown_ca)"),
        (49, "ACCESS_DENIED", "it does not let this client in (access_denied)"),
        (50, "DECODE_ERROR", "it could not read a message (decode_error)"),
        (51, "DECRYPT_ERROR", "it could not check a signature (decrypt_error)"),
        (70, "PROTOCOL_VERSION", "it speaks no common version of TLS (protocol_version)"),
        (71, "INSUFFICIENT_SECURITY", "it wants stronger ciphers (insufficient_security)"),
        (80, "INTERNAL_ERROR", "it met an error of its own (internal_error)"),
        (90, "USER_CANCELLED", "it changed its mind (user_canceled)"),
        (112, "UNRECOGNIZED_NAME", "it serves no host of that name (unrecognized_name)"),
        (116, "CERTIFICATE_REQUIRED", "it wants a client certificate (certificate_required); --client-cert names one"),
        (120, "NO_APPLICATION_PROTOCOL", "it speaks none of the protocols offered (no_application_protocol)"),
    ]

    private static let mistakes = [
        "WRONG_VERSION_NUMBER": "answered without TLS",
        "HTTP_REQUEST": "speaks HTTP without TLS, here https or wss is spoken",
        "HTTPS_PROXY_REQUEST": "speaks HTTP without TLS, here https or wss is spoken",
        "UNSUPPORTED_PROTOCOL": "speaks no version of TLS that is allowed here",
        "NO_SHARED_CIPHER": "has no cipher in common with us",
        "UNEXPECTED_RECORD": "sent a record that does not belong there",
        "BAD_DECRYPT": "sent a record that cannot be decrypted",
        "DECRYPTION_FAILED_OR_BAD_RECORD_MAC": "sent a record that cannot be decrypted",
        "EXCESSIVE_MESSAGE_SIZE": "sent a message that is too large",
    ]
}
