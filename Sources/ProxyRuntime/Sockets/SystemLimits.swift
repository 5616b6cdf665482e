import Glibc
package import Journaling

/// What the machine we run on allows.
package enum SystemLimits {
    /// Processors this process may use; at least 1.
    package static var cores: Int { max(1, Int(clamping: sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// L7: raises the descriptor limit as far as it goes, then lowers `limits.sessions` to what it carries.
    package static func fitted(_ limits: Limits) -> Limits {
        var limits = limits
        limits.sessions = max(
            1, min(limits.sessions, (descriptors() - limits.reservedDescriptors) / 2, epollWatches() / 4))
        return limits
    }

    private static func descriptors() -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1_024 }
        if limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        }
        return Int(clamping: limit.rlim_cur)
    }

    private static func epollWatches() -> Int {
        ProcFile.text("/proc/sys/fs/epoll/max_user_watches").flatMap { Int($0.prefix { $0.isNumber }) } ?? .max
    }
}

/// Small files of the proc file system.
enum ProcFile {
    static func text(_ path: String, most: Int = 1 << 20) -> String? {
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = Glibc.close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count < most {
            let count = unsafe piece.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            if count <= 0 { break }
            bytes.append(contentsOf: piece.prefix(count))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
