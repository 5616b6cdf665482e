/// A cipher suite that this program decrypts: what follows from its number (IANA, TLS Cipher Suites).
struct CipherSuite: Sendable, Hashable {
    enum Cipher: Sendable, Hashable, CaseIterable {
        case aes128GCM, aes256GCM, chaCha20, aes128CBC, aes256CBC

        var keyLength: Int { self == .aes128GCM || self == .aes128CBC ? 16 : 32 }
        var isBlockMode: Bool { self == .aes128CBC || self == .aes256CBC }
        var openSSLName: String {
            switch self {
            case .aes128GCM: "AES-128-GCM"
            case .aes256GCM: "AES-256-GCM"
            case .chaCha20: "ChaCha20-Poly1305"
            case .aes128CBC: "AES-128-CBC"
            case .aes256CBC: "AES-256-CBC"
            }
        }
    }

    enum Hash: Sendable, Hashable {
        case sha1, sha256, sha384

        /// Bytes.
        var length: Int {
            switch self {
            case .sha1: 20
            case .sha256: 32
            case .sha384: 48
            }
        }
        var openSSLName: String {
            switch self {
            case .sha1: "SHA1"
            case .sha256: "SHA256"
            case .sha384: "SHA384"
            }
        }
    }

    let number: UInt16
    let cipher: Cipher
    /// Of the PRF of 1.2 or the HKDF of 1.3.
    let hash: Hash
    /// Of the HMAC over records, with block modes.
    let mac: Hash?
    /// TLS 1.3 has its own suites, and no other version has these.
    let isTLS13: Bool

    private init(_ number: UInt16, _ cipher: Cipher, _ hash: Hash, mac: Hash? = nil, isTLS13: Bool = false) {
        self.number = number
        self.cipher = cipher
        self.hash = hash
        self.mac = mac
        self.isTLS13 = isTLS13
    }

    init?(_ number: UInt16) {
        guard let found = CipherSuite.table[number] else { return nil }
        self = found
    }

    /// `0x1304 (TLS_AES_128_CCM_SHA256)`, the name where a reader may meet it.
    static func name(_ number: UInt16) -> String {
        let digits = String(number, radix: 16)
        let hex = "0x" + String(repeating: "0", count: 4 - digits.count) + digits
        return refused[number].map { "\(hex) (\($0))" } ?? hex
    }

    /// The key exchange does not matter to one who has the master secret, so rows are grouped by what is left.
    private static let table: [UInt16: CipherSuite] = {
        var table: [UInt16: CipherSuite] = [:]
        func add(_ numbers: [UInt16], _ cipher: Cipher, _ hash: Hash, mac: Hash? = nil, isTLS13: Bool = false) {
            for number in numbers { table[number] = CipherSuite(number, cipher, hash, mac: mac, isTLS13: isTLS13) }
        }
        add([0x1301], .aes128GCM, .sha256, isTLS13: true)
        add([0x1302], .aes256GCM, .sha384, isTLS13: true)
        add([0x1303], .chaCha20, .sha256, isTLS13: true)
        // RSA, DHE_RSA, DH_RSA, DHE_DSS, DH_DSS, DH_anon, PSK, DHE_PSK, RSA_PSK; ECDHE_ECDSA, ECDH_ECDSA, ECDHE_RSA, ECDH_RSA.
        let gcm: [UInt16] = [
            0x009C, 0x009E, 0x00A0, 0x00A2, 0x00A4, 0x00A6, 0x00A8, 0x00AA, 0x00AC, 0xC02B, 0xC02D, 0xC02F, 0xC031,
        ]
        add(gcm, .aes128GCM, .sha256)
        add(gcm.map { $0 + 1 }, .aes256GCM, .sha384)
        // ECDHE_RSA, ECDHE_ECDSA, DHE_RSA, PSK, ECDHE_PSK, DHE_PSK, RSA_PSK.
        add([0xCCA8, 0xCCA9, 0xCCAA, 0xCCAB, 0xCCAC, 0xCCAD, 0xCCAE], .chaCha20, .sha256)
        // RSA, DH_DSS, DH_RSA, DHE_DSS, DHE_RSA, DH_anon; then PSK, DHE_PSK, RSA_PSK; then the elliptic ones and ECDHE_PSK.
        add(
            [0x002F, 0x0030, 0x0031, 0x0032, 0x0033, 0x0034, 0x008C, 0x0090, 0x0094]
                + [0xC004, 0xC009, 0xC00E, 0xC013, 0xC018, 0xC035], .aes128CBC, .sha256, mac: .sha1)
        add(
            [0x0035, 0x0036, 0x0037, 0x0038, 0x0039, 0x003A, 0x008D, 0x0091, 0x0095]
                + [0xC005, 0xC00A, 0xC00F, 0xC014, 0xC019, 0xC036], .aes256CBC, .sha256, mac: .sha1)
        add(
            [0x003C, 0x003E, 0x003F, 0x0040, 0x0067, 0x006C, 0x00AE, 0x00B2, 0x00B6]
                + [0xC023, 0xC025, 0xC027, 0xC029, 0xC037], .aes128CBC, .sha256, mac: .sha256)
        add([0x003D, 0x0068, 0x0069, 0x006A, 0x006B, 0x006D], .aes256CBC, .sha256, mac: .sha256)
        add(
            [0x00AF, 0x00B3, 0x00B7, 0xC024, 0xC026, 0xC028, 0xC02A, 0xC038], .aes256CBC, .sha384, mac: .sha384)
        return table
    }()

    private static let refused: [UInt16: String] = [
        0x1304: "TLS_AES_128_CCM_SHA256", 0x1305: "TLS_AES_128_CCM_8_SHA256",
        0x0005: "TLS_RSA_WITH_RC4_128_SHA", 0x000A: "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        0xC09C: "TLS_RSA_WITH_AES_128_CCM", 0xC09D: "TLS_RSA_WITH_AES_256_CCM",
        0xC0AC: "TLS_ECDHE_ECDSA_WITH_AES_128_CCM", 0xC0AD: "TLS_ECDHE_ECDSA_WITH_AES_256_CCM",
        0xC0AE: "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", 0xC0AF: "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8",
    ]
}
