import CZlib

package import struct NIOCore.ByteBuffer

/// Deflates the messages of one direction (RFC 7692 section 7.2.1). A fresh one may begin at any message: what it
/// writes refers only to what it wrote itself, whatever the receiver's window holds from before.
///
/// A class, because a `z_stream` must not move; it belongs to one value at a time and is never shared.
@safe package final class Deflater: @unchecked Sendable {
    private static let step = 16_384

    private let bits: Int32
    private let strategy: Int32
    private let level: Int32
    private let takeover: Bool
    private var stream: UnsafeMutablePointer<z_stream>?

    /// `windowBits` 8 to 15. zlib refuses 8 for raw deflate: then nothing refers back at all, which fits any window.
    package init(windowBits: Int = 15, takeover: Bool = true, level: Int = 6) throws(DeflateError) {
        guard (8...15).contains(windowBits) else { throw .windowBits(windowBits) }
        bits = -Int32(max(9, windowBits))
        strategy = windowBits == 8 ? Z_HUFFMAN_ONLY : Z_DEFAULT_STRATEGY
        self.level = Int32(max(0, min(9, level)))
        self.takeover = takeover
    }

    deinit { release() }

    private func release() {
        guard let stream = unsafe stream else { return }
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
        unsafe self.stream = nil
    }

    private func open() throws(DeflateError) -> UnsafeMutablePointer<z_stream> {
        if let stream = unsafe stream {
            if !takeover { unsafe deflateReset(stream) }
            return unsafe stream
        }
        let fresh = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe fresh.initialize(to: z_stream())
        let code = unsafe deflateInit2_(
            fresh, level, Z_DEFLATED, bits, 8, strategy, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else {
            unsafe fresh.deallocate()
            throw .memory
        }
        unsafe stream = fresh
        return unsafe fresh
    }

    /// The payload of a compressed message, without the 00 00 FF FF at its end.
    package func deflate(_ payload: ByteBuffer) throws(DeflateError) -> ByteBuffer {
        // RFC 7692 section 7.2.3.6; zlib would write nothing for a second flush in a row.
        if payload.readableBytes == 0 { return ByteBuffer(integer: 0 as UInt8) }
        let stream = unsafe try open()
        var out = ByteBuffer()
        var failed = false
        unsafe payload.withUnsafeReadableBytes { bytes in
            // zlib's type of this field is not const; it never writes there.
            let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: start)
            unsafe stream.pointee.avail_in = UInt32(clamping: bytes.count)
            repeat {
                unsafe out.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.step) { room in
                    unsafe stream.pointee.next_out = unsafe room.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    unsafe stream.pointee.avail_out = UInt32(clamping: room.count)
                    let code = unsafe CZlib.deflate(stream, Z_SYNC_FLUSH)
                    failed = code != Z_OK && code != Z_BUF_ERROR
                    return unsafe room.count - Int(stream.pointee.avail_out)
                }
            } while unsafe !failed && stream.pointee.avail_out == 0
            unsafe stream.pointee.next_in = nil
            unsafe stream.pointee.next_out = nil
        }
        guard !failed, out.readableBytes >= 4 else {
            release()
            throw .memory
        }
        out.moveWriterIndex(to: out.writerIndex - 4)
        return out
    }
}
