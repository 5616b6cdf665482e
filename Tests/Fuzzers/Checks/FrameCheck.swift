import NIOCore
import Wire

/// The scanner and the parser see the same frames in a stream however it is cut, lose no byte of it, and what they took
/// apart is written back as it was (RFC 6455 section 5.2).
struct FrameCheck {
    private var choices: Choices
    private let direction: Direction
    private let limit: Int
    private let cut: (UInt8, UInt8)
    private let isDeflated: Bool

    init(_ bytes: [UInt8]) {
        choices = Choices(bytes)
        let first = choices.next()
        direction = first & 1 == 0 ? .toServer : .toClient
        isDeflated = first & 2 != 0
        limit = first & 4 == 0 ? 16 << 20 : 64
        cut = (choices.next(), choices.next())
    }

    private struct Parsed: Equatable {
        var frames: [Frame] = []
        /// Where each frame that was lifted ends.
        var ends: [Int] = []
        var isLost = false
        var oversize: [FrameHeader] = []
        /// All bytes that came out, in order.
        var bytes: [UInt8] = []
        var held: [UInt8] = []
    }

    func run() throws(Broken) {
        var parsed: [Parsed] = []
        var scanned: [(ends: [Int], scanner: FrameScanner, opcodes: UInt16, violation: FrameViolation?, at: Int?, lost: Int?)] = []
        for way in choices.cuts(cut.0, cut.1) {
            parsed.append(try parse(way))
            scanned.append(scan(way))
        }
        for (other, scan) in zip(parsed, scanned).dropFirst() {
            try demand(other == parsed[0], "the parser sees \(other.frames.count) frames in pieces, \(parsed[0].frames.count) at once")
            let first = scanned[0]
            try demand(
                scan.ends == first.ends && scan.scanner == first.scanner && scan.opcodes == first.opcodes && scan.lost == first.lost
                    && scan.violation == first.violation, "the scanner sees something else in pieces than at once")
        }
        let (whole, scan) = (parsed[0], scanned[0])
        try demand(whole.bytes + whole.held == choices.rest, "bytes are not given out as they came")
        try demand(whole.isLost == (scan.lost != nil), "the parser has lost the framing: \(whole.isLost), the scanner not so")
        // What is lifted and what is passed by are the scanner's frames.
        if whole.oversize.isEmpty { try demand(scan.ends == whole.ends, "the scanner ends frames at \(scan.ends), the parser at \(whole.ends)") }
        try resume()
    }

    private func parse(_ pieces: [ArraySlice<UInt8>]) throws(Broken) -> Parsed {
        var parsed = Parsed()
        var parser = FrameParser(limit: limit)
        for piece in pieces {
            parser.feed(ByteBuffer(bytes: piece))
            try drain(&parser, &parsed)
        }
        parsed.held = Array(parser.takeHeld().readableBytesView)
        return parsed
    }

    /// - Parameter isResumed: a frame whose header began before is passed by, whatever its size.
    private func drain(_ parser: inout FrameParser, _ parsed: inout Parsed, isResumed: Bool = false) throws(Broken) {
        while true {
            switch parser.next() {
            case .partial: return
            case .frame(let frame, let wire):
                try demand(FrameWriter.bytes(frame) == wire, "a frame is written otherwise than it came: \(frame)")
                try demand(FrameParser.frame(exactly: wire) == frame, "a frame's own bytes are another frame: \(frame)")
                parsed.frames.append(frame)
                parsed.bytes += Array(wire.readableBytesView)
                parsed.ends.append(parsed.bytes.count)
            case .oversize(let header):
                try demand(isResumed || header.declaredLength > UInt64(limit), "a frame of \(header.declaredLength) bytes is not lifted")
                parsed.oversize.append(header)
            case .piece(let bytes, _): parsed.bytes += Array(bytes.readableBytesView)
            case .illegal(let bytes, _):
                parsed.isLost = true
                parsed.bytes += Array(bytes.readableBytesView)
            }
        }
    }

    private func scan(
        _ pieces: [ArraySlice<UInt8>]
    ) -> (ends: [Int], scanner: FrameScanner, opcodes: UInt16, violation: FrameViolation?, at: Int?, lost: Int?) {
        var scanner = FrameScanner(direction, deflate: isDeflated)
        var ends: [Int] = []
        var opcodes: UInt16 = 0
        var violation: FrameViolation?
        var lost: Int?
        for piece in pieces {
            var here: [Int32] = []
            let report = scanner.scan(ByteBuffer(bytes: piece), ends: &here)
            ends += here.map { piece.startIndex - pieces[0].startIndex + Int($0) }
            opcodes |= report.opcodes
            violation = violation ?? report.violation
            if report.lostOffset != nil { lost = 1 }
        }
        return (ends, scanner, opcodes, violation, nil, lost)
    }

    /// A parser that goes on where the scanner stands gives out the rest, and then the frames that come behind.
    private func resume() throws(Broken) {
        let bytes = choices.rest
        let place = bytes.isEmpty ? 0 : (Int(cut.0) << 8 | Int(cut.1)) % bytes.count
        var scanner = FrameScanner(direction, deflate: isDeflated)
        _ = scanner.scan(ByteBuffer(bytes: bytes[..<place]))
        var parser = FrameParser(resuming: scanner, limit: limit)
        var parsed = Parsed()
        parser.feed(ByteBuffer(bytes: bytes[place...]))
        try drain(&parser, &parsed, isResumed: true)
        let held = Array(parser.takeHeld().readableBytesView)
        try demand(parsed.bytes + held == Array(bytes[place...]), "a parser that goes on at \(place) does not give out what came")
    }
}
