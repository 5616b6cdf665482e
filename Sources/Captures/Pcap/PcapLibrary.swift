import CPcap
import Glibc

/// The only file that calls libpcap.
enum PcapLibrary {
    static var version: String {
        unsafe pcap_lib_version().map { unsafe String(cString: $0) } ?? "libpcap, unknown version"
    }
}

/// A filter in libpcap's language, compiled for one link type.
@safe final class PacketFilter {
    private let handle: OpaquePointer
    private var program = unsafe bpf_program()

    /// - Parameter place: what the expression is an option of, for the error.
    init(_ expression: String, link: UInt32, place: String) throws(ImportError) {
        guard let handle = unsafe pcap_open_dead(LinkLayer.programName(link), 262_144) else {
            throw ImportError(place: place, sentence: "libpcap has no memory for a filter")
        }
        unsafe self.handle = handle
        // 0xffffffff: the netmask is unknown, so that `ip broadcast` is an error and no guess.
        if unsafe pcap_compile(handle, &program, expression, 1, 0xffff_ffff) != 0 {
            let reason = unsafe pcap_geterr(handle).map { unsafe String(cString: $0) } ?? "unknown"
            throw PacketFilter.unusable(expression, reason, place: place)
        }
    }

    static func unusable(_ expression: String, _ reason: String, place: String) -> ImportError {
        ImportError(
            place: place, sentence: "the filter cannot be used", expected: "an expression such as `tcp port 8080`",
            found: "\(expression): \(reason)", remedy: "see `man pcap-filter`")
    }

    deinit {
        unsafe pcap_freecode(&program)
        unsafe pcap_close(handle)
    }

    /// Whether the packet passes; `bytes` begin with the link's header.
    func admits(_ bytes: RawSpan, wireLength: Int) -> Bool {
        var head = pcap_pkthdr()
        head.caplen = UInt32(clamping: bytes.byteCount)
        head.len = UInt32(clamping: wireLength)
        return unsafe bytes.withUnsafeBytes { buffer in
            guard let base = unsafe buffer.bindMemory(to: UInt8.self).baseAddress else { return false }
            return unsafe pcap_offline_filter(&program, &head, base) != 0
        }
    }
}

