package import struct NIOCore.ByteBuffer

extension ByteBuffer {
    /// The same bytes for whoever keeps them: a slice of much less than its storage is copied, so that it does not keep a
    /// whole read of a socket alive.
    package var compacted: ByteBuffer {
        guard readableBytes < storageCapacity / 4 else { return self }
        var copy = ByteBuffer()
        copy.reserveCapacity(readableBytes)
        copy.writeImmutableBuffer(self)
        return copy
    }
}
