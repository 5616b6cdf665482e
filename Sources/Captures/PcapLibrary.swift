import CPcap

/// The only file that calls libpcap.
enum PcapLibrary {
    static var version: String { unsafe pcap_lib_version().map { unsafe String(cString: $0) } ?? "libpcap, unknown version" }
}
