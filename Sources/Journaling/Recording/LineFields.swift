import NIOCore
import Wire

/// The fields of one JSON object, taken out one by one; what is left at the end is an error.
struct LineFields {
    private let members: [JSON.Member]
    private var taken: [Bool]
    let place: String

    init(_ value: JSON, place: String) throws(RecordingError) {
        guard case .object(let members) = value else {
            throw RecordingError(
                place: place, sentence: "the line is no entry", expected: "a JSON object", found: value.article,
                remedy: "remove the line")
        }
        self.members = members
        self.place = place
        taken = Array(repeating: false, count: members.count)
    }

    mutating func take(_ key: String) -> JSON? {
        for index in members.indices where !taken[index] && members[index].key == key {
            taken[index] = true
            return members[index].value
        }
        return nil
    }

    /// Throws when a field is left that nobody asked for: another version wrote it, or it was given twice.
    func finish() throws(RecordingError) {
        guard let index = taken.firstIndex(of: false) else { return }
        let key = members[index].key
        let again = members[..<index].contains { $0.key == key }
        throw RecordingError(
            place: place, sentence: again ? "field \"\(key)\" is given twice" : "unknown field \"\(key)\"",
            expected: "the fields of recording version \(RecordingHeader.currentVersion)", found: "\"\(key)\"",
            remedy: "read it with the program that wrote it")
    }

    func wrong(_ key: String, expected: String, found: JSON?) -> RecordingError {
        RecordingError(
            place: place, sentence: found == nil ? "field \"\(key)\" is missing" : "field \"\(key)\" is wrong",
            expected: expected, found: found.map(\.article) ?? "nothing",
            remedy: "restore the line from a copy or remove it")
    }

    mutating func string(_ key: String) throws(RecordingError) -> String {
        let value = take(key)
        guard case .string(let text) = value else { throw wrong(key, expected: "a string", found: value) }
        return text
    }

    mutating func stringIfPresent(_ key: String) throws(RecordingError) -> String? {
        guard let value = take(key) else { return nil }
        guard case .string(let text) = value else { throw wrong(key, expected: "a string", found: value) }
        return text
    }

    mutating func integerIfPresent<T: FixedWidthInteger>(_ key: String, as type: T.Type = T.self) throws(RecordingError) -> T? {
        guard let value = take(key) else { return nil }
        guard case .number(let text) = value, let number = T(text) else {
            throw wrong(key, expected: "an integer from \(T.min) to \(T.max)", found: value)
        }
        return number
    }

    mutating func integer<T: FixedWidthInteger>(_ key: String, as type: T.Type = T.self) throws(RecordingError) -> T {
        guard let number = try integerIfPresent(key, as: type) else { throw wrong(key, expected: "an integer", found: nil) }
        return number
    }

    mutating func flag(_ key: String, default value: Bool = false) throws(RecordingError) -> Bool {
        guard let found = take(key) else { return value }
        guard case .bool(let flag) = found else { throw wrong(key, expected: "true or false", found: found) }
        return flag
    }

    mutating func wordIfPresent<T: RawRepresentable<String> & CaseIterable>(
        _ key: String, as type: T.Type = T.self
    ) throws(RecordingError) -> T? {
        guard let value = take(key) else { return nil }
        guard case .string(let text) = value, let word = T(rawValue: text) else {
            let words = T.allCases.map { $0.rawValue }.joined(separator: ", ")
            throw wrong(key, expected: "one of \(words)", found: value)
        }
        return word
    }

    mutating func word<T: RawRepresentable<String> & CaseIterable>(
        _ key: String, as type: T.Type = T.self
    ) throws(RecordingError) -> T {
        guard let word = try wordIfPresent(key, as: type) else {
            let words = T.allCases.map { $0.rawValue }.joined(separator: ", ")
            throw wrong(key, expected: "one of \(words)", found: nil)
        }
        return word
    }

    mutating func strings(_ key: String) throws(RecordingError) -> [String] {
        guard let value = take(key) else { return [] }
        guard case .array(let elements) = value else { throw wrong(key, expected: "a list of strings", found: value) }
        var texts: [String] = []
        for element in elements {
            guard case .string(let text) = element else { throw wrong(key, expected: "a list of strings", found: element) }
            texts.append(text)
        }
        return texts
    }

    mutating func instantIfPresent(_ key: String) throws(RecordingError) -> Instant? {
        try integerIfPresent(key, as: Int64.self).map { Instant(nanoseconds: $0) }
    }

    mutating func refIfPresent(_ key: String) throws(RecordingError) -> EntryRef? {
        guard let value = take(key) else { return nil }
        guard case .string(let text) = value, let ref = EntryRef(text) else {
            throw wrong(key, expected: "a session and an ordinal such as s31.12", found: value)
        }
        return ref
    }

    /// `text` or `b64`; nil when there is neither.
    mutating func payloadIfPresent() throws(RecordingError) -> ByteBuffer? {
        if let text = try stringIfPresent("text") { return ByteBuffer(string: text) }
        guard let text = try stringIfPresent("b64") else { return nil }
        guard let bytes = Base64.decode(text) else { throw wrong("b64", expected: "base64", found: .string(text)) }
        return bytes
    }
}

extension JSON {
    /// What stands there, short enough for an error line.
    var article: String {
        switch self {
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .number(let text): text.count > 40 ? "\(text.prefix(40))…" : text
        case .string(let text): "\"\(text.count > 40 ? text.prefix(40) + "…" : text[...])\""
        case .array: "a list"
        case .object: "an object"
        }
    }
}

extension EntryRef {
    /// `s31.12`
    package init?(_ text: String) {
        guard text.utf8.first == 0x73, let dot = text.utf8.firstIndex(of: 0x2e) else { return nil }
        let session = text[text.index(after: text.startIndex)..<dot]
        let ordinal = text[text.index(after: dot)...]
        guard session.first != "+", ordinal.first != "+", let session = UInt32(session), let ordinal = UInt32(ordinal)
        else { return nil }
        self.init(session: SessionID(session), ordinal: ordinal)
    }
}
