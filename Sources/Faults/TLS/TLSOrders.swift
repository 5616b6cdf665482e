/// What TLS faults ask of one hop. It is decided before the hop's handshake begins, because most of it is settled there.
package struct TLSOrders: Sendable, Hashable {
    /// What is wrong with the certificate that the client is shown.
    package enum Flaw: String, Sendable, Hashable, CaseIterable {
        case expired
        case notYetValid = "not-yet-valid"
        case wrongHost = "wrong-host"
        case selfSigned = "self-signed"
        case unknownCA = "unknown-ca"

        /// A CA that the client trusts must sign it, or the client would see another flaw.
        package var needsAuthority: Bool {
            switch self {
            case .expired, .notYetValid, .wrongHost: true
            case .selfSigned, .unknownCA: false
            }
        }
    }
    package enum Version: Int, Sendable, Hashable, Comparable, CaseIterable {
        case tls10, tls11, tls12, tls13
        /// `1.2`
        package var word: String { "1.\(rawValue)" }
        package init?(word: String) {
            guard let found = Self.allCases.first(where: { $0.word == word }) else { return nil }
            self = found
        }
        package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }
    /// Our own side of the handshake stands still.
    package struct Stall: Sendable, Hashable {
        /// Our first record still goes out.
        package var isAfterHello: Bool
        /// Nil: for good.
        package var time: Duration?
        package init(isAfterHello: Bool, time: Duration?) {
            self.isAfterHello = isAfterHello
            self.time = time
        }
    }
    package struct Corruption: Sendable, Hashable {
        /// Which record of application data on its way to the peer, from 1.
        package var record: Int
        /// Decides which bits of it.
        package var draw: UInt64
        package init(record: Int, draw: UInt64) {
            self.record = record
            self.draw = draw
        }
    }
    package var flaw: Flaw?
    package var versions: ClosedRange<Version>?
    /// Code points of the IANA registry; only suites before TLS 1.3 can be chosen.
    package var ciphers: [UInt16]?
    package var stall: Stall?
    package var corruption: Corruption?

    package init(
        flaw: Flaw? = nil, versions: ClosedRange<Version>? = nil, ciphers: [UInt16]? = nil, stall: Stall? = nil,
        corruption: Corruption? = nil
    ) {
        self.flaw = flaw
        self.versions = versions
        self.ciphers = ciphers
        self.stall = stall
        self.corruption = corruption
    }

    package static let none = TLSOrders()

    /// What a later rule asks for as well; of two words on the same thing the later counts.
    package func joined(with other: TLSOrders) -> TLSOrders {
        TLSOrders(
            flaw: other.flaw ?? flaw, versions: other.versions ?? versions, ciphers: other.ciphers ?? ciphers,
            stall: other.stall ?? stall, corruption: other.corruption ?? corruption)
    }
}
