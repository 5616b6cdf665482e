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

/// Directories and what is in them.
enum Directory {
    enum Kind { case directory, file, other, missing }

    static func kind(_ path: String) -> Kind {
        var info = stat()
        guard unsafe stat(path, &info) == 0 else { return .missing }
        switch info.st_mode & S_IFMT {
        case S_IFDIR: return .directory
        case S_IFREG: return .file
        default: return .other
        }
    }

    /// Makes it with mode 0700, parents included; one that is there already stays as it is.
    static func make(_ path: String) throws(RecordingError) {
        if kind(path) == .directory { return }
        if let parent = parent(of: path), kind(parent) == .missing { try makeParents(of: path) }
        if unsafe mkdir(path, 0o700) == 0 || errno == EEXIST && kind(path) == .directory { return }
        throw FileDescriptor.failure(path, "the directory cannot be made")
    }

    private static func makeParents(of path: String) throws(RecordingError) {
        var whole = ""
        for piece in (parent(of: path) ?? "").split(separator: "/", omittingEmptySubsequences: false) {
            whole += whole.isEmpty && piece.isEmpty ? "/" : (whole.isEmpty || whole == "/" ? "" : "/") + piece
            if whole.isEmpty || kind(whole) != .missing { continue }
            guard unsafe mkdir(whole, 0o700) == 0 || errno == EEXIST else {
                throw FileDescriptor.failure(whole, "the directory cannot be made")
            }
        }
    }

    static func parent(of path: String) -> String? {
        var path = path[...]
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        guard let slash = path.lastIndex(of: "/") else { return nil }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Names in byte order.
    static func names(in path: String) throws(RecordingError) -> [String] {
        guard let stream = unsafe opendir(path) else { throw FileDescriptor.failure(path, "the recording cannot be read") }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: unsafe entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// A whole file of at most `most` bytes.
    static func contents(_ path: String, most: Int, chunk: Int) throws(RecordingError) -> ByteBuffer {
        let file = try FileDescriptor.read(path)
        var bytes = ByteBuffer()
        while true {
            let part = try file.read(max(1, chunk))
            if part.isEmpty { return bytes }
            guard part.count <= most - bytes.readableBytes else {
                throw RecordingError(
                    place: path, sentence: "the file is too large", expected: "at most \(most) bytes", found: "more than \(most) bytes",
                    remedy: "leave it out")
            }
            bytes.writeBytes(part)
        }
    }

    /// The first bytes of a file, at most `count`.
    static func head(_ path: String, _ count: Int) throws(RecordingError) -> ByteBuffer {
        let file = try FileDescriptor.read(path)
        var bytes = ByteBuffer()
        while bytes.readableBytes < count {
            let part = try file.read(count - bytes.readableBytes)
            if part.isEmpty { break }
            bytes.writeBytes(part)
        }
        return bytes
    }

    static func remove(_ path: String) { _ = unsafe unlink(path) }

    /// As `remove`, for what must be gone.
    static func delete(_ path: String) throws(RecordingError) {
        if unsafe unlink(path) != 0 { throw FileDescriptor.failure(path, "the file cannot be deleted") }
    }
}
