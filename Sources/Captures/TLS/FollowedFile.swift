import Glibc

/// An open file that others write to, and how far it was read. Knows when it was written anew from its beginning, also
/// when it is as long as before: a client that is started again often empties its log and writes as many bytes.
final class FollowedFile {
    enum Read {
        case bytes([UInt8])
        /// Nothing more for now.
        case nothing
        case failed(String)
    }

    /// Which file it is, and when it was last changed. A pipe has no beginning that could be read again.
    struct Look: Equatable {
        var device: UInt64
        var inode: UInt64
        var size: Int64
        var changed: [Int]
        var isPipe: Bool

        /// Nil: neither a plain file nor a pipe.
        init?(_ info: stat) {
            let kind = info.st_mode & S_IFMT
            guard kind == S_IFREG || kind == S_IFIFO else { return nil }
            device = UInt64(info.st_dev)
            inode = UInt64(info.st_ino)
            size = Int64(info.st_size)
            changed = [info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_ctim.tv_sec, info.st_ctim.tv_nsec]
            isPipe = kind == S_IFIFO
        }

        func isSameFile(as other: Look) -> Bool { device == other.device && inode == other.inode }
    }

    private let number: Int32
    private(set) var look: Look
    private var offset: off_t = 0
    /// The last bytes that were read, at most `remembered`.
    private var tail: [UInt8] = []
    /// Longer than a line of a key log, in which 64 digits differ from connection to connection.
    private static let remembered = 512

    /// Nil: neither a plain file nor a pipe.
    init?(adopting number: Int32) {
        var info = stat()
        guard unsafe fstat(number, &info) == 0, let look = Look(info) else {
            _ = close(number)
            return nil
        }
        self.number = number
        self.look = look
    }

    deinit { _ = close(number) }

    /// Whether what was read stands there no longer; the next bytes are then the first again.
    func beganAnew() -> Bool {
        var info = stat()
        guard !look.isPipe, unsafe fstat(number, &info) == 0, let now = Look(info), now != look else { return false }
        look = now
        guard now.size < offset || !stillHasTail() else { return false }
        offset = 0
        tail = []
        return true
    }

    private func stillHasTail() -> Bool {
        guard !tail.isEmpty, case .bytes(let bytes) = bytes(tail.count, at: offset - off_t(tail.count)) else { return tail.isEmpty }
        return bytes == tail
    }

    /// The next bytes, at most `count`.
    func read(_ count: Int) -> Read {
        let read = bytes(count, at: look.isPipe ? nil : offset)
        if case .bytes(let bytes) = read {
            offset += off_t(bytes.count)
            tail = Array((tail + bytes.suffix(Self.remembered)).suffix(Self.remembered))
        }
        return read
    }

    private func bytes(_ count: Int, at place: off_t?) -> Read {
        while true {
            var got = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
                got = unsafe place.map { unsafe pread(number, buffer.baseAddress, count, $0) } ?? Glibc.read(number, buffer.baseAddress, count)
                initialized = max(0, got)
            }
            if got > 0 { return .bytes(bytes) }
            // A pipe that nobody writes to at the moment has no end.
            if got == 0 || errno == EAGAIN { return .nothing }
            if errno != EINTR { return .failed(KeyLogFollower.reason(errno)) }
        }
    }
}
