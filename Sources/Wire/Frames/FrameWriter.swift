package import struct NIOCore.ByteBuffer

/// Puts frames on the wire exactly as their fields say, lies included.
package enum FrameWriter {
    package static func write(_ frame: Frame, into buffer: inout ByteBuffer) {
        let header = FrameHeader(frame)
        buffer.reserveCapacity(minimumWritableBytes: header.size + frame.payload.readableBytes)
        header.write(into: &buffer)
        guard let key = frame.maskKey, key != 0 else {
            buffer.writeImmutableBuffer(frame.payload)
            return
        }
        var payload = frame.payload
        Mask.apply(key, to: &payload)
        buffer.writeBuffer(&payload)
    }

    package static func bytes(_ frame: Frame) -> ByteBuffer {
        var buffer = ByteBuffer()
        write(frame, into: &buffer)
        return buffer
    }
}
