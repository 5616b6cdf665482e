import Synchronization
import Wire

/// Texts that nobody may read in a journal wherever they stand: values of the environment that a profile names. The shell
/// adds to them while it runs, and what transcribes its sessions asks for them.
package final class HiddenTexts: Sendable {
    private let texts = Mutex<[[UInt8]]>([])
    /// Of a text that is cut off, so much at its end is taken for its beginning.
    private static let leastCut = 6

    package init(_ texts: [String] = []) { add(texts) }

    /// As they are, as they stand in a JSON string, and the bytes that they mean as hexadecimal digits.
    package func add(_ more: [String]) {
        let forms = more.filter { !$0.isEmpty }.flatMap { text in
            [Array(text.utf8), Array(JSON.string(text).text.utf8.dropFirst().dropLast()), Self.bytes(ofHex: text)]
        }.filter { !$0.isEmpty }
        texts.withLock { texts in
            for form in forms where !texts.contains(form) { texts.append(form) }
        }
    }

    /// Empty unless there are at least four, and nothing else.
    private static func bytes(ofHex text: String) -> [UInt8] {
        let digits = Array(text.utf8)
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(decoding: digits[$0...($0 + 1)], as: UTF8.self), radix: 16)
        }
        return digits.count >= 8 && bytes.count * 2 == digits.count ? bytes : []
    }

    package var all: [[UInt8]] { texts.withLock { $0 } }

    /// Where one of them stands, and the beginning of one with which the bytes end.
    static func spans(of texts: [[UInt8]], in bytes: [UInt8]) -> [Redactor.Span] {
        Redactor.occurrences(of: texts, in: bytes)
            + texts.compactMap { text in
                let most = min(text.count - 1, bytes.count)
                guard most >= leastCut else { return nil }
                let length = stride(from: most, through: leastCut, by: -1).first { bytes.suffix($0).elementsEqual(text.prefix($0)) }
                return length.map { Redactor.Span(range: (bytes.count - $0)..<bytes.count, secret: text) }
            }
    }
}
