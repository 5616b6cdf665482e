/// One line of a key log.
enum KeyLogLine: Equatable {
    /// Empty, a comment, or a label that is of no use here.
    case nothing
    case secret(KeyLog.Label, ClientRandom, [UInt8])
    case wrong(String)

    init(_ line: ArraySlice<UInt8>) {
        var line = line
        while let last = line.last, last == 0x0d || last == 0x20 || last == 0x09 { line.removeLast() }
        guard let first = line.first, first != UInt8(ascii: "#") else {
            self = .nothing
            return
        }
        let words = line.split(separator: 0x20, maxSplits: 3, omittingEmptySubsequences: true)
        guard let name = words.first, KeyLogLine.isLabel(name) else {
            self = .wrong("begins with no label")
            return
        }
        guard let label = KeyLog.Label(rawValue: String(decoding: name, as: UTF8.self)) else {
            self = .nothing
            return
        }
        guard words.count == 3 else {
            self = .wrong("\(words.count) words after splitting at spaces, not 3")
            return
        }
        guard let bytes = Hex.bytes(words[1]), let random = ClientRandom(bytes) else {
            self = .wrong("the client random is not 64 hex digits")
            return
        }
        guard let secret = Hex.bytes(words[2]), KeyLogLine.lengths(of: label).contains(secret.count) else {
            let digits = KeyLogLine.lengths(of: label).map { String($0 * 2) }.joined(separator: " or ")
            self = .wrong("the secret is not \(digits) hex digits")
            return
        }
        self = .secret(label, random, secret)
    }

    /// Bytes of a secret: a master secret, or the hash of a suite of TLS 1.3.
    private static func lengths(of label: KeyLog.Label) -> [Int] { label == .master ? [48] : [32, 48] }

    private static func isLabel(_ name: ArraySlice<UInt8>) -> Bool {
        name.allSatisfy { (0x41...0x5a).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_") }
    }
}

/// Hexadecimal digits.
enum Hex {
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.flatMap { [digit($0 >> 4), digit($0 & 15)] }, as: UTF8.self)
    }

    /// Nil unless these are pairs of digits, at least one.
    static func bytes(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard !text.isEmpty, text.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2)
        var high: UInt8?
        for character in text {
            guard let value = value(character) else { return nil }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return bytes
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

    private static func value(_ character: UInt8) -> UInt8? {
        switch character {
        case 0x30...0x39: character - 0x30
        case 0x41...0x46: character - 0x37
        case 0x61...0x66: character - 0x57
        default: nil
        }
    }
}
