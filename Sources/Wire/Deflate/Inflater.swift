import CZlib

package import struct NIOCore.ByteBuffer

/// Inflates the messages of one direction (RFC 7692 section 7.2.2). With context takeover every compressed message of
/// that direction must be given to it in order, also those that pass unchanged.
///
/// A class, because a `z_stream` must not move; it belongs to one value at a time and is never shared.
@safe package final class Inflater: @unchecked Sendable {
    /// Bytes of output between two looks at the limit (trust.md T21).
    private static let step = 16_384

    private let bits: Int32
    private let takeover: Bool
    private var stream: UnsafeMutablePointer<z_stream>?
    private var isLost = false

    /// `windowBits` 8 to 15: 15 reads what any smaller window wrote; a smaller one also refuses what reaches too far
    /// back.
    package init(windowBits: Int = 15, takeover: Bool = true) throws(DeflateError) {
        guard (8...15).contains(windowBits) else { throw .windowBits(windowBits) }
        bits = -Int32(windowBits)
        self.takeover = takeover
    }

    deinit { release() }

    /// The context cannot be used any more; its memory is given back.
    private func release() {
        guard let stream = unsafe stream else { return }
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
        unsafe self.stream = nil
    }

    private func open() throws(DeflateError) -> UnsafeMutablePointer<z_stream> {
        if let stream = unsafe stream {
            if !takeover { unsafe inflateReset(stream) }
            return unsafe stream
        }
        let fresh = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe fresh.initialize(to: z_stream())
        guard unsafe inflateInit2_(fresh, bits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            unsafe fresh.deallocate()
            throw .memory
        }
        unsafe stream = fresh
        return unsafe fresh
    }

    /// A context of its own that goes on from here, for a direction whose two sides have come to differ.
    package func copied() throws(DeflateError) -> Inflater {
        let copy = try Inflater(windowBits: Int(-bits), takeover: takeover)
        copy.isLost = isLost
        guard let stream = unsafe stream else { return copy }
        let fresh = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe fresh.initialize(to: z_stream())
        guard unsafe inflateCopy(fresh, stream) == Z_OK else {
            unsafe fresh.deallocate()
            throw .memory
        }
        unsafe copy.stream = unsafe fresh
        return copy
    }

    /// A message passed that was not inflated: with takeover nothing behind it can be.
    package func skip() {
        if takeover {
            release()
            isLost = true
        }
    }

    /// Whether later messages can still be inflated.
    package var isUsable: Bool { !isLost }

    /// The plain bytes of a message, given its joined payload as sent (without the 00 00 FF FF taken off by the
    /// sender). At most `limit` bytes; on any error the context is given up, which later messages find out only with
    /// takeover.
    package func inflate(_ payload: ByteBuffer, limit: Int = 16 << 20) throws(DeflateError) -> ByteBuffer {
        if isLost { throw .contextLost }
        var input = ByteBuffer()
        input.reserveCapacity(payload.readableBytes + 4)
        input.writeImmutableBuffer(payload)
        input.writeInteger(0x0000_ffff as UInt32)
        do throws(DeflateError) {
            let stream = unsafe try open()
            return unsafe try run(input, limit: limit, on: stream)
        } catch {
            release()
            isLost = takeover
            throw error
        }
    }

    private func run(
        _ input: ByteBuffer, limit: Int, on stream: UnsafeMutablePointer<z_stream>
    ) throws(DeflateError) -> ByteBuffer {
        var input = input
        var out = ByteBuffer()
        var problem: DeflateError?
        unsafe input.withUnsafeMutableReadableBytes { bytes in
            unsafe stream.pointee.next_in = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe stream.pointee.avail_in = UInt32(clamping: bytes.count)
            repeat { problem = unsafe stepOnce(stream, &out, limit) } while unsafe problem == nil && goesOn(stream)
            unsafe stream.pointee.next_in = nil
            unsafe stream.pointee.avail_in = 0
        }
        if let problem { throw problem }
        return out
    }

    /// The output was filled to the brim, or input is left.
    private func goesOn(_ stream: UnsafeMutablePointer<z_stream>) -> Bool {
        unsafe stream.pointee.avail_out == 0 || stream.pointee.avail_in > 0
    }

    private func stepOnce(
        _ stream: UnsafeMutablePointer<z_stream>, _ out: inout ByteBuffer, _ limit: Int
    ) -> DeflateError? {
        var code = Z_OK
        unsafe out.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.step) { room in
            let space = min(room.count, Self.step)
            unsafe stream.pointee.next_out = unsafe room.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe stream.pointee.avail_out = UInt32(clamping: space)
            code = unsafe CZlib.inflate(stream, Z_SYNC_FLUSH)
            return unsafe space - Int(stream.pointee.avail_out)
        }
        unsafe stream.pointee.next_out = nil
        if out.readableBytes > limit { return .tooLong(limit) }
        switch code {
        case Z_OK: return nil
        case Z_BUF_ERROR:
            // No progress: all input is used up, which is how every message ends.
            return unsafe stream.pointee.avail_in == 0 ? nil : .corrupt("no progress")
        case Z_STREAM_END:
            // A block marked as final may stand in a message (RFC 7692 section 7.2.3.4); the window stays.
            unsafe inflateResetKeep(stream)
            return nil
        case Z_MEM_ERROR: return .memory
        default: return .corrupt(unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "zlib error \(code)")
        }
    }
}
