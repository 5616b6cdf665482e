package import struct NIOCore.ByteBuffer

/// Takes the bytes of one side until a head is whole. What comes behind the head stays untouched in `held`.
package struct HeadParser: Sendable {
    package enum Kind: Sendable, Hashable { case request, response }

    package enum Result: Sendable, Hashable {
        case partial
        case request(RequestHead)
        case response(ResponseHead)
        /// No HTTP/1 at all: one phrase. `held` has every byte.
        case notHTTP(String)
        /// HTTP that must not be passed on. `held` has every byte.
        case refused(HeadRefusal)
    }

    private let kind: Kind
    private let limits: HeadLimits
    private var isHTTP = false
    /// Bytes of the first line that were looked at and decided nothing.
    private var sniffed = 0
    /// Where the search for the empty line goes on, in bytes from the start of `held`.
    private var searched = 0
    private var lineStart = 0
    /// The answer that no further byte can change.
    private var settled: Result?
    /// Bytes taken and not given out in a head.
    package private(set) var held = ByteBuffer()

    package init(_ kind: Kind, limits: HeadLimits = HeadLimits()) {
        self.kind = kind
        self.limits = limits
    }

    package mutating func feed(_ bytes: ByteBuffer) {
        if held.readableBytes == 0 {
            held = bytes
        } else {
            held.writeImmutableBuffer(bytes)
        }
    }

    /// Gives out what is held, as when the session goes on with frames or opaque bytes.
    package mutating func takeHeld() -> ByteBuffer {
        let rest = held
        held = ByteBuffer()
        restart()
        return rest
    }

    private mutating func restart() {
        searched = 0
        lineStart = 0
        sniffed = 0
        isHTTP = false
        settled = nil
    }

    /// The next head. After `notHTTP` or `refused` the same answer comes again.
    package mutating func next() -> Result {
        if let settled { return settled }
        let result = parse()
        switch result {
        case .notHTTP, .refused: settled = result
        default: break
        }
        return result
    }

    private mutating func parse() -> Result {
        if !isHTTP, let answer = sniff() { return answer }
        do throws(HeadRefusal) {
            guard let end = try findEnd(), let bytes = held.getSlice(at: held.readerIndex, length: end) else {
                return .partial
            }
            let head: Result =
                switch kind {
                case .request: .request(try RequestHead(bytes, limits: limits))
                case .response: .response(try ResponseHead(bytes, limits: limits))
                }
            held.moveReaderIndex(forwardBy: end)
            restart()
            return head
        } catch {
            return .refused(error)
        }
    }

    /// Nil once the first line is known to be HTTP/1's.
    private mutating func sniff() -> Result? {
        if held.readableBytes == 0 { return .partial }
        let window = held.readableBytesView.prefix(limits.startLine + 2)
        // Behind the method only the end of the line decides: look at new bytes alone, however small they come.
        if sniffed > 32, window.count < limits.startLine + 2,
            !window.dropFirst(sniffed - 1).contains(where: { $0 < 0x20 })
        {
            sniffed = window.count
            return .partial
        }
        let bytes = Array(window)
        switch kind == .request ? HeadSniffer.request(bytes[...]) : HeadSniffer.response(bytes[...]) {
        case .maybe:
            sniffed = bytes.count
            guard bytes.count == limits.startLine + 2 else { return .partial }
            return .refused(HeadRefusal(.startLineTooLong(limits.startLine), at: limits.startLine))
        case .no(let reason): return .notHTTP(reason)
        case .refuse(let refusal): return .refused(refusal)
        case .head:
            isHTTP = true
            return nil
        }
    }

    /// Where the head ends, behind its empty line. Refuses as soon as a limit is passed or a line ends wrongly.
    private mutating func findEnd() throws(HeadRefusal) -> Int? {
        let window = held
        let bytes = window.readableBytesUInt8Span
        while searched < bytes.count {
            if searched >= limits.total { throw HeadRefusal(.headTooLong(limits.total), at: limits.total) }
            let byte = bytes[searched]
            if byte == 0x0a {
                guard searched > 0, bytes[searched - 1] == 0x0d else { throw HeadRefusal(.bareLF, at: searched) }
                let length = searched - 1 - lineStart
                lineStart = searched + 1
                searched += 1
                if length == 0 { return searched }
                continue
            }
            if byte == 0 { throw HeadRefusal(.nul, at: searched) }
            if lineStart > 0, searched - lineStart > limits.field + 1 {
                throw HeadRefusal(.fieldTooLong(limits.field), at: lineStart)
            }
            searched += 1
        }
        return nil
    }
}
