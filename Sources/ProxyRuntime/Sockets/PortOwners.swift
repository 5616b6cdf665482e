import Glibc

extension PortOwner {
    /// Who listens on a TCP port, as far as the proc file system shows it to us.
    package static func listening(on port: Int) -> PortOwner? {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"].compactMap { ProcFile.text($0) }
        let inodes = tables.flatMap { listeners(in: $0, port: port) }
        guard !inodes.isEmpty else { return nil }
        let links = Set(inodes.map { "socket:[\($0)]" })
        for name in entries(of: "/proc") {
            guard let pid = Int(name) else { continue }
            let holds = entries(of: "/proc/\(pid)/fd").contains { entry in
                target(of: "/proc/\(pid)/fd/\(entry)").map(links.contains) ?? false
            }
            if holds { return PortOwner(name: command(of: pid), pid: pid, since: start(of: pid)) }
        }
        return nil
    }

    /// Inodes of sockets in state LISTEN (0A) on that port.
    private static func listeners(in table: String, port: Int) -> [Substring] {
        table.split(separator: "\n").dropFirst().compactMap { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count > 9, words[3] == "0A", let hex = words[1].split(separator: ":").last,
                Int(hex, radix: 16) == port
            else { return nil }
            return words[9]
        }
    }

    private static func command(of pid: Int) -> String {
        let text = ProcFile.text("/proc/\(pid)/comm") ?? ""
        return String(text.prefix { $0 != "\n" })
    }

    /// Field 22 of `stat` counts clock ticks since boot; the name in field 2 may hold anything, so count from its end.
    private static func start(of pid: Int) -> Int64? {
        guard let stat = ProcFile.text("/proc/\(pid)/stat"), let close = stat.lastIndex(of: ")"),
            let boot = ProcFile.text("/proc/stat")?.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
            let base = Int64(boot.dropFirst(6))
        else { return nil }
        let words = stat[stat.index(after: close)...].split(separator: " ")
        let ticks = Int64(max(1, sysconf(Int32(_SC_CLK_TCK))))
        guard words.count > 19, let began = Int64(words[19]) else { return nil }
        return base + began / ticks
    }

    private static func entries(of path: String) -> [String] {
        guard let directory = unsafe opendir(path) else { return [] }
        defer { _ = unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    private static func target(of path: String) -> String? {
        var bytes = [CChar](repeating: 0, count: 256)
        let count = unsafe bytes.withUnsafeMutableBufferPointer { buffer -> Int in
            guard let base = buffer.baseAddress else { return 0 }
            return unsafe readlink(path, base, buffer.count)
        }
        guard count > 0 else { return nil }
        return String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
