import NIOCore

extension KeyLog {
    /// Reads a file of any size in pieces. Wrong lines end up in `problems`; only a file that cannot be read throws.
    package static func read(_ path: String, bounds: Bounds = Bounds()) throws(ImportError) -> KeyLog {
        var log = KeyLog(bounds: bounds)
        do {
            let file = try FileDescriptor.read(path)
            while true {
                let bytes = try file.read(1 << 16)
                if bytes.isEmpty { break }
                log.feed(ByteBuffer(bytes: bytes))
            }
        } catch {
            throw ImportError(
                place: path, sentence: "the key log cannot be read", found: error.found,
                remedy: "name the file that SSLKEYLOGFILE named when the traffic was captured")
        }
        log.finish()
        return log
    }

    /// `keys.log line 7: the client random is not 64 hex digits`, at most as many as are kept, and how many more.
    package func complaints(place: String) -> [String] {
        var lines = problems.map { "\(place) line \($0.line): \($0.reason)" }
        if problemCount > problems.count { lines.append("\(place): \(problemCount - problems.count) more wrong lines") }
        return lines
    }
}
