import Glibc

/// A file that is read at places, not from front to end; many windows share one.
final class SourceFile {
    let path: String
    let size: UInt64
    private let way: Way
    private let identity: Identity

    private enum Way {
        case open(Int32)
        /// Opened anew for each read: thousands may stand beside one HAR, and descriptors are few.
        case beside(name: String, directory: String)
    }
    private struct Identity: Equatable {
        var device: dev_t
        var inode: ino_t
    }

    convenience init(_ path: String) throws(ImportError) {
        // Without O_NONBLOCK a FIFO of that name would hang us.
        let number = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard number >= 0 else { throw SourceFile.failure(path) }
        do throws(ImportError) { try self.init(.open(number), number, path) } catch {
            _ = close(number)
            throw error
        }
    }

    /// A file beside another one: `name` has no slash and is no link, so nothing outside of that directory is opened
    /// (trust.md T31).
    convenience init(_ name: String, beside directory: String) throws(ImportError) {
        let number = try SourceFile.open(name, beside: directory)
        defer { _ = close(number) }
        try self.init(.beside(name: name, directory: directory), number, SegmentName.path(directory, name))
    }

    private init(_ way: Way, _ number: Int32, _ path: String) throws(ImportError) {
        self.way = way
        self.path = path
        let info = try SourceFile.status(number, path)
        identity = Identity(device: info.st_dev, inode: info.st_ino)
        size = UInt64(clamping: info.st_size)
    }

    deinit { if case .open(let number) = way { _ = close(number) } }

    private static func status(_ number: Int32, _ path: String) throws(ImportError) -> stat {
        var info = stat()
        guard unsafe fstat(number, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
            throw ImportError(
                place: path, sentence: "this is no plain file", remedy: "write what it gives to a file and name that")
        }
        return info
    }

    private static func open(_ name: String, beside directory: String) throws(ImportError) -> Int32 {
        let parent = unsafe Glibc.open(directory, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
        guard parent >= 0 else { throw failure(directory) }
        defer { _ = close(parent) }
        let number = unsafe openat(parent, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
        guard number >= 0 else { throw failure(SegmentName.path(directory, name)) }
        return number
    }

    /// Up to `count` bytes from `offset`; empty behind the end.
    func read(at offset: UInt64, _ count: Int) throws(ImportError) -> [UInt8] {
        switch way {
        case .open(let number): return try read(number, offset, count)
        case .beside(let name, let directory):
            let number = try SourceFile.open(name, beside: directory)
            defer { _ = close(number) }
            let info = try SourceFile.status(number, path)
            guard Identity(device: info.st_dev, inode: info.st_ino) == identity else {
                throw ImportError(
                    place: path, sentence: "the file was replaced while it was read", remedy: "import it when nobody writes it")
            }
            return try read(number, offset, count)
        }
    }

    private func read(_ number: Int32, _ offset: UInt64, _ count: Int) throws(ImportError) -> [UInt8] {
        guard let place = off_t(exactly: offset) else { return [] }
        while true {
            var got = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
                got = unsafe pread(number, buffer.baseAddress, count, place)
                initialized = max(0, got)
            }
            if got >= 0 { return bytes }
            if errno != EINTR { throw SourceFile.failure(path) }
        }
    }

    private static func failure(_ path: String) -> ImportError {
        let code = errno
        let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        return ImportError(
            place: path, sentence: "the file cannot be read", found: reason, remedy: "name a file that you may read")
    }
}

/// The part of a file around which somebody reads at the moment; memory is one chunk.
struct FileWindow {
    let file: SourceFile
    private var held: [UInt8] = []
    private var start: UInt64 = 0
    private let chunk: Int

    init(_ file: SourceFile, chunk: Int) {
        self.file = file
        self.chunk = max(1, chunk)
    }

    var size: UInt64 { file.size }

    /// Nil behind the end of the file.
    @inline(__always)
    mutating func byte(at offset: UInt64) throws(ImportError) -> UInt8? {
        if offset >= start {
            let place = offset - start
            if place < UInt64(held.count) { return held[Int(place)] }
        }
        return try load(offset)
    }

    private mutating func load(_ offset: UInt64) throws(ImportError) -> UInt8? {
        guard offset < file.size else { return nil }
        held = try file.read(at: offset, chunk)
        start = offset
        return held.first
    }

    /// The first place from `offset` on that is none of the plain characters of a JSON string.
    mutating func skipPlain(from offset: UInt64) throws(ImportError) -> UInt64 {
        var offset = offset
        while try byte(at: offset) != nil {
            var index = Int(offset - start)
            let first = index
            let span = held.span
            while index < span.count, span[index] >= 0x20, span[index] != 0x22, span[index] != 0x5c { index += 1 }
            offset += UInt64(index - first)
            if index < held.count { return offset }
        }
        return offset
    }

    /// The bytes of that range as far as the file has them.
    /// - Parameter range: not larger than what the caller wants to hold.
    mutating func bytes(_ range: Range<UInt64>) throws(ImportError) -> [UInt8] {
        guard range.lowerBound < file.size, let count = Int(exactly: range.upperBound - range.lowerBound) else { return [] }
        if range.lowerBound >= start, range.upperBound - start <= UInt64(held.count) {
            let first = Int(range.lowerBound - start)
            return Array(held[first..<first + count])
        }
        return try file.read(at: range.lowerBound, count)
    }
}
