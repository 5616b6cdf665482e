import Glibc
import NIOCore

/// A key log that is read while others write it, as `tail -F` would: it may come later, grow by halves of lines, be emptied,
/// or be replaced by another of its name. Never waits, and reads no more at a time than it is asked to.
///
/// What the path means is settled at the start. From then on that name in that directory counts, and a link that comes to
/// stand there is not followed (trust.md T36).
final class KeyLogFollower {
    enum News {
        case bytes(ByteBuffer)
        /// The next bytes are the first of a text. What is left of a line before it is void, or a line without its end.
        case anew(voidsRest: Bool)
        /// Why nothing can be read for now, one phrase; each once.
        case trouble(String)
    }

    private enum Place {
        case name(String, in: Int32)
        /// Something that has no name of its own, such as `/dev/fd/63`.
        case pipe
    }

    let path: String
    private let place: Place
    private var file: FollowedFile?
    private var told = ""
    private static let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY

    /// - Throws: when it cannot be read, or when it is not there and cannot come: its directory is missing.
    init(_ path: String) throws(ImportError) {
        self.path = path
        let number = unsafe Glibc.open(path, Self.flags)
        let code = errno
        if number >= 0 {
            guard let file = FollowedFile(adopting: number) else { throw Self.failure(path, "neither a file nor a pipe") }
            if file.look.isPipe {
                place = .pipe
                self.file = file
                return
            }
        } else if code != ENOENT {
            throw Self.failure(path, Self.reason(code))
        }
        place = try Self.place(of: path, isThere: number >= 0)
        switch openNamed() {
        case .opened(let file): self.file = file
        case .missing: break
        case .refused(let reason): throw Self.failure(path, reason)
        }
    }

    deinit { if case .name(_, let directory) = place { _ = close(directory) } }

    /// False: it is waited for.
    var isThere: Bool { file != nil }

    /// Tells what is new, at most about `most` bytes.
    /// - Returns: whether there may be more at once.
    func poll(_ most: Int, _ tell: (News) throws(ImportError) -> Void) throws(ImportError) -> Bool {
        if file == nil { try find(tell) }
        guard let file else { return false }
        if file.beganAnew() { try tell(.anew(voidsRest: true)) }
        var (left, isLeft) = (most, false)
        while left > 0 {
            switch file.read(min(left, 64 << 10)) {
            case .bytes(let bytes):
                left -= bytes.count
                try tell(.bytes(ByteBuffer(bytes: bytes)))
            case .nothing:
                // Once more, for what was written to the old one until its name was taken from it.
                if !isLeft {
                    guard try isReplaced(file, tell) else { return false }
                    isLeft = true
                    continue
                }
                self.file = nil
                try tell(.anew(voidsRest: false))
                try find(tell)
                return isThere
            case .failed(let reason):
                try complain(reason, tell)
                return false
            }
        }
        return true
    }

    // MARK: The name

    private enum Opening {
        case opened(FollowedFile)
        case missing
        case refused(String)
    }

    private func find(_ tell: (News) throws(ImportError) -> Void) throws(ImportError) {
        switch openNamed() {
        case .opened(let opened):
            file = opened
            told = ""
        case .missing: break
        case .refused(let reason): try complain(reason, tell)
        }
    }

    private func openNamed() -> Opening {
        guard case .name(let name, let directory) = place else { return .missing }
        let number = unsafe openat(directory, name, Self.flags | O_NOFOLLOW)
        guard number >= 0 else {
            let code = errno
            return code == ENOENT ? .missing : .refused(code == ELOOP ? "a link came to stand there, which is not followed" : Self.reason(code))
        }
        return FollowedFile(adopting: number).map { .opened($0) } ?? .refused("neither a file nor a pipe")
    }

    /// Whether another file bears the name now. Without any of that name, the one that was opened is read on.
    private func isReplaced(_ file: FollowedFile, _ tell: (News) throws(ImportError) -> Void) throws(ImportError) -> Bool {
        guard case .name(let name, let directory) = place else { return false }
        var info = stat()
        guard unsafe fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) == 0 else { return false }
        guard let look = FollowedFile.Look(info) else {
            let isLink = info.st_mode & S_IFMT == S_IFLNK
            try complain(isLink ? "a link came to stand there, which is not followed" : "neither a file nor a pipe", tell)
            return false
        }
        return !look.isSameFile(as: file.look)
    }

    private func complain(_ reason: String, _ tell: (News) throws(ImportError) -> Void) throws(ImportError) {
        guard reason != told else { return }
        told = reason
        try tell(.trouble(reason))
    }

    // MARK: The start

    private static func place(of path: String, isThere: Bool) throws(ImportError) -> Place {
        guard !path.isEmpty, !path.hasSuffix("/") else { throw failure(path, "no name of a file") }
        if isThere {
            guard let real = real(path) else { throw failure(path, reason(errno)) }
            return try place(real, path)
        }
        var info = stat()
        guard unsafe lstat(path, &info) != 0 || info.st_mode & S_IFMT != S_IFLNK else {
            throw failure(path, "a link to a file that is not there")
        }
        let parent = Directory.parent(of: path) ?? "."
        guard let real = real(parent) else { throw failure(path, "no directory \(parent)", "make the directory, or name another file") }
        return try place(real + "/" + (path.split(separator: "/").last ?? ""), path)
    }

    /// - Parameter real: absolute and without links.
    private static func place(_ real: String, _ path: String) throws(ImportError) -> Place {
        let directory = Directory.parent(of: real) ?? "/"
        // It only names the place, for which no right to read is needed. `O_PATH` is not imported.
        let number = unsafe Glibc.open(directory, 0o10000000 | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw failure(path, reason(errno)) }
        return .name(String(real.split(separator: "/").last ?? ""), in: number)
    }

    private static func real(_ path: String) -> String? {
        guard let text = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }

    static func reason(_ code: Int32) -> String { unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)" }

    private static func failure(_ path: String, _ found: String, _ remedy: String? = nil) -> ImportError {
        ImportError(
            place: path, sentence: "the key log cannot be read", found: found,
            remedy: remedy ?? "name the file that SSLKEYLOGFILE names, which may come later")
    }
}
