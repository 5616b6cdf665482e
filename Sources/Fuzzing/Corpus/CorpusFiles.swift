import Glibc

/// The system calls of a corpus directory. Everything below the directory that the user named is opened without
/// following links, so that no file of a corpus leads out of it.
enum CorpusFiles {
    enum Kind: Equatable { case file(size: Int64), directory, link, other, missing }

    enum Content: Equatable {
        case bytes([UInt8])
        case tooLarge
        case unreadable(String)
    }

    /// - Parameter follow: for paths that the user gave.
    static func kind(_ path: String, follow: Bool = false) -> Kind {
        var info = stat()
        let result = unsafe follow ? stat(path, &info) : lstat(path, &info)
        guard result == 0 else { return .missing }
        switch info.st_mode & S_IFMT {
        case S_IFREG: return .file(size: Int64(info.st_size))
        case S_IFDIR: return .directory
        case S_IFLNK: return .link
        default: return .other
        }
    }

    /// Names in byte order. A name that is no UTF-8 names nothing that can be opened, and is reported by its reader.
    static func names(in path: String, most: Int) -> (names: [String], isCut: Bool)? {
        guard let stream = unsafe opendir(path) else { return nil }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: unsafe entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name == "." || name == ".." { continue }
            names.append(name)
            if names.count > most { break }
        }
        let isCut = names.count > most
        return (names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }, isCut)
    }

    /// A regular file of at most so many bytes, even if it grows while it is read.
    static func read(_ path: String, most: Int, follow: Bool = false) -> Content {
        // Without O_NONBLOCK a FIFO would hang us.
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW)
        let file = unsafe open(path, flags)
        guard file >= 0 else { return .unreadable(reason()) }
        defer { _ = close(file) }
        var info = stat()
        guard unsafe fstat(file, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return .unreadable("no regular file") }
        var bytes: [UInt8] = []
        while true {
            let want = min(1 << 16, most + 1 - bytes.count)
            var got = 0
            let piece = unsafe [UInt8](unsafeUninitializedCapacity: want) { buffer, initialized in
                got = unsafe Glibc.read(file, buffer.baseAddress, want)
                initialized = max(0, got)
            }
            if got < 0 {
                if errno == EINTR { continue }
                return .unreadable(reason())
            }
            if got == 0 { return .bytes(bytes) }
            bytes += piece
            if bytes.count > most { return .tooLarge }
        }
    }

    /// A new file, there as a whole or not at all.
    /// - Returns: nil when it was written, an empty text when one of that name is there already, else why not.
    static func create(_ name: String, in directory: String, _ bytes: [UInt8]) -> String? {
        let path = join(directory, name)
        if kind(path) != .missing { return "" }
        var file: Int32 = -1
        var temporary = ""
        for attempt in 0..<100 where file < 0 {
            temporary = join(directory, ".\(name).\(getpid())-\(attempt)")
            file = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            if file < 0, errno != EEXIST { return reason() }
        }
        guard file >= 0 else { return reason() }
        var failure = write(bytes, to: file)
        if failure == nil, fsync(file) != 0 { failure = reason() }
        if close(file) != 0, failure == nil { failure = reason() }
        if failure == nil { failure = publish(temporary, as: path) }
        if failure != nil { _ = unsafe unlink(temporary) }
        return failure
    }

    private static func publish(_ temporary: String, as path: String) -> String? {
        // A link is made only where nothing is yet.
        if unsafe link(temporary, path) == 0 {
            _ = unsafe unlink(temporary)
            return nil
        }
        if errno == EEXIST { return "" }
        guard [EPERM, ENOTSUP, ENOSYS, EMLINK].contains(errno) else { return reason() }
        // A file system without links: the name was free a moment ago.
        if kind(path) != .missing { return "" }
        return unsafe rename(temporary, path) == 0 ? nil : reason()
    }

    private static func write(_ bytes: [UInt8], to file: Int32) -> String? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
            if count > 0 { rest = rest.dropFirst(count) } else if count == 0 || errno != EINTR { return reason() }
        }
        return nil
    }

    /// With its parents, mode 0700.
    static func makeDirectory(_ path: String) -> String? {
        var whole = ""
        for piece in path.split(separator: "/", omittingEmptySubsequences: false) {
            whole += whole.isEmpty && piece.isEmpty ? "/" : (whole.isEmpty || whole == "/" ? "" : "/") + piece
            if kind(whole, follow: true) == .directory { continue }
            guard unsafe mkdir(whole, 0o700) == 0 || errno == EEXIST else { return reason() }
        }
        return kind(path, follow: true) == .directory ? nil : "no directory"
    }

    static func remove(_ path: String) -> String? { unsafe unlink(path) == 0 ? nil : reason() }

    static func join(_ directory: String, _ name: String) -> String {
        directory.hasSuffix("/") ? directory + name : directory + "/" + name
    }

    private static func reason() -> String {
        let code = errno
        return unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    }
}
