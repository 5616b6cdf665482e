/// Texts put together scalar by scalar: as bytes, since a `String` that grows by one scalar costs ten times as much, and
/// fuzzing writes and reads messages of 64 KiB all the time.
extension String {
    package init(scalars: some Sequence<Unicode.Scalar>) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(scalars.underestimatedCount)
        for scalar in scalars { bytes.append(scalar) }
        self.init(decoding: bytes, as: UTF8.self)
    }
}

extension [UInt8] {
    /// Its form in UTF-8.
    package mutating func append(_ scalar: Unicode.Scalar) {
        if let byte = UInt8(exactly: scalar.value), byte < 0x80 { append(byte) } else { append(contentsOf: scalar.utf8) }
    }
}
