import Glibc

/// A directory that nobody else may look into, and files in it that nobody else may read (trust.md T1, T2). All names are
/// looked up beneath the opened directory, so that nobody can put another in its place meanwhile.
struct PrivateDirectory: ~Copyable {
    private let number: Int32
    let path: String

    deinit { _ = Glibc.close(number) }

    private init(_ number: Int32, _ path: String) {
        self.number = number
        self.path = path
    }

    /// - Throws: when it is not there, is a link, or belongs to somebody else or is open to others.
    static func open(_ path: String) throws(TLSProblem) -> PrivateDirectory {
        let number = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard number >= 0 else { throw Self.failure("the directory of the CA cannot be opened", path) }
        let directory = PrivateDirectory(number, path)
        var info = stat()
        guard unsafe fstat(number, &info) == 0 else { throw Self.failure("the directory of the CA cannot be looked at", path) }
        try Self.check(info, path, what: "the directory of the CA", mode: "0700")
        return directory
    }

    /// As `open`; made with mode 0700, parents included, when it is not there.
    static func make(_ path: String) throws(TLSProblem) -> PrivateDirectory {
        var whole = ""
        for piece in path.split(separator: "/", omittingEmptySubsequences: true) {
            whole += path.hasPrefix("/") || !whole.isEmpty ? "/\(piece)" : "\(piece)"
            // The mode is given to the call itself: there is no moment in which it is wider, whatever the umask.
            if unsafe mkdir(whole, 0o700) != 0, errno != EEXIST, errno != EISDIR {
                throw Self.failure("the directory of the CA cannot be made", whole)
            }
        }
        return try open(path)
    }

    /// Whoever changes what is in it waits here for all others; ends with this value, whatever ends the process.
    func lock() throws(TLSProblem) {
        while flock(number, LOCK_EX) != 0 {
            guard errno == EINTR else { throw Self.failure("the directory of the CA cannot be locked", path) }
        }
    }

    /// A whole file of at most 64 KiB; nil when there is none of that name.
    func read(_ name: String) throws(TLSProblem) -> [UInt8]? {
        let place = "\(path)/\(name)"
        // Without O_NONBLOCK a FIFO of that name would hang us.
        let file = unsafe openat(number, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw Self.failure("the CA cannot be read", place)
        }
        defer { _ = Glibc.close(file) }
        var info = stat()
        guard unsafe fstat(file, &info) == 0 else { throw Self.failure("the CA cannot be looked at", place) }
        guard info.st_mode & S_IFMT == S_IFREG else {
            throw TLSProblem("the CA is no regular file", place: place, remedy: "remove it, or name another directory with --ca-dir")
        }
        try Self.check(info, place, what: "the CA's key", mode: "0600")
        guard info.st_nlink == 1 else {
            throw TLSProblem(
                "the CA's key has \(info.st_nlink) names", place: place, expected: "one name, so that it is in one place",
                remedy: "remove the others, or name another directory with --ca-dir")
        }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count <= 64 << 10 {
            let count = unsafe piece.withUnsafeMutableBytes { unsafe Glibc.read(file, $0.baseAddress, $0.count) }
            if count == 0 { return bytes }
            if count > 0 { bytes.append(contentsOf: piece.prefix(count)) } else if errno != EINTR { break }
        }
        throw TLSProblem("the CA cannot be read", place: place, found: "more than 64 KiB, or a broken disk")
    }

    /// In one step and for good: who reads the name gets the old bytes or the new ones, also after the power was lost.
    func write(_ bytes: [UInt8], as name: String) throws(TLSProblem) {
        let place = "\(path)/\(name)"
        let temporary = ".\(name).\(getpid())"
        // Of a process that died with our number: nobody else is here, as we hold the lock.
        _ = unsafe unlinkat(number, temporary, 0)
        let file = unsafe openat(number, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Self.failure("the CA cannot be written", place) }
        defer { _ = Glibc.close(file) }
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress?.advanced(by: done), $0.count - done) }
            if count > 0 {
                done += count
            } else if count == 0 || errno != EINTR {
                throw abandon(temporary, place)
            }
        }
        guard fsync(file) == 0, unsafe renameat(number, temporary, number, name) == 0 else { throw abandon(temporary, place) }
        guard fsync(number) == 0 else { throw Self.failure("the CA cannot be brought to the disk", place) }
    }

    private func abandon(_ temporary: String, _ place: String) -> TLSProblem {
        let problem = Self.failure("the CA cannot be written", place)
        _ = unsafe unlinkat(number, temporary, 0)
        return problem
    }

    private static func check(_ info: stat, _ place: String, what: String, mode: String) throws(TLSProblem) {
        guard info.st_uid == geteuid() else {
            throw TLSProblem(
                "\(what) belongs to somebody else", place: place, expected: "user \(geteuid())", found: "user \(info.st_uid)",
                remedy: "chown \(geteuid()) \(shell(place)), or name another directory with --ca-dir")
        }
        guard info.st_mode & 0o077 == 0 else {
            let found = String(info.st_mode & 0o7777, radix: 8)
            throw TLSProblem(
                "\(what) is open to others", place: place, expected: "mode \(mode)", found: "mode 0\(found)",
                remedy: "chmod \(mode) \(shell(place)); if anybody may have read it: miswire ca create --renew")
        }
    }

    /// A word of a command line.
    static func shell(_ text: String) -> String {
        let plain = text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || "/._-+".utf8.contains($0)
        }
        return plain ? text : "'\(text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#))'"
    }

    private static func failure(_ sentence: String, _ place: String) -> TLSProblem {
        let code = errno
        let isLink = code == ELOOP || code == ENOTDIR
        return TLSProblem(
            sentence, place: place, expected: isLink ? "a directory or file of its own, not a link" : nil, found: SocketTuning.words(for: code),
            remedy: "name another directory with --ca-dir")
    }
}
