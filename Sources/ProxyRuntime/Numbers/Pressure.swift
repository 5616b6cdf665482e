import Glibc

/// How much time the server beside us may have lost to others on this machine. A server that answers late while the
/// processors are taken may well be healthy (oracle.md: our own pressure makes deadlines inconclusive).
///
/// Linux counts in `/proc/pressure/cpu`, as `some`, how long anything that was ready to run had to wait for a processor
/// (Documentation/accounting/psi). Of that time each of `r` runnable threads on `n` processors lost about `1 - n/r`; `r`
/// stands in `/proc/loadavg` and is sampled. Where the kernel keeps no such count, a span in which the processors idled
/// for less than a twentieth takes its place.
package struct Pressure {
    private enum Source {
        case stall(FileDescriptor)
        case idle(FileDescriptor)
    }
    private let source: Source?
    private let load = FileDescriptor("/proc/loadavg")
    private let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    /// The latest counts of runnable threads.
    private var runnable: [Int] = []
    private var last: UInt64 = 0
    private var lastBusy: UInt64 = 0

    package init() {
        if let file = FileDescriptor("/proc/pressure/cpu") {
            source = .stall(file)
        } else {
            source = FileDescriptor("/proc/stat").map { .idle($0) }
        }
        _ = sample(span: .zero)
    }

    /// Nanoseconds since the last sample, at most `span`; 0 when the system does not tell.
    package mutating func sample(span: Duration) -> UInt64 {
        let whole = UInt64(clamping: span.nanoseconds)
        let crowded: UInt64
        switch source {
        case .stall(let file):
            guard let microseconds = Self.number(after: "total=", in: file.text()) else { return 0 }
            let (waited, overflow) = (microseconds &- min(last, microseconds)).multipliedReportingOverflow(by: 1_000)
            last = microseconds
            crowded = overflow ? whole : min(whole, waited)
        case .idle(let file):
            let ticks = Self.ticks(in: file.text())
            guard ticks.count >= 4 else { return 0 }
            let (idle, busy) = (ticks[3], ticks.reduce(0, &+) &- ticks[3])
            let (idled, worked) = (idle &- min(last, idle), busy &- min(lastBusy, busy))
            (last, lastBusy) = (idle, busy)
            crowded = worked > 0 && idled < worked / 20 ? whole : 0
        case nil: return 0
        }
        return Self.lost(of: crowded, runnable: most(), processors: processors)
    }

    /// The largest of the last four counts: what crowds us comes in bursts, and a sample is an instant.
    private mutating func most() -> Int {
        runnable.append(Self.runnable(in: load?.text() ?? "") ?? 0)
        if runnable.count > 4 { runnable.removeFirst() }
        return runnable.max() ?? 0
    }

    /// What each thread lost of the time in which more were runnable than there are processors.
    static func lost(of crowded: UInt64, runnable: Int, processors: Int) -> UInt64 {
        let threads = UInt64(clamping: max(runnable, processors + 1))
        return crowded / threads * (threads - UInt64(clamping: processors))
    }

    /// `0.20 0.18 0.12 3/80 11206`: 3.
    static func runnable(in text: String) -> Int? {
        text.split(separator: " ").dropFirst(3).first?.split(separator: "/").first.flatMap { Int($0) }
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
