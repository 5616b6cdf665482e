/// Reads that never leave the bytes: 0 behind their end. Every caller compares lengths before it believes a value.
extension RawSpan {
    @inline(__always)
    func byte(_ at: Int) -> UInt8 {
        guard at >= 0, at < byteCount else { return 0 }
        return unsafe unsafeLoad(fromByteOffset: at, as: UInt8.self)
    }

    /// Big-endian, as networks write.
    @inline(__always)
    func network16(_ at: Int) -> UInt16 { load16(at).bigEndian }
    @inline(__always)
    func network32(_ at: Int) -> UInt32 { load32(at).bigEndian }
    @inline(__always)
    func network64(_ at: Int) -> UInt64 {
        guard at >= 0, at <= byteCount &- 8 else { return 0 }
        return unsafe unsafeLoadUnaligned(fromByteOffset: at, as: UInt64.self).bigEndian
    }

    /// In the byte order of the file's writer.
    @inline(__always)
    func file16(_ at: Int, swapped: Bool) -> UInt16 {
        let value = UInt16(littleEndian: load16(at))
        return swapped ? value.byteSwapped : value
    }
    @inline(__always)
    func file32(_ at: Int, swapped: Bool) -> UInt32 {
        let value = UInt32(littleEndian: load32(at))
        return swapped ? value.byteSwapped : value
    }
    @inline(__always)
    func file64(_ at: Int, swapped: Bool) -> UInt64 {
        let low = UInt64(file32(at, swapped: swapped))
        let high = UInt64(file32(at &+ 4, swapped: swapped))
        return swapped ? low << 32 | high : high << 32 | low
    }

    @inline(__always)
    private func load16(_ at: Int) -> UInt16 {
        guard at >= 0, at <= byteCount &- 2 else { return 0 }
        return unsafe unsafeLoadUnaligned(fromByteOffset: at, as: UInt16.self)
    }
    @inline(__always)
    private func load32(_ at: Int) -> UInt32 {
        guard at >= 0, at <= byteCount &- 4 else { return 0 }
        return unsafe unsafeLoadUnaligned(fromByteOffset: at, as: UInt32.self)
    }
}
