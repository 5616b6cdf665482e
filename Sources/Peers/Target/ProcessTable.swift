import Glibc

/// What `/proc` tells of the processes of one group.
enum ProcessTable {
    struct Usage: Sendable, Equatable {
        var memory: UInt64 = 0
        var peak: UInt64 = 0
        var descriptors = 0
        var threads = 0
        var processes = 0
    }

    private struct Line {
        var state: Character
        var group: Int32
        var threads: Int
        var pages: UInt64
    }

    /// Whether some member of the group still runs; zombies do not.
    static func isAlive(group: Int32) -> Bool {
        var found = false
        each(of: group) { _, _ in
            found = true
            return false
        }
        return found
    }

    /// All members together. Reads a small file for every process of the machine: a millisecond or two.
    static func usage(group: Int32) -> Usage {
        var usage = Usage()
        let page = UInt64(clamping: sysconf(Int32(_SC_PAGESIZE)))
        each(of: group) { pid, line in
            usage.processes += 1
            usage.threads += line.threads
            usage.memory += line.pages.multipliedReportingOverflow(by: page).partialValue
            usage.peak += peak(pid)
            usage.descriptors += entries(of: "/proc/\(pid)/fd")
            return true
        }
        return usage
    }

    /// Every running member, until the answer is false.
    private static func each(of group: Int32, _ visit: (Int32, Line) -> Bool) {
        guard let directory = unsafe opendir("/proc") else { return }
        defer { unsafe closedir(directory) }
        while let name = unsafe next(in: directory) {
            guard let pid = Int32(name), let line = line(pid), line.group == group else { continue }
            if line.state != "Z", line.state != "X", !visit(pid, line) { return }
        }
    }

    /// From `/proc/PID/stat`, read behind the name in parentheses, which may hold anything.
    private static func line(_ pid: Int32) -> Line? {
        guard let text = contents(of: "/proc/\(pid)/stat", most: 1_024), let end = text.lastIndex(of: ")") else { return nil }
        // proc(5) numbers fields from 1 and the state is the third: number 20 is threads, 24 resident pages.
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 21, let state = fields[0].first, let group = Int32(fields[2]) else { return nil }
        return Line(state: state, group: group, threads: Int(fields[17]) ?? 0, pages: UInt64(fields[21]) ?? 0)
    }

    /// `VmHWM` of `/proc/PID/status`, in bytes; 0 when it is not told.
    private static func peak(_ pid: Int32) -> UInt64 {
        guard let text = contents(of: "/proc/\(pid)/status", most: 4_096) else { return 0 }
        for line in text.split(separator: "\n") where line.hasPrefix("VmHWM:") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            return words.count > 1 ? (UInt64(words[1]) ?? 0).multipliedReportingOverflow(by: 1_024).partialValue : 0
        }
        return 0
    }

    private static func contents(of path: String, most: Int) -> String? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: most)
        let count = unsafe read(file, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }

    private static func entries(of path: String) -> Int {
        guard let directory = unsafe opendir(path) else { return 0 }
        defer { unsafe closedir(directory) }
        var count = 0
        while let name = unsafe next(in: directory) { if name != ".", name != ".." { count += 1 } }
        return count
    }

    private static func next(in directory: OpaquePointer) -> String? {
        guard let entry = unsafe readdir(directory) else { return nil }
        return unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
