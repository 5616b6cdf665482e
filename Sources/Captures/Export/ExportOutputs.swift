import Glibc
package import Journaling

/// A file that exists only once it is whole: written beside its place and renamed, mode 0600 (trust.md T36).
package final class ExportFile: ExportOutput {
    private let file: FileDescriptor
    private let temporary: String
    private let path: String
    private var held: [UInt8] = []
    private var isFinished = false

    package init(_ path: String) throws(RecordingError) {
        self.path = path
        guard Directory.kind(path) != .directory else {
            throw RecordingError(
                place: path, sentence: "this is a directory", expected: "a file", found: "a directory", remedy: "name a file")
        }
        temporary = path + ".part-\(getpid())"
        do throws(RecordingError) { file = try FileDescriptor.create(temporary) } catch {
            throw RecordingError(
                place: path, sentence: "the file cannot be written", found: error.found, remedy: error.remedy)
        }
    }

    deinit { if !isFinished { Directory.remove(temporary) } }

    package func write(_ bytes: [UInt8]) throws(RecordingError) {
        held += bytes
        if held.count >= 256 << 10 { try flush() }
    }

    private func flush() throws(RecordingError) {
        guard !held.isEmpty else { return }
        var failure: RecordingError?
        unsafe held.withUnsafeBytes { bytes in
            do throws(RecordingError) { try unsafe file.write(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
        held.removeAll(keepingCapacity: true)
    }

    /// Gives the file its name. Without this call nothing is left behind.
    package func finish() throws(RecordingError) {
        try flush()
        file.sync()
        guard unsafe rename(temporary, path) == 0 else { throw FileDescriptor.failure(path, "the file cannot be written") }
        isFinished = true
    }
}

/// Standard output, as it comes.
package final class ExportStream: ExportOutput {
    private let descriptor: Int32
    package init(descriptor: Int32 = 1) { self.descriptor = descriptor }

    package func write(_ bytes: [UInt8]) throws(RecordingError) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes[done...].withUnsafeBytes { rest in
                unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
            }
            if count > 0 {
                done += count
            } else if count == 0 || errno != EINTR {
                throw FileDescriptor.failure("standard output", "the export cannot be written")
            }
        }
    }
}

/// For tests and for forms that are put together of others.
package final class ExportMemory: ExportOutput {
    package private(set) var bytes: [UInt8] = []
    package init() {}
    package func write(_ bytes: [UInt8]) throws(RecordingError) { self.bytes += bytes }
}
