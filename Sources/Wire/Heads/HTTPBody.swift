package import struct NIOCore.ByteBuffer

/// Follows the body of one HTTP/1.1 message (RFC 9112 section 6), whatever the reads. Nothing is kept of it.
package struct HTTPBody: Sendable, Equatable {
    enum Rest: Sendable, Equatable {
        case bytes(UInt64)
        case chunked(Chunk)
        /// As long as the connection lasts.
        case untilEnd
        /// No length that could be trusted: the end cannot be known.
        case unknown
    }
    /// Where in chunked coding the next byte stands.
    enum Chunk: Sendable, Equatable {
        case size(UInt64, digits: Int)
        /// Behind the size: an extension, up to the end of the line.
        case extensions(UInt64)
        /// The CR behind the size, or behind its extensions, was there.
        case sizeEnd(UInt64)
        case data(UInt64)
        /// CR and LF behind the data; how many of them are still to come.
        case dataEnd(Int)
        /// A trailer's line; whether it has any characters.
        case trailer(isEmpty: Bool)
        /// As `trailer`, and its CR was there.
        case trailerEnd(isEmpty: Bool)
    }
    private(set) var rest: Rest
    /// A line that ends with LF alone, or has a CR elsewhere, is read by some as its end and by others not (trust.md T22).
    private let isStrict: Bool

    package static let none = HTTPBody(rest: .bytes(0))
    package static let untilEnd = HTTPBody(rest: .untilEnd)

    private init(rest: Rest) {
        self.rest = rest
        isStrict = false
    }

    /// - Parameter isStrict: what two readers may take for two lengths has none: `isUnknown`.
    package init(of request: RequestHead, isStrict: Bool = false) {
        rest = HTTPBody.length(of: request) ?? .bytes(0)
        self.isStrict = isStrict
    }

    /// - Parameter method: of the request that it answers.
    package init(of response: ResponseHead, to method: String) {
        isStrict = false
        let hasNone = method == "HEAD" || response.status < 200 || response.status == 204 || response.status == 304
        rest = hasNone ? .bytes(0) : HTTPBody.length(of: response) ?? .untilEnd
    }

    /// Nil when the head says nothing about it.
    private static func length(of head: some HTTPHead) -> Rest? {
        let codings = head.list("transfer-encoding").map(\.value)
        let lengths = head.list("content-length").map(\.value)
        if let last = codings.last {
            guard lengths.isEmpty else { return .unknown }
            return ASCII.equal(last, "chunked") ? .chunked(.size(0, digits: 0)) : .untilEnd
        }
        guard let first = lengths.first else { return nil }
        guard lengths.allSatisfy({ $0 == first }), first.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let length = UInt64(first)
        else { return .unknown }
        return .bytes(length)
    }

    package var isOver: Bool { rest == .bytes(0) }
    package var isUnknown: Bool { rest == .unknown }

    /// As long as the connection lasts.
    package var lastsUntilEnd: Bool { rest == .untilEnd }

    /// Takes what belongs to the body off the front of `bytes`.
    package mutating func skip(_ bytes: inout ByteBuffer) {
        while bytes.readableBytes > 0, !isOver { step(&bytes) }
    }

    /// As `skip`.
    /// - Returns: the content that was among them, without chunked coding and trailers. Stops where the end is `isUnknown`.
    package mutating func content(_ bytes: inout ByteBuffer) -> ByteBuffer {
        var content = ByteBuffer()
        while bytes.readableBytes > 0, !isOver, !isUnknown {
            let isContent =
                switch rest {
                case .bytes, .untilEnd, .chunked(.data): true
                case .chunked, .unknown: false
                }
            let before = bytes
            step(&bytes)
            guard isContent, let piece = before.getSlice(at: before.readerIndex, length: before.readableBytes - bytes.readableBytes)
            else { continue }
            if content.readableBytes == 0 { content = piece } else { content.writeImmutableBuffer(piece) }
        }
        return content
    }

    private mutating func step(_ bytes: inout ByteBuffer) {
        switch rest {
        case .bytes(let count): rest = .bytes(count - HTTPBody.take(count, &bytes))
        case .untilEnd, .unknown: bytes.moveReaderIndex(to: bytes.writerIndex)
        case .chunked(.data(let count)):
            let left = count - HTTPBody.take(count, &bytes)
            rest = .chunked(left == 0 ? .dataEnd(2) : .data(left))
        case .chunked(let chunk):
            guard let byte = bytes.readInteger(as: UInt8.self) else { return }
            rest = next(chunk, byte)
        }
    }

    /// Passes over bytes that nobody has. False when the end of the body is not known any more.
    package mutating func pass(missing count: UInt64) -> Bool {
        switch rest {
        case .bytes(let left) where count > 0 && count <= left: rest = .bytes(left - count)
        case .chunked(.data(let left)) where count > 0 && count < left: rest = .chunked(.data(left - count))
        case .untilEnd: break
        default: return false
        }
        return true
    }

    private static func take(_ count: UInt64, _ bytes: inout ByteBuffer) -> UInt64 {
        let taken = Int(min(count, UInt64(clamping: bytes.readableBytes)))
        bytes.moveReaderIndex(forwardBy: taken)
        return UInt64(clamping: taken)
    }

    private func next(_ chunk: Chunk, _ byte: UInt8) -> Rest {
        let bareLF = byte == 0x0a
        switch chunk {
        case .size(let size, let digits):
            if let digit = ASCII.hex(byte) {
                // Sixteen digits are all that 64 bits hold.
                return digits < 16 ? .chunked(.size(size << 4 | UInt64(digit), digits: digits + 1)) : .unknown
            }
            guard digits > 0 else { return .unknown }
            switch byte {
            case 0x0a: return isStrict ? .unknown : HTTPBody.begin(size)
            case 0x0d: return .chunked(.sizeEnd(size))
            case 0x3b, 0x20, 0x09: return .chunked(.extensions(size))
            default: return .unknown
            }
        case .extensions(let size):
            if bareLF { return isStrict ? .unknown : HTTPBody.begin(size) }
            return .chunked(byte == 0x0d ? .sizeEnd(size) : chunk)
        case .sizeEnd(let size):
            if bareLF { return HTTPBody.begin(size) }
            return isStrict ? .unknown : .chunked(.extensions(size))
        case .dataEnd(let left):
            guard byte == (left == 2 ? 0x0d : 0x0a) else { return .unknown }
            return .chunked(left == 2 ? .dataEnd(1) : .size(0, digits: 0))
        case .trailer(let isEmpty):
            if byte == 0x0d { return .chunked(.trailerEnd(isEmpty: isEmpty)) }
            if bareLF { return isStrict ? .unknown : HTTPBody.trailerEnded(isEmpty) }
            return .chunked(.trailer(isEmpty: false))
        case .trailerEnd(let isEmpty):
            if bareLF { return HTTPBody.trailerEnded(isEmpty) }
            return isStrict ? .unknown : .chunked(.trailer(isEmpty: false))
        case .data: return .chunked(chunk)
        }
    }

    private static func trailerEnded(_ isEmpty: Bool) -> Rest { isEmpty ? .bytes(0) : .chunked(.trailer(isEmpty: true)) }

    private static func begin(_ size: UInt64) -> Rest { .chunked(size == 0 ? .trailer(isEmpty: true) : .data(size)) }
}
