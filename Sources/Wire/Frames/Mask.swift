package import struct NIOCore.ByteBuffer

/// The masking of RFC 6455 section 5.3, eight bytes at a time.
package enum Mask {
    /// Masks or unmasks the readable bytes in place. `offset`: how many payload bytes went before them.
    package static func apply(_ key: UInt32, to buffer: inout ByteBuffer, offset: Int = 0) {
        let shift = (offset & 3) * 8
        let turned = shift == 0 ? key : key << UInt32(shift) | key >> UInt32(32 - shift)
        if turned == 0 { return }
        let word = UInt64(turned) << 32 | UInt64(turned)
        let wide = word.bigEndian
        unsafe buffer.withUnsafeMutableReadableBytes { bytes in
            var index = 0
            while index <= bytes.count - 8 {
                let plain = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                unsafe bytes.storeBytes(of: plain ^ wide, toByteOffset: index, as: UInt64.self)
                index += 8
            }
            var rest = word
            while index < bytes.count {
                rest = rest << 8 | rest >> 56
                unsafe bytes[index] ^= UInt8(truncatingIfNeeded: rest)
                index += 1
            }
        }
    }
}
