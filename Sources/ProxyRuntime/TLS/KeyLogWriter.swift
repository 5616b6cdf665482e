import Glibc
import NIOCore
import Synchronization

/// Secrets of TLS connections in the form that Wireshark reads (`SSLKEYLOGFILE`), of both hops. Whoever has this file reads
/// the traffic, so nobody else may.
package final class KeyLogWriter: Sendable {
    package let path: String
    private let file: Int32
    private let turn = Mutex<Void>(())

    /// Appends, as others do who share such a file; made with mode 0600.
    package init(_ path: String) throws(TLSProblem) {
        self.path = path
        file = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw TLSProblem(
                "the key log cannot be written", place: path, found: SocketTuning.words(for: errno),
                remedy: "name another file with --key-log, or unset SSLKEYLOGFILE")
        }
        var info = stat()
        guard unsafe fstat(file, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
            _ = close(file)
            throw TLSProblem("the key log is no regular file", place: path, remedy: "name another file")
        }
        guard info.st_mode & 0o077 == 0 else {
            _ = close(file)
            throw TLSProblem(
                "the key log is open to others", place: path, expected: "mode 0600",
                found: "mode 0\(String(info.st_mode & 0o7777, radix: 8))", remedy: "chmod 0600 \(PrivateDirectory.shell(path))")
        }
    }

    deinit { _ = close(file) }

    /// One whole line, from any loop.
    func write(_ line: ByteBuffer) {
        let bytes = Array(line.readableBytesView)
        // A line goes out by one call, so that lines of several processes never mix; a disk that is full costs the line.
        turn.withLock { _ in _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) } }
    }
}
