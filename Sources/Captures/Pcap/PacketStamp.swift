import Journaling

/// What a capture file says about one packet, beside its bytes.
struct PacketStamp {
    /// From 1, in the order of the file, as Wireshark counts.
    var number: UInt64
    var time: WallTime
    /// The LINKTYPE_ number of the interface it was seen on.
    var link: UInt32
    /// Bytes it had on the wire; the capture may hold fewer.
    var wireLength: Int
}

/// Takes the packets of a capture one by one; the bytes are the window's and are gone when the call returns.
protocol PacketTaker: ~Copyable {
    mutating func packet(_ stamp: PacketStamp, _ bytes: RawSpan) throws(ImportError)
    /// A block of decryption secrets of TLS (pcapng): the text of a key log.
    mutating func secrets(_ bytes: RawSpan) throws(ImportError)
    /// Something of the file that is worth telling: an interface that nobody can read.
    mutating func note(_ sentence: String) throws(ImportError)
    /// The file ends within something.
    mutating func brokenOff(_ error: ImportError) throws(ImportError)
}

extension ImportError {
    /// Everything whole was passed on before.
    static func cutCapture(_ place: String, expected: String, found: String) -> ImportError {
        ImportError(
            place: place, sentence: "the file is cut off", expected: expected, found: found,
            remedy: "every packet before this place was read; take the rest from a whole copy")
    }
}

/// How one interface counts time.
struct ClockUnit: Equatable {
    /// Ticks of one second: a power of ten, or of two.
    var isBinary: Bool
    var exponent: UInt8
    /// Seconds to add.
    var offset: Int64
    static let microseconds = ClockUnit(isBinary: false, exponent: 6, offset: 0)

    /// Nanoseconds since 1970, clamped to what a clock may show.
    func time(_ ticks: UInt64) -> WallTime {
        if !isBinary, exponent == 6, offset == 0, ticks < 1 << 53 { return WallTime(ticks &* 1_000) }
        let whole = isBinary ? binary(ticks) : decimal(ticks)
        let (shift, far) = offset.multipliedReportingOverflow(by: 1_000_000_000)
        if far { return (offset < 0 ? WallTime.min : .max).onClock }
        let (sum, overflow) = whole.addingReportingOverflow(shift)
        return (overflow ? (shift < 0 ? .min : .max) : sum).onClock
    }

    private func decimal(_ ticks: UInt64) -> Int64 {
        var value = ticks
        for _ in stride(from: exponent, to: 9, by: 1) {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return .max }
            value = product
        }
        for _ in stride(from: 9, to: min(exponent, 32), by: 1) { value /= 10 }
        return Int64(clamping: value)
    }

    private func binary(_ ticks: UInt64) -> Int64 {
        let (high, low) = ticks.multipliedFullWidth(by: 1_000_000_000)
        guard exponent > 0 else { return high == 0 ? Int64(clamping: low) : .max }
        guard exponent < 64 else { return exponent < 128 ? Int64(clamping: high >> UInt64(exponent - 64)) : 0 }
        guard high >> UInt64(exponent) == 0 else { return .max }
        return Int64(clamping: high << UInt64(64 - exponent) | low >> UInt64(exponent))
    }
}
