import Glibc

/// A side file of marks or messages: one line each, written before the effect that it describes has left.
final class MarkFile: Sendable {
    private let descriptor: Int32

    init(_ path: String) throws(BackendError) {
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o600)
        if descriptor < 0 { throw BackendError.marks(path: path, reason: unsafe String(cString: strerror(errno))) }
    }

    deinit { close(descriptor) }

    func write(_ line: String) {
        let line = Array((line + "\n").utf8)
        var done = 0
        while done < line.count {
            let count = unsafe line[done...].withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count > 0 { done += count } else if errno != EINTR { return }
        }
    }
}

enum WallClock {
    /// Milliseconds since 1970.
    static func milliseconds() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
