import Glibc

/// How long something on this machine was ready to run and had to wait for a processor. A server beside us that answers
/// late while the processors are taken may well be healthy (oracle.md: our own pressure makes deadlines inconclusive).
///
/// Linux counts exactly this as `some` in `/proc/pressure/cpu` (Documentation/accounting/psi). Where the kernel keeps no
/// such count, a span in which the processors idled for less than a twentieth counts as a whole.
struct Pressure {
    private enum Source {
        case stall(FileDescriptor)
        case idle(FileDescriptor)
    }
    private let source: Source?
    private var last: UInt64 = 0
    private var lastBusy: UInt64 = 0

    init() {
        if let file = FileDescriptor("/proc/pressure/cpu") {
            source = .stall(file)
        } else {
            source = FileDescriptor("/proc/stat").map { .idle($0) }
        }
        _ = sample(span: .zero)
    }

    /// Nanoseconds since the last sample, at most `span`; 0 when the system does not tell.
    mutating func sample(span: Duration) -> UInt64 {
        let whole = UInt64(clamping: span.nanoseconds)
        switch source {
        case .stall(let file):
            guard let microseconds = Self.number(after: "total=", in: file.text()) else { return 0 }
            defer { last = microseconds }
            return min(whole, (microseconds &- min(last, microseconds)).multipliedSaturating(by: 1_000))
        case .idle(let file):
            let ticks = Self.ticks(in: file.text())
            guard ticks.count >= 4 else { return 0 }
            let (idle, busy) = (ticks[3], ticks.reduce(0, &+) &- ticks[3])
            defer { (last, lastBusy) = (idle, busy) }
            let (idled, worked) = (idle &- min(last, idle), busy &- min(lastBusy, busy))
            return worked > 0 && idled < worked / 20 ? whole : 0
        case nil: return 0
        }
    }

    /// The number behind the first occurrence of a key.
    static func number(after key: String, in text: String) -> UInt64? {
        for word in text.split(whereSeparator: { $0 == " " || $0 == "\n" }) where word.hasPrefix(key) {
            return UInt64(word.dropFirst(key.count))
        }
        return nil
    }

    /// The columns of the first line of `/proc/stat`: user, nice, system, idle and so on.
    static func ticks(in text: String) -> [UInt64] {
        guard let line = text.split(separator: "\n").first, line.hasPrefix("cpu ") else { return [] }
        return line.split(separator: " ").dropFirst().compactMap { UInt64($0) }
    }
}

/// A small file that the kernel writes anew at each read.
private final class FileDescriptor {
    private let number: Int32

    init?(_ path: String) {
        number = unsafe open(path, O_RDONLY | O_CLOEXEC)
        if number < 0 { return nil }
        // Some kernels list the file and refuse to read it.
        if text().isEmpty { return nil }
    }

    deinit { _ = close(number) }

    func text() -> String {
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = unsafe pread(number, &bytes, bytes.count, 0)
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : ""
    }
}

extension UInt64 {
    fileprivate func multipliedSaturating(by other: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
