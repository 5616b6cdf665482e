import Glibc
import Journaling
import NIOCore

/// The few system calls that a recording needs, each failure a typed error with its path. Signals do not end a call.
struct FileDescriptor: ~Copyable {
    private let number: Int32
    let path: String

    private init(_ number: Int32, _ path: String) {
        self.number = number
        self.path = path
    }

    deinit { _ = Glibc.close(number) }

    /// A new file of mode 0600; a link or file that is there already is refused (trust.md T36).
    static func create(_ path: String) throws(RecordingError) -> FileDescriptor {
        try open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, "the segment cannot be made")
    }

    static func read(_ path: String) throws(RecordingError) -> FileDescriptor {
        // Without O_NONBLOCK a FIFO of that name would hang us.
        try open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, "the recording cannot be read")
    }

    private static func open(_ path: String, _ flags: Int32, _ sentence: String) throws(RecordingError) -> FileDescriptor {
        while true {
            let number = unsafe Glibc.open(path, flags, 0o600)
            if number >= 0 { return FileDescriptor(number, path) }
            if errno != EINTR { throw failure(path, sentence) }
        }
    }

    /// Writes everything. When that fails half-way the file is cut back to where it ended before, so that no half line
    /// stands at the end of a disk that is full.
    func write(_ bytes: UnsafeRawBufferPointer) throws(RecordingError) {
        let start = lseek(number, 0, SEEK_END)
        var done = 0
        while done < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = unsafe Glibc.write(number, rest.baseAddress, rest.count)
            if count > 0 {
                done += count
            } else if count == 0 || errno != EINTR {
                let error = FileDescriptor.failure(path, "the recording cannot be written")
                if start >= 0 { _ = ftruncate(number, start) }
                throw error
            }
        }
    }

    func write(_ bytes: ByteBuffer) throws(RecordingError) {
        var problem: RecordingError?
        unsafe bytes.withUnsafeReadableBytes { bytes in
            do throws(RecordingError) { try unsafe write(bytes) } catch { problem = error }
        }
        if let problem { throw problem }
    }

    /// Up to `count` bytes; empty at the end of the file.
    func read(_ count: Int) throws(RecordingError) -> [UInt8] {
        while true {
            var got = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
                got = unsafe Glibc.read(number, buffer.baseAddress, count)
                initialized = max(0, got)
            }
            if got >= 0 { return bytes }
            if errno != EINTR { throw FileDescriptor.failure(path, "the recording cannot be read") }
        }
    }

    func sync() { _ = fdatasync(number) }

    /// As `sync`, for what must be on the disk before anything else happens.
    func syncOrFail() throws(RecordingError) {
        if fsync(number) != 0 { throw FileDescriptor.failure(path, "the file cannot be brought to the disk") }
    }

    /// Held until it is closed, whatever ends the process. False: somebody else holds it.
    /// - Parameter isShared: others may hold it as well who say so.
    func lock(isShared: Bool = false) -> Bool { flock(number, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 }

    /// For a file of our own: who only looks whether it is held holds it for a moment.
    func lockPatiently() { while flock(number, LOCK_EX) != 0, errno == EINTR {} }

    static func failure(_ path: String, _ sentence: String) -> RecordingError {
        let code = errno
        let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        return RecordingError(place: path, sentence: sentence, found: reason, remedy: remedy(code))
    }

    private static func remedy(_ code: Int32) -> String {
        switch code {
        case ENOENT: "name a path that exists"
        case EACCES, EPERM: "give yourself access or name another path"
        case EROFS: "name a path on a file system that can be written"
        case ENOSPC, EDQUOT: "make room on the disk"
        case ELOOP: "name the file itself, not a link"
        case EEXIST: "name another directory"
        case ENOTDIR: "name a directory"
        default: "try another path"
        }
    }
}
