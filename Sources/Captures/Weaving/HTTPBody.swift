import NIOCore
import Wire

/// Skips the body of one HTTP/1.1 message (RFC 9112 section 6), whatever the reads. Nothing is kept of it.
struct HTTPBody: Sendable, Equatable {
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
        case data(UInt64)
        /// CR and LF behind the data; how many of them are still to come.
        case dataEnd(Int)
        /// A trailer's line; how many characters of it there were.
        case trailer(Int)
    }
    private(set) var rest: Rest

    static let none = HTTPBody(rest: .bytes(0))
    static let untilEnd = HTTPBody(rest: .untilEnd)

    private init(rest: Rest) { self.rest = rest }

    init(of request: RequestHead) { rest = HTTPBody.length(of: request) ?? .bytes(0) }

    /// - Parameter method: of the request that it answers.
    init(of response: ResponseHead, to method: String) {
        let hasNone = method == "HEAD" || response.status < 200 || response.status == 204 || response.status == 304
        rest = hasNone ? .bytes(0) : HTTPBody.length(of: response) ?? .untilEnd
    }

    /// Nil when the head says nothing about it.
    private static func length(of head: some HTTPHead) -> Rest? {
        let codings = head.list("transfer-encoding").map(\.value)
        let lengths = head.list("content-length").map(\.value)
        if let last = codings.last {
            guard lengths.isEmpty else { return .unknown }
            return ASCIIWord.equal(last, "chunked") ? .chunked(.size(0, digits: 0)) : .untilEnd
        }
        guard let first = lengths.first else { return nil }
        guard lengths.allSatisfy({ $0 == first }), first.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let length = UInt64(first)
        else { return .unknown }
        return .bytes(length)
    }

    var isOver: Bool { rest == .bytes(0) }
    var isUnknown: Bool { rest == .unknown }

    /// Takes what belongs to the body off the front of `bytes`.
    mutating func skip(_ bytes: inout ByteBuffer) {
        while bytes.readableBytes > 0, !isOver {
            switch rest {
            case .bytes(let count): rest = .bytes(count - HTTPBody.take(count, &bytes))
            case .untilEnd, .unknown: bytes.moveReaderIndex(to: bytes.writerIndex)
            case .chunked(.data(let count)):
                let left = count - HTTPBody.take(count, &bytes)
                rest = .chunked(left == 0 ? .dataEnd(2) : .data(left))
            case .chunked(let chunk):
                guard let byte = bytes.readInteger(as: UInt8.self) else { return }
                rest = HTTPBody.next(chunk, byte)
            }
        }
    }

    /// Passes over bytes that nobody has. False when the end of the body is not known any more.
    mutating func pass(missing count: UInt64) -> Bool {
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

    private static func next(_ chunk: Chunk, _ byte: UInt8) -> Rest {
        switch chunk {
        case .size(let size, let digits):
            if let digit = hexDigit(byte) {
                // Sixteen digits are all that 64 bits hold.
                return digits < 16 ? .chunked(.size(size << 4 | digit, digits: digits + 1)) : .unknown
            }
            guard digits > 0 else { return .unknown }
            switch byte {
            case 0x0a: return begin(size)
            case 0x0d, 0x3b, 0x20, 0x09: return .chunked(.extensions(size))
            default: return .unknown
            }
        case .extensions(let size): return byte == 0x0a ? begin(size) : .chunked(chunk)
        case .dataEnd(let left):
            guard byte == (left == 2 ? 0x0d : 0x0a) else { return .unknown }
            return .chunked(left == 2 ? .dataEnd(1) : .size(0, digits: 0))
        case .trailer(let length):
            if byte == 0x0d { return .chunked(chunk) }
            if byte == 0x0a { return length == 0 ? .bytes(0) : .chunked(.trailer(0)) }
            return .chunked(.trailer(1))
        case .data: return .chunked(chunk)
        }
    }

    private static func begin(_ size: UInt64) -> Rest { .chunked(size == 0 ? .trailer(0) : .data(size)) }

    private static func hexDigit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case 0x30...0x39: UInt64(byte - 0x30)
        case 0x41...0x46: UInt64(byte - 0x37)
        case 0x61...0x66: UInt64(byte - 0x57)
        default: nil
        }
    }
}

enum ASCIIWord {
    /// Equal but for the case of ASCII letters.
    static func equal(_ one: String, _ other: String) -> Bool {
        one.utf8.elementsEqual(other.utf8) { lowered($0) == lowered($1) }
    }

    private static func lowered(_ byte: UInt8) -> UInt8 { 0x41...0x5a ~= byte ? byte | 0x20 : byte }
}
