/// Tells an HTTP/1 head from anything else as early as its bytes allow, so that what is no HTTP is relayed at once.
enum HeadSniffer {
    enum Answer: Equatable {
        /// It may still become a head.
        case maybe
        case no(String)
        /// It is meant as HTTP/1 and cannot be passed on.
        case refuse(HeadRefusal)
        /// The first line is whole and is HTTP/1's.
        case head
    }

    /// `HTTP/1.1`, any minor version.
    static func isVersion(_ text: ArraySlice<UInt8>) -> Bool {
        text.count == 8 && text.starts(with: "HTTP/1.".utf8) && text.last.map(ASCII.isDigit) == true
    }

    /// Longest method that is waited for; no registered one is longer.
    private static let longestMethod = 24

    static func request(_ bytes: ArraySlice<UInt8>) -> Answer {
        let start = bytes.startIndex
        // RFC 8446 section 5.1: a handshake record. Its first byte decides, so that the answer is the same however it is cut.
        if bytes.first == 0x16 { return .no("TLS, which is not terminated here") }
        let isMethod = { (byte: UInt8) in byte >= 0x41 && byte <= 0x5a || byte == UInt8(ascii: "-") }
        let methodEnd = bytes.firstIndex { !isMethod($0) } ?? bytes.endIndex
        if methodEnd - start > longestMethod { return .no("the first bytes are no HTTP method") }
        guard methodEnd < bytes.endIndex else { return .maybe }
        guard bytes[methodEnd] == 0x20, methodEnd > start else { return .no("the first bytes are no HTTP method") }
        guard let stop = bytes.firstIndex(where: { $0 < 0x20 && $0 != 0x09 }) else { return .maybe }
        let line = bytes[methodEnd..<stop]
        let tail = line[(line.lastIndex(of: 0x20) ?? methodEnd) + 1..<stop]
        if tail.starts(with: "HTTP/1".utf8) { return end(bytes, stop, base: start) }
        if contains(line, " HTTP/1") { return .refuse(HeadRefusal(.startLine, at: 0)) }
        if tail.starts(with: "HTTP/".utf8) { return .no("the version is not HTTP/1") }
        // No text protocol has these behind a method and a path: this is HTTP meant to be read in two ways.
        if bytes[stop] == 0, line.dropFirst().first == UInt8(ascii: "/") {
            return .refuse(HeadRefusal(.nul, at: stop - start))
        }
        return .no("the first line names no HTTP version")
    }

    private static func contains(_ line: ArraySlice<UInt8>, _ word: String) -> Bool {
        line.indices.contains { line[$0...].starts(with: word.utf8) }
    }

    static func response(_ bytes: ArraySlice<UInt8>) -> Answer {
        let prefix = Array("HTTP/1.".utf8)
        if !bytes.prefix(prefix.count).elementsEqual(prefix.prefix(bytes.count)) {
            return .no("the first bytes are no HTTP/1 status line")
        }
        guard let stop = bytes.firstIndex(where: { $0 < 0x20 && $0 != 0x09 }) else { return .maybe }
        return end(bytes, stop, base: bytes.startIndex)
    }

    /// What ends the first line decides.
    private static func end(_ bytes: ArraySlice<UInt8>, _ stop: Int, base: Int) -> Answer {
        switch bytes[stop] {
        case 0x0d:
            guard stop + 1 < bytes.endIndex else { return .maybe }
            return bytes[stop + 1] == 0x0a ? .head : .refuse(HeadRefusal(.bareCR, at: stop - base))
        case 0x0a: return .refuse(HeadRefusal(.bareLF, at: stop - base))
        case 0: return .refuse(HeadRefusal(.nul, at: stop - base))
        default: return .refuse(HeadRefusal(.control, at: stop - base))
        }
    }
}
