/// One value of a tnetstring, where it stands in its file: `LENGTH:bytes` and a letter for its kind.
struct Tnetstring: Equatable {
    enum Kind: UInt8 {
        case bytes = 0x2c  // ,
        case text = 0x3b  // ;
        case integer = 0x23  // #
        case float = 0x5e  // ^
        case boolean = 0x21  // !
        case null = 0x7e  // ~
        case list = 0x5d  // ]
        case dictionary = 0x7d  // }
    }
    var kind: Kind
    /// Of what it holds, without length and letter.
    var content: Range<UInt64>
}

/// Reads tnetstrings without recursion: a container is walked by whoever asks for its members, everything else is passed
/// over by its length. Lengths are compared by subtraction, never added first (trust.md T28).
struct TnetstringReader {
    /// Where bytes are no tnetstring, and why.
    enum Fault: Error {
        case form(offset: UInt64, reason: String)
        case file(ImportError)
    }

    private var window: FileWindow
    private static let longestLength = 12

    init(_ file: SourceFile, chunk: Int) { window = FileWindow(file, chunk: chunk) }

    var size: UInt64 { window.size }

    /// The value that begins at `offset`, which moves behind it; nil at `end`.
    mutating func next(_ offset: inout UInt64, end: UInt64) throws(Fault) -> Tnetstring? {
        guard offset < end else { return nil }
        var place = offset
        var length: UInt64 = 0
        while place < end, let byte = try byte(place), (0x30...0x39).contains(byte) {
            guard place - offset < UInt64(TnetstringReader.longestLength) else {
                throw .form(offset: offset, reason: "a length of more than 12 digits")
            }
            length = length * 10 + UInt64(byte - 0x30)
            place += 1
        }
        guard place > offset else { throw .form(offset: offset, reason: "expected a length") }
        guard place < end else { throw .form(offset: offset, reason: "the file ends inside a length") }
        guard try byte(place) == 0x3a else { throw .form(offset: place, reason: "expected : behind the length") }
        place += 1
        guard end - place > length else {
            throw .form(offset: offset, reason: "\(length) bytes are said to follow, \(end - place) do")
        }
        let content = place..<(place + length)
        guard let letter = try byte(content.upperBound), let kind = Tnetstring.Kind(rawValue: letter) else {
            throw .form(offset: content.upperBound, reason: "the letter behind a value is none of , ; # ^ ! ~ ] }")
        }
        offset = content.upperBound + 1
        return Tnetstring(kind: kind, content: content)
    }

    private mutating func byte(_ offset: UInt64) throws(Fault) -> UInt8? {
        do throws(ImportError) { return try window.byte(at: offset) } catch { throw .file(error) }
    }

    // MARK: What values say; nil for another kind, and for what is larger than `most`

    mutating func bytes(_ value: Tnetstring?, most: Int = 1 << 20) throws(Fault) -> [UInt8]? {
        guard let value, value.kind == .bytes || value.kind == .text else { return nil }
        return try raw(value, most: most)
    }

    mutating func raw(_ value: Tnetstring, most: Int) throws(Fault) -> [UInt8]? {
        guard value.content.upperBound - value.content.lowerBound <= UInt64(most) else { return nil }
        do throws(ImportError) { return try window.bytes(value.content) } catch { throw .file(error) }
    }

    /// Bytes that are no UTF-8 become U+FFFD.
    mutating func text(_ value: Tnetstring?) throws(Fault) -> String? {
        try bytes(value).map { String(decoding: $0, as: UTF8.self) }
    }

    mutating func integer(_ value: Tnetstring?) throws(Fault) -> Int? {
        guard let value, value.kind == .integer, let digits = try raw(value, most: 20) else { return nil }
        return Int(String(decoding: digits, as: UTF8.self))
    }

    mutating func boolean(_ value: Tnetstring?) throws(Fault) -> Bool? {
        guard let value, value.kind == .boolean, let word = try raw(value, most: 5) else { return nil }
        return word.elementsEqual("true".utf8) ? true : word.elementsEqual("false".utf8) ? false : nil
    }

    /// Seconds since 1970, an integer or a float.
    mutating func time(_ value: Tnetstring?) throws(Fault) -> WallTime? {
        guard let value, value.kind == .float || value.kind == .integer, let text = try raw(value, most: 40) else { return nil }
        return WallClockText.sinceEpoch(String(decoding: text, as: UTF8.self))
    }

    /// The elements of a list, of which there may be many: see `next` for walking it instead.
    mutating func list(_ value: Tnetstring?, most: Int = 1_000) throws(Fault) -> [Tnetstring]? {
        guard let value, value.kind == .list else { return nil }
        var elements: [Tnetstring] = []
        var offset = value.content.lowerBound
        while elements.count < most, let element = try next(&offset, end: value.content.upperBound) { elements.append(element) }
        return elements
    }

    /// The members of a dictionary whose keys are text or bytes; the last of equal keys.
    mutating func dictionary(_ value: Tnetstring?) throws(Fault) -> [String: Tnetstring]? {
        guard let value, value.kind == .dictionary else { return nil }
        var members: [String: Tnetstring] = [:]
        var offset = value.content.lowerBound
        while members.count < 1_000, let key = try next(&offset, end: value.content.upperBound) {
            guard let member = try next(&offset, end: value.content.upperBound) else {
                throw .form(offset: offset, reason: "a key without a value")
            }
            guard let name = try bytes(key, most: 256) else { continue }
            members[String(decoding: name, as: UTF8.self)] = member
        }
        return members
    }
}
