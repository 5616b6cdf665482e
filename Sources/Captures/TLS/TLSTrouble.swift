import Wire

/// Why bytes of a TLS connection stay closed, or are worth a word. One sentence each, behind the connection's names.
enum TLSTrouble: Equatable {
    case noHandshake
    case helloMissing(Side)
    case unreadableHello(Side)
    /// `knownConnections` nil: there is no key log.
    case secretMissing([KeyLog.Label], ClientRandom, knownConnections: Int?)
    case version(UInt16)
    case suite(UInt16, isTLS13: Bool)
    case compression
    case http2
    case renegotiation
    case unauthentic(Side, record: UInt64)
    case noTLS(Side)
    case missingBytes(Side)
    case cut(Side, bytes: Int)
    case waitedTooLong
    case earlyData(records: Int, bytes: Int, isAccepted: Bool)
    case outOfPlace(Side)
    case library(OpenSSLError)
    case alert(Side, level: UInt8, description: UInt8)

    var sentence: String {
        switch self {
        case .noHandshake:
            "its handshake is not in the capture, so no key fits; start the capture before the connection"
        case .helloMissing(let side):
            "the \(side.rawValue)'s hello is not in the capture, so no key fits; start the capture before the connection"
        case .unreadableHello(let side): "the \(side.rawValue)'s hello cannot be read"
        case .secretMissing(let labels, let random, let known):
            TLSTrouble.missing(labels, random, known)
        case .version(let version):
            "\(TLSTrouble.name(version)) is not read; TLS 1.2 and 1.3 are"
        case .suite(let number, let isTLS13):
            "the cipher suite \(CipherSuite.name(number)) is not read\(isTLS13 ? " in TLS 1.3" : ""); "
                + "AES-GCM, ChaCha20-Poly1305 and, in TLS 1.2, AES-CBC are"
        case .compression: "TLS compression is not read"
        case .http2:
            "both agreed on HTTP/2, whose import is not supported; capture a client that asks for HTTP/1.1"
        case .renegotiation: "a renegotiation began, which is not followed; what comes after it stays closed"
        case .unauthentic(let side, let record):
            "record \(record) of the \(side.rawValue) does not authenticate with the key of the log "
                + "(changed bytes, or another connection's key); the rest of that direction stays closed"
        case .noTLS(let side):
            "the \(side.rawValue) sent bytes that are no TLS record; the rest of that direction stays closed"
        case .missingBytes(let side):
            "bytes of the \(side.rawValue) are missing in the capture; the rest of that direction stays closed"
        case .cut(let side, let bytes): "the last record of the \(side.rawValue) is cut after \(bytes) bytes"
        case .waitedTooLong: "more bytes waited for a key than are held; they stay closed"
        case .earlyData(let records, let bytes, let isAccepted):
            "\(records) records of 0-RTT early data (\(bytes) bytes) are skipped"
                + (isAccepted ? "; the server took them" : "; the server refused them")
        case .outOfPlace(let side):
            "the \(side.rawValue) sent a record out of place; the rest of that direction stays closed"
        case .library(let error): "OpenSSL refused \(error.what); the rest of that direction stays closed"
        case .alert(let side, let level, let description):
            "the \(side.rawValue) sent the \(level == 1 ? "warning" : "fatal") alert \(TLSTrouble.alertName(description))"
        }
    }

    /// Whether application data stays closed because of it.
    var closes: Bool {
        switch self {
        case .alert: false
        case .earlyData(_, _, let isAccepted): isAccepted
        default: true
        }
    }

    private static func missing(_ labels: [KeyLog.Label], _ random: ClientRandom, _ known: Int?) -> String {
        let what = labels.map(\.rawValue).joined(separator: ", ")
        let log = known.map { "the key log (\($0) connection\($0 == 1 ? "" : "s")) lacks" } ?? "there is no key log, and it needs"
        return "\(log) \(what) for client random \(random.hex); "
            + "run the client or the server with SSLKEYLOGFILE=FILE while capturing, and name it with --keylog FILE"
    }

    private static func name(_ version: UInt16) -> String {
        switch version {
        case 0x0300: "SSL 3.0"
        case 0x0301: "TLS 1.0"
        case 0x0302: "TLS 1.1"
        default: "TLS version 0x\(String(version, radix: 16))"
        }
    }

    /// RFC 8446 section 6, the ones that are met.
    private static func alertName(_ number: UInt8) -> String {
        let names: [UInt8: String] = [
            10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow", 40: "handshake_failure",
            42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired",
            46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca", 49: "access_denied",
            50: "decode_error", 51: "decrypt_error", 70: "protocol_version", 71: "insufficient_security",
            80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled", 100: "no_renegotiation",
            109: "missing_extension", 110: "unsupported_extension", 112: "unrecognized_name",
            116: "certificate_required", 120: "no_application_protocol",
        ]
        return names[number] ?? "\(number)"
    }
}
