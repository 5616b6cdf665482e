import Glibc
import NIOCore

/// A file without a name, gone with the process whatever ends it: what a sort cannot keep in memory. It holds unredacted
/// traffic, so nobody else can ever open it.
final class ScratchFile {
    private let number: Int32
    private let directory: String
    private(set) var size: UInt64 = 0

    /// `O_TMPFILE` of Linux, whose definition Swift does not import.
    private static let withoutName = 0o20_000_000 | O_DIRECTORY

    /// - Parameter directory: one on the file system that is to be written to.
    init(beside directory: String) throws(ImportError) {
        self.directory = directory
        let number = unsafe Glibc.open(directory, Self.withoutName | O_RDWR | O_CLOEXEC, 0o600)
        if number >= 0 {
            self.number = number
            return
        }
        // Some file systems know no file without a name: one is made and unlinked at once.
        var template = Array((directory + "/.miswire-" + String(repeating: "X", count: 6)).utf8CString)
        self.number = unsafe template.withUnsafeMutableBufferPointer { buffer -> Int32 in
            guard let base = buffer.baseAddress else { return -1 }
            let number = unsafe mkstemp(base)
            if number >= 0 {
                _ = fcntl(number, F_SETFD, FD_CLOEXEC)
                _ = unsafe unlink(base)
            }
            return number
        }
        guard self.number >= 0 else { throw failure("no scratch file can be made there") }
    }

    deinit { if number >= 0 { _ = close(number) } }

    func append(_ bytes: ByteBuffer) throws(ImportError) {
        var problem: ImportError?
        unsafe bytes.withUnsafeReadableBytes { bytes in
            var done = 0
            while done < bytes.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
                let count = unsafe pwrite(number, rest.baseAddress, rest.count, off_t(size))
                if count > 0 {
                    done += count
                    size += UInt64(count)
                } else if count == 0 || errno != EINTR {
                    problem = failure("the scratch file cannot be written")
                    return
                }
            }
        }
        if let problem { throw problem }
    }

    /// Exactly these bytes.
    func read(at offset: UInt64, _ count: Int) throws(ImportError) -> ByteBuffer {
        var out = ByteBuffer()
        out.reserveCapacity(count)
        while out.readableBytes < count {
            let place = off_t(offset) + off_t(out.readableBytes)
            let wanted = count - out.readableBytes
            let got = unsafe out.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { buffer in
                max(0, unsafe pread(number, buffer.baseAddress, wanted, place))
            }
            if got == 0, errno != EINTR { throw failure("the scratch file cannot be read") }
        }
        return out
    }

    private func failure(_ sentence: String) -> ImportError {
        let code = errno
        let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        return ImportError(place: directory, sentence: sentence, found: reason, remedy: "make room there or name another --out")
    }
}
