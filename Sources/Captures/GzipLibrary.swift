import CZlib
import Journaling
import NIOCore

/// The only file of this module that calls zlib: gzip (RFC 1952) for segments of recordings.
///
/// Classes, because a `z_stream` must not move; each belongs to one value at a time.
@safe final class Gunzip {
    /// Bytes of output between two looks at the bounds (trust.md T21).
    private static let step = 64 << 10
    private let stream: UnsafeMutablePointer<z_stream>
    private let path: String
    private let mostBytes: UInt64
    private let mostRatio: UInt64
    private var packed: UInt64 = 0
    private var unpacked: UInt64 = 0
    /// What is wrong behind what was given out last.
    private var problem: String?
    /// Between two members, or before the first: a file may end here.
    private(set) var isAtMemberEnd = true

    init(_ path: String, limits: Limits) throws(RecordingError) {
        self.path = path
        mostBytes = UInt64(clamping: limits.importUnpackedBytes)
        mostRatio = UInt64(clamping: limits.importUnpackedRatio)
        unsafe stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 15 bits of window, and 16 says gzip.
        guard unsafe inflateInit2_(stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw RecordingError(place: path, sentence: "there is no memory to unpack it", remedy: "unpack it first: gunzip \(path)")
        }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// What these next bytes of the file unpack to. What is before a damaged place is given out first, and the call behind
    /// it fails, so that how much is read does not depend on how many bytes come at once.
    func unpack(_ bytes: [UInt8]) throws(RecordingError) -> ByteBuffer {
        var out = ByteBuffer()
        if let problem { throw failure(problem) }
        var input = bytes
        unsafe input.withUnsafeMutableBufferPointer { buffer in
            unsafe stream.pointee.next_in = buffer.baseAddress
            unsafe stream.pointee.avail_in = UInt32(clamping: buffer.count)
            repeat { problem = stepOnce(&out) } while unsafe problem == nil && (stream.pointee.avail_in > 0 || stream.pointee.avail_out == 0)
            unsafe stream.pointee.next_in = nil
            unsafe stream.pointee.avail_in = 0
        }
        if let problem, out.readableBytes == 0 { throw failure(problem) }
        return out
    }

    private func failure(_ problem: String) -> RecordingError {
        RecordingError(
            place: path, sentence: "the segment cannot be unpacked", expected: "gzip within limit L15", found: problem,
            remedy: "restore the segment from a copy")
    }

    private func stepOnce(_ out: inout ByteBuffer) -> String? {
        var code = Z_OK
        let before = unsafe stream.pointee.avail_in
        unsafe out.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.step) { room in
            let space = min(room.count, Self.step)
            unsafe stream.pointee.next_out = unsafe room.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe stream.pointee.avail_out = UInt32(clamping: space)
            code = unsafe inflate(stream, Z_NO_FLUSH)
            let made = unsafe space - Int(stream.pointee.avail_out)
            unpacked &+= UInt64(clamping: made)
            return made
        }
        unsafe stream.pointee.next_out = nil
        packed &+= unsafe UInt64(before &- stream.pointee.avail_in)
        if unpacked > mostBytes { return "more than \(mostBytes) bytes" }
        if unpacked > 1 << 20, unpacked / mostRatio > packed { return "more than \(mostRatio) bytes for one" }
        switch code {
        case Z_OK:
            isAtMemberEnd = false
            return nil
        case Z_BUF_ERROR: return unsafe stream.pointee.avail_in == 0 ? nil : "no progress"
        case Z_STREAM_END:
            // Members may follow each other (RFC 1952 section 2.2).
            isAtMemberEnd = true
            unsafe inflateReset(stream)
            // Else the end of the output would ask for one more step, into a member that is not there.
            if unsafe stream.pointee.avail_in == 0 { unsafe stream.pointee.avail_out = 1 }
            return nil
        default: return unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "zlib error \(code)"
        }
    }
}

/// Packs one segment. Each `flush` ends at a byte, so that what was flushed can be unpacked whatever happens next.
@safe final class Gzip {
    private let stream: UnsafeMutablePointer<z_stream>

    init(_ path: String) throws(RecordingError) {
        unsafe stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let code = unsafe deflateInit2_(
            stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else {
            throw RecordingError(place: path, sentence: "there is no memory to pack it", remedy: "record without --gzip")
        }
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    func flush(_ bytes: ByteBuffer) -> ByteBuffer { pack(bytes, Z_SYNC_FLUSH) }
    /// The segment's last bytes.
    func finish() -> ByteBuffer { pack(ByteBuffer(), Z_FINISH) }

    private func pack(_ bytes: ByteBuffer, _ mode: Int32) -> ByteBuffer {
        var input = bytes
        var out = ByteBuffer()
        unsafe input.withUnsafeMutableReadableBytes { buffer in
            unsafe stream.pointee.next_in = unsafe buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe stream.pointee.avail_in = UInt32(clamping: buffer.count)
            var isFull = true
            while isFull {
                unsafe out.writeWithUnsafeMutableBytes(minimumWritableBytes: 64 << 10) { room in
                    unsafe stream.pointee.next_out = unsafe room.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    unsafe stream.pointee.avail_out = UInt32(clamping: room.count)
                    _ = unsafe deflate(stream, mode)
                    isFull = unsafe stream.pointee.avail_out == 0
                    return unsafe room.count - Int(stream.pointee.avail_out)
                }
            }
            unsafe stream.pointee.next_in = nil
            unsafe stream.pointee.avail_in = 0
            unsafe stream.pointee.next_out = nil
        }
        return out
    }
}
