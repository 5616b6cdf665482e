import Journaling
import NIOCore
import Wire

/// Lines of one file, as they come; memory is bounded by the longest line.
final class LineReader {
    private let file: FileDescriptor
    private var held = ByteBuffer()
    /// Bytes of `held` that were searched for a newline.
    private var searched = 0
    private var isAtEnd = false
    private let longest: Int
    private let chunk: Int
    /// Nil for a file that is not packed.
    private let gunzip: Gunzip?
    /// The line given out last, from 1.
    private(set) var number = 0

    enum Line {
        case whole(ByteBuffer)
        /// The last line, without a newline.
        case cut(ByteBuffer)
        case end
    }

    /// - Parameter chunk: bytes of one read.
    init(_ path: String, longest: Int, chunk: Int, limits: Limits = .standard) throws(RecordingError) {
        file = try FileDescriptor.read(path)
        gunzip = SegmentName.isPacked(path) ? try Gunzip(path, limits: limits) : nil
        self.longest = longest
        // What is packed grows when it is read.
        self.chunk = max(1, gunzip == nil ? chunk : min(chunk, 64 << 10))
    }

    func next() throws(RecordingError) -> Line {
        while true {
            if let length = ByteScan.first(0x0a, in: held.readableBytesSpan, from: searched) {
                guard length <= longest else { throw tooLong() }
                number += 1
                searched = 0
                let line = held.readSlice(length: length) ?? ByteBuffer()
                held.moveReaderIndex(forwardBy: 1)
                return .whole(line)
            }
            searched = held.readableBytes
            if isAtEnd {
                guard held.readableBytes > 0 else { return .end }
                number += 1
                searched = 0
                let rest = held
                held = ByteBuffer()
                return .cut(rest)
            }
            guard held.readableBytes <= longest else { throw tooLong() }
            let bytes = try file.read(chunk)
            if bytes.isEmpty { isAtEnd = true }
            held.discardReadBytes()
            if let gunzip {
                var more = try gunzip.unpack(bytes)
                held.writeBuffer(&more)
            } else {
                held.writeBytes(bytes)
            }
        }
    }

    private func tooLong() -> RecordingError {
        RecordingError(
            place: "\(file.path):\(number + 1)", sentence: "the line is too long",
            expected: "at most \(longest) bytes", found: "more", remedy: "remove the line")
    }
}
