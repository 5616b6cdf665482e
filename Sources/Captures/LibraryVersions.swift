import CZlib

/// The system libraries that this program is linked with, as they name themselves.
package enum LibraryVersions {
    /// One line each, for `miswire --version`.
    package static var lines: [String] { [libpcap, openSSL, "zlib version \(zlib)"] }
    /// `libpcap version 1.10.3 (with TPACKET_V3)`
    package static var libpcap: String { PcapLibrary.version }
    /// `OpenSSL 3.0.17 1 Jul 2025`
    package static var openSSL: String { OpenSSLLibrary.version }
    /// `1.2.13`
    package static var zlib: String { unsafe zlibVersion().map { unsafe String(cString: $0) } ?? "unknown" }
}
