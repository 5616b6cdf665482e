import Journaling
import NIOCore
import Wire

/// Header lines that a request would like to see in the answer: behind an encoded line end in its target or in a field.
struct Injection: Sendable {
    struct Line: Sendable, Hashable {
        /// Lower case.
        var name: String
        var value: String
    }
    var lines: [Line]
    var entry: Entry

    /// What is ours to recognise, in every line that we would have injected: what a server writes by itself proves nothing.
    private static let mark = "miswire"
    private static let most = 32

    /// The lines that a server would make of this head which decoded once, or twice, what stands there encoded.
    static func lines(of head: ByteBuffer) -> [Line] {
        let bytes = Array(head.readableBytesView.prefix(64 << 10))
        guard bytes.contains(UInt8(ascii: "%")), holds(mark, in: bytes) else { return [] }
        var found: [Line] = []
        for line in bytes.split(whereSeparator: { $0 == 0x0d || $0 == 0x0a }) where line.contains(UInt8(ascii: "%")) {
            // A server takes its parameters apart before it decodes them.
            for piece in line.split(whereSeparator: { " ?&#;,".utf8.contains($0) }) where piece.contains(UInt8(ascii: "%")) {
                let once = decoded(Array(piece))
                found += lines(behindLineEndsOf: once)
                found += lines(behindLineEndsOf: decoded(once))
            }
        }
        return Array(unique(found).prefix(most))
    }

    private static func lines(behindLineEndsOf text: [UInt8]) -> [Line] {
        let pieces = text.split(omittingEmptySubsequences: false, whereSeparator: { $0 == 0x0d || $0 == 0x0a })
        return pieces.dropFirst().compactMap { read($0) }.filter { line in
            holds(mark, in: Array(line.name.utf8)) || holds(mark, in: Array(line.value.utf8))
        }
    }

    /// Nil when it is no field.
    static func read(_ line: some Collection<UInt8>) -> Line? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon != line.startIndex,
            line[..<colon].allSatisfy(ASCII.isToken)
        else { return nil }
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        let value = line[colon...].dropFirst().drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        guard !value.isEmpty else { return nil }
        return Line(name: String(decoding: line[..<colon].map(ASCII.lower), as: UTF8.self), value: String(decoding: value, as: UTF8.self))
    }

    /// Percent-encoding, and the two characters whose last bytes a careless server takes for a line end.
    private static func decoded(_ text: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "%"), index + 2 < text.count, let high = ASCII.hex(text[index + 1]),
                let low = ASCII.hex(text[index + 2])
            {
                out.append(high << 4 | low)
                index += 3
            } else {
                out.append(text[index])
                index += 1
            }
            guard out.count >= 3, out[out.count - 3] == 0xe5, out[out.count - 2] == 0x98 else { continue }
            let end: UInt8? = out[out.count - 1] == 0x8d ? 0x0d : out[out.count - 1] == 0x8a ? 0x0a : nil
            if let end { out.replaceSubrange(out.count - 3..<out.count, with: [end]) }
        }
        return out
    }

    private static func holds(_ word: String, in bytes: [UInt8]) -> Bool {
        let wanted = Array(word.utf8)
        guard bytes.count >= wanted.count else { return false }
        return (0...bytes.count - wanted.count).contains { start in
            wanted.indices.allSatisfy { bytes[start + $0] | 0x20 == wanted[$0] }
        }
    }

    /// The one that stands in the answer as a line of its own.
    func injected(into answer: ByteBuffer) -> Line? {
        let bytes = Array(answer.readableBytesView.prefix(64 << 10))
        for line in bytes.split(whereSeparator: { $0 == 0x0d || $0 == 0x0a }) {
            guard let field = Self.read(line) else { continue }
            if let same = lines.first(where: { $0.name == field.name && field.value.utf8.starts(with: $0.value.utf8) }) { return same }
        }
        return nil
    }
}

/// Lines of the answer that our request wrote.
extension Reader {
    mutating func followInjection(_ head: HeadRecord, _ entry: Entry, _ id: SessionID) {
        if head.passage.direction == .toServer {
            let lines = Injection.lines(of: head.bytes)
            if !lines.isEmpty { injections[id] = Injection(lines: lines, entry: entry) }
            return
        }
        guard let injection = injections[id], let session = sessions[id] else { return }
        let user = session.user.label
        if let line = injection.injected(into: head.bytes) {
            injections[id] = nil
            var evidence = evidence(for: session, entry: entry, at: entry.instant)
            evidence.witness.insert(injection.entry, at: min(1, evidence.witness.count))
            return readings.append(.injection(.init(user: user, line: line.name, outcome: .injected(evidence))))
        }
        // An interim answer is not the last word.
        guard let answer = try? ResponseHead(head.bytes), answer.status == 101 || answer.status >= 200 else { return }
        injections[id] = nil
        readings.append(.injection(.init(user: user, line: "", outcome: .kept)))
    }

    /// No answer will come any more.
    mutating func settleInjection(_ id: SessionID) {
        guard injections.removeValue(forKey: id) != nil, let session = sessions[id] else { return }
        let why = "the request with an encoded line end was not answered"
        readings.append(.injection(.init(user: session.user.label, line: "", outcome: .undecided(why))))
    }
}
