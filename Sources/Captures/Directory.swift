import Glibc
import Journaling
import NIOCore

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

    /// In one step: who opens the new name finds the old file or the new one.
    static func rename(_ path: String, to new: String) throws(RecordingError) {
        if unsafe Glibc.rename(path, new) != 0 { throw FileDescriptor.failure(new, "the file cannot be put in its place") }
    }

    /// Names in it are on the disk.
    static func sync(_ path: String) throws(RecordingError) { try FileDescriptor.read(path).syncOrFail() }

    /// Bytes, and seconds since 1970 when it was last written to.
    static func sizeAndTime(of path: String) throws(RecordingError) -> (size: Int64, modified: Int64) {
        var info = stat()
        if unsafe lstat(path, &info) != 0 { throw FileDescriptor.failure(path, "the recording cannot be read") }
        return (Int64(info.st_size), Int64(info.st_mtim.tv_sec))
    }

    /// How many names a plain file has; nil for what is none, a link for instance.
    static func names(of path: String) throws(RecordingError) -> Int? {
        var info = stat()
        if unsafe lstat(path, &info) != 0 { throw FileDescriptor.failure(path, "the recording cannot be read") }
        return info.st_mode & S_IFMT == S_IFREG ? Int(clamping: info.st_nlink) : nil
    }

    /// The other file belongs to the same user from now on, and where that is allowed to the same group.
    static func copyOwner(from path: String, to other: String) throws(RecordingError) {
        var (old, new) = (stat(), stat())
        let isRead = unsafe lstat(path, &old) == 0 && lstat(other, &new) == 0
        if isRead, old.st_uid == new.st_uid, old.st_gid == new.st_gid { return }
        if unsafe isRead && lchown(other, old.st_uid, old.st_gid) == 0 || isRead && old.st_uid == new.st_uid { return }
        throw FileDescriptor.failure(other, "the file cannot be given its owner")
    }

    static func copyTimes(from path: String, to other: String) throws(RecordingError) {
        var info = stat()
        let isRead = unsafe lstat(path, &info) == 0
        let times = [info.st_atim, info.st_mtim]
        if unsafe !isRead || utimensat(AT_FDCWD, other, times, AT_SYMLINK_NOFOLLOW) != 0 {
            throw FileDescriptor.failure(other, "the file cannot be given its time")
        }
    }

    static func remove(_ path: String) { _ = unsafe unlink(path) }

    /// As `remove`, for what must be gone.
    static func delete(_ path: String) throws(RecordingError) {
        if unsafe unlink(path) != 0 { throw FileDescriptor.failure(path, "the file cannot be deleted") }
    }
}