/// A network interface that is listened to: opened by the thread that may, used by one other.
@safe package final class CaptureDevice: @unchecked Sendable {
    private let handle: OpaquePointer
    private var program = unsafe bpf_program()
    let interface: String
    /// The LINKTYPE_ number of its packets.
    let link: UInt32
    private let nanoseconds: Bool

    /// What one packet may have: loopback shows segments above 64 KiB.
    static let snapLength: Int32 = 262_144
    /// What the kernel keeps while we are busy.
    static let ring: Int32 = 32 << 20

    struct Counts: Equatable {
        var received: UInt64 = 0
        /// By the kernel because we were behind, and by the interface.
        var dropped: UInt64 = 0
    }

    package init(_ interface: String, filter: String?) throws(ImportError) {
        var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        guard let handle = unsafe pcap_create(interface, &message) else {
            throw CaptureDevice.failure(interface, "", CaptureDevice.text(message))
        }
        unsafe self.handle = handle
        self.interface = interface
        unsafe pcap_set_snaplen(handle, CaptureDevice.snapLength)
        unsafe pcap_set_immediate_mode(handle, 1)
        unsafe pcap_set_buffer_size(handle, CaptureDevice.ring)
        nanoseconds = unsafe pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO) == 0
        let status = unsafe pcap_activate(handle)
        var dlt: Int32 = -1
        if status >= 0 { dlt = unsafe pcap_datalink(handle) }
        // What libpcap calls 12 inside a program is 101 in files.
        link = dlt == 12 || dlt == 14 ? 101 : UInt32(clamping: dlt)
        guard status >= 0 else {
            let words = unsafe pcap_statustostr(status).map { unsafe String(cString: $0) } ?? ""
            let detail = unsafe pcap_geterr(handle).map { unsafe String(cString: $0) } ?? ""
            throw CaptureDevice.failure(interface, words, detail, status)
        }
        guard LinkLayer.isKnown(link) else { throw LinkLayer.unknown(link, place: interface) }
        if let filter { try use(filter) }
        if unsafe pcap_setnonblock(handle, 1, &message) != 0 {
            throw CaptureDevice.failure(interface, "", CaptureDevice.text(message))
        }
    }

    deinit {
        unsafe pcap_freecode(&program)
        unsafe pcap_close(handle)
    }

    private func use(_ filter: String) throws(ImportError) {
        if unsafe pcap_compile(handle, &program, filter, 1, 0xffff_ffff) != 0 || pcap_setfilter(handle, &program) != 0 {
            let reason = unsafe pcap_geterr(handle).map { unsafe String(cString: $0) } ?? "unknown"
            throw PacketFilter.unusable(filter, reason, place: interface)
        }
    }

    /// Becomes readable when packets are there; -1: must be asked now and then.
    var descriptor: Int32 { unsafe pcap_get_selectable_fd(handle) }

    /// Passes on at most `count` packets that are there now; never waits.
    /// - Returns: how many.
    func take(
        _ count: Int, _ body: (_ bytes: RawSpan, _ wireLength: Int, _ time: WallTime) throws(ImportError) -> Void
    ) throws(ImportError) -> Int {
        for index in 0..<count {
            var head: UnsafeMutablePointer<pcap_pkthdr>?
            var bytes: UnsafePointer<UInt8>?
            let status = unsafe pcap_next_ex(handle, &head, &bytes)
            if status == 0 { return index }
            guard status == 1, let head = unsafe head?.pointee, let bytes = unsafe bytes else {
                let detail = unsafe pcap_geterr(handle).map { unsafe String(cString: $0) } ?? ""
                throw CaptureDevice.failure(interface, "the interface cannot be listened to any longer", detail, status)
            }
            let captured = Int(min(head.caplen, UInt32(CaptureDevice.snapLength)))
            let buffer = unsafe UnsafeRawBufferPointer(start: bytes, count: captured)
            let time =
                WallTime(head.ts.tv_sec) &* 1_000_000_000 &+ WallTime(head.ts.tv_usec) &* (nanoseconds ? 1 : 1_000)
            try unsafe body(buffer.bytes, max(Int(head.len), captured), time)
        }
        return count
    }

    var counts: Counts {
        var told = pcap_stat()
        guard unsafe pcap_stats(handle, &told) == 0 else { return Counts() }
        return Counts(received: UInt64(told.ps_recv), dropped: UInt64(told.ps_drop) + UInt64(told.ps_ifdrop))
    }

    private static func text(_ message: [CChar]) -> String {
        String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func failure(_ interface: String, _ words: String, _ detail: String, _ status: Int32 = 0)
        -> ImportError
    {
        let found = detail.isEmpty ? words : words.isEmpty ? detail : "\(words): \(detail)"
        switch status {
        case PCAP_ERROR_PERM_DENIED, PCAP_ERROR_PROMISC_PERM_DENIED:
            return ImportError(
                place: interface, sentence: "listening to the interface is not allowed", found: found,
                remedy:
                    "run it with sudo, or give the program the right once: sudo setcap cap_net_raw+ep $(command -v miswire)"
            )
        case PCAP_ERROR_NO_SUCH_DEVICE:
            return ImportError(
                place: interface, sentence: "there is no such interface", expected: names().joined(separator: ", "),
                found: found, remedy: "name one that is there, or `any` for all")
        case PCAP_ERROR_IFACE_NOT_UP:
            return ImportError(
                place: interface, sentence: "the interface is down", found: found,
                remedy: "sudo ip link set \(interface) up")
        default:
            return ImportError(
                place: interface, sentence: "the interface cannot be listened to", found: found,
                remedy: "name another interface")
        }
    }

    /// Interfaces that libpcap knows of, at most 20.
    private static func names() -> [String] {
        var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        var first: UnsafeMutablePointer<pcap_if_t>?
        guard unsafe pcap_findalldevs(&first, &message) == 0 else { return [] }
        defer { unsafe pcap_freealldevs(first) }
        var names: [String] = []
        var next = unsafe first
        while let device = unsafe next?.pointee, names.count < 20 {
            if let name = unsafe device.name { unsafe names.append(String(cString: name)) }
            unsafe next = device.next
        }
        return names
    }
}
