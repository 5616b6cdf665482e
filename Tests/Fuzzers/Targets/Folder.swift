import Glibc

/// A private directory in memory where there is one, for the files that what is fuzzed reads and writes. Gone when the
/// process ends by itself; when it does not, who started it removes `TMPDIR`.
struct Folder: Sendable {
    let path: String

    static let shared: Folder = {
        let places = [unsafe getenv("TMPDIR").map { unsafe String(cString: $0) }, "/dev/shm", "/tmp"].compactMap { $0 }
        for place in places {
            var template = Array((place + "/fuzz-" + String(repeating: "X", count: 6)).utf8CString)
            let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return false }
                return unsafe mkdtemp(base) != nil
            }
            if made {
                atexit { Folder.shared.clear(andItself: true) }
                return Folder(path: String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
            }
        }
        fail("no directory can be made under \(places.joined(separator: ", "))")
    }()

    subscript(_ name: String) -> String { path + "/" + name }

    func makeFolder(_ name: String) -> Folder {
        demand(unsafe mkdir(self[name], 0o700) == 0, "\(self[name]) cannot be made")
        return Folder(path: self[name])
    }

    func write(_ name: String, _ bytes: some Collection<UInt8>) {
        let file = unsafe open(self[name], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        let bytes = Array(bytes)
        var done = 0
        while file >= 0, done < bytes.count {
            let count = unsafe bytes[done...].withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            done += count
        }
        demand(file >= 0 && done == bytes.count, "\(self[name]) cannot be written")
        close(file)
    }

    /// Removes what is in it, folders two deep.
    func clear(andItself: Bool = false) {
        for name in names {
            if unsafe unlink(self[name]) != 0 { Folder(path: self[name]).clear(andItself: true) }
        }
        if andItself { _ = unsafe rmdir(path) }
    }

    private var names: [String] {
        guard let stream = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: unsafe entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    static func contents(_ path: String) -> [UInt8]? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        while true {
            var part = [UInt8](repeating: 0, count: 64 << 10)
            let count = unsafe read(file, &part, part.count)
            guard count > 0 else { return count == 0 ? bytes : nil }
            bytes += part.prefix(count)
        }
    }
}
