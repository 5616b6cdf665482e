import Glibc
import Testing

@testable import Captures

/// A directory of its own for one test, removed behind it.
final class Folder {
    struct Missing: Error { let path: String }

    let path: String

    init() throws {
        var template = Array(("/tmp/miswire-captures-" + String(repeating: "X", count: 6)).utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer -> String? in
            guard let base = buffer.baseAddress, let name = unsafe mkdtemp(base) else { return nil }
            return unsafe String(cString: name)
        }
        path = try #require(made)
    }

    deinit { Folder.remove(path) }

    subscript(_ name: String) -> String { path + "/" + name }

    func read(_ name: String) throws -> [UInt8] { try Folder.read(self[name]) }

    static func read(_ path: String) throws -> [UInt8] {
        guard let file = unsafe fopen(path, "rb") else { throw Missing(path: path) }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe fread(&chunk, 1, chunk.count, file)
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    func write(_ name: String, _ bytes: some Sequence<UInt8>) throws {
        guard let file = unsafe fopen(self[name], "wb") else { throw Missing(path: self[name]) }
        defer { unsafe fclose(file) }
        let bytes = Array(bytes)
        let count = unsafe fwrite(bytes, 1, bytes.count, file)
        #expect(count == bytes.count)
    }

    func write(_ name: String, _ text: String) throws { try write(name, text.utf8) }

    func remove(_ name: String) { _ = unsafe unlink(self[name]) }

    func removeDirectory(_ name: String) { _ = unsafe rmdir(self[name]) }

    /// Names in byte order, without the dots.
    func names(_ name: String = "") -> [String] { Folder.names(name.isEmpty ? path : self[name]) }

    /// The permission bits of a file or directory.
    func mode(_ name: String) -> UInt32 {
        var info = stat()
        return unsafe stat(self[name], &info) == 0 ? info.st_mode & 0o7777 : 0
    }

    private static func names(_ path: String) -> [String] { (try? Directory.names(in: path)) ?? [] }

    private static func remove(_ path: String) {
        for name in names(path) {
            let inner = path + "/" + name
            if unsafe unlink(inner) != 0 { remove(inner) }
        }
        _ = unsafe rmdir(path)
    }
}
