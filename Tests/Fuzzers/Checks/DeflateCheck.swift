import CZlib
import NIOCore
import Wire

/// Messages come out of a compression context as they went in; hostile ones give at most the limit, or an error, and what
/// zlib itself makes of them (RFC 7692 section 7.2, trust.md T21).
struct DeflateCheck {
    private var choices: Choices
    private let bits: Int
    private let takeover: Bool
    private let limit: Int

    init(_ bytes: [UInt8]) {
        choices = Choices(bytes)
        let first = choices.next()
        // zlib's deflate refuses a window of 8 bits.
        bits = 9 + Int(first & 7) % 7
        takeover = first & 8 == 0
        limit = 1 << (6 + Int(first >> 4))
    }

    func run() throws(Broken) {
        guard let deflater = try? Deflater(windowBits: bits, takeover: takeover),
            let inflater = try? Inflater(windowBits: bits, takeover: takeover),
            let hostile = try? Inflater(windowBits: 15, takeover: takeover)
        else { throw Broken("no context of \(bits) bits can be made") }
        let zlib = PlainZlib(takeover: takeover)
        var rest = choices
        while !rest.isOver {
            let message = rest.take(1 + Int(rest.next()) * 4)
            try roundTrip(ByteBuffer(bytes: message), deflater, inflater)
            try bounded(ByteBuffer(bytes: message), hostile, zlib)
        }
    }

    private func roundTrip(_ message: ByteBuffer, _ deflater: Deflater, _ inflater: Inflater) throws(Broken) {
        guard let small = try? deflater.deflate(message) else { throw Broken("a message cannot be deflated") }
        // A context taken aside sees the same.
        let aside = try? inflater.copied()
        let back = try? inflater.inflate(small)
        try demand(back == message, "a message of \(message.readableBytes) bytes comes back as another")
        try demand((try? aside?.inflate(small)) == message, "a copied context gives something else")
    }

    private func bounded(_ message: ByteBuffer, _ inflater: Inflater, _ zlib: PlainZlib) throws(Broken) {
        let wasUsable = inflater.isUsable
        let want = zlib.inflate(Array(message.readableBytesView), limit: limit)
        do throws(DeflateError) {
            let got = try inflater.inflate(message, limit: limit)
            guard got.readableBytes <= limit else { throw DeflateError.tooLong(-1) }
            guard want.map(ByteBuffer.init(bytes:)) == got else { throw DeflateError.corrupt("-1") }
        } catch {
            switch error {
            case .tooLong(-1): throw Broken("more than \(limit) bytes came out")
            case .corrupt("-1"): throw Broken("zlib gives \(want.map { "\($0.count) bytes" } ?? "an error")")
            case .contextLost: try demand(!wasUsable, "a context is lost without a reason")
            default: try demand(want == nil, "zlib gives \(want?.count ?? 0) bytes where there is an error: \(error.detail)")
            }
        }
        // Whoever loses a context with takeover has lost it for good.
        if !inflater.isUsable { try demand(takeover, "a context without takeover is lost") }
    }
}

/// zlib with nothing around it, and room for all of a message at once.
@safe private final class PlainZlib {
    /// It must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private let takeover: Bool
    private var isLost = false

    init(takeover: Bool) {
        self.takeover = takeover
        unsafe stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        unsafe inflateInit2_(stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Nil when it is broken or longer than the limit; with takeover nothing can be inflated behind that.
    func inflate(_ message: [UInt8], limit: Int) -> [UInt8]? {
        if isLost { return nil }
        if !takeover { unsafe inflateReset(stream) }
        var input = message + [0, 0, 0xff, 0xff]
        var output = [UInt8](repeating: 0, count: limit + 1)
        let made: Int? = unsafe input.withUnsafeMutableBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { room in
                unsafe stream.pointee.next_in = source.baseAddress
                unsafe stream.pointee.avail_in = UInt32(source.count)
                unsafe stream.pointee.next_out = room.baseAddress
                unsafe stream.pointee.avail_out = UInt32(room.count)
                return unsafe run() ? room.count - Int(stream.pointee.avail_out) : nil
            }
        }
        guard let made, made <= limit else {
            isLost = takeover
            return nil
        }
        return Array(output.prefix(made))
    }

    /// True when all input is used and there was room for all that it gave.
    private func run() -> Bool {
        while unsafe stream.pointee.avail_out > 0 {
            let code = unsafe CZlib.inflate(stream, Z_SYNC_FLUSH)
            if code == Z_STREAM_END { unsafe inflateResetKeep(stream) }
            guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else { return false }
            if unsafe stream.pointee.avail_in == 0 && stream.pointee.avail_out > 0 { return true }
            if code == Z_BUF_ERROR { return false }
        }
        return false
    }
}
