/// The system libraries that this program is linked with, as they name themselves.
package enum LibraryVersions {
    package static var lines: [String] { [libpcap, openSSL, zlib] }
    package static var libpcap: String { "" }
    package static var openSSL: String { "" }
    package static var zlib: String { "" }
}
