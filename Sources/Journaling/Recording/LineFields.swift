import NIOCore
import Wire

/// The fields of one JSON object, taken out one by one; what is left at the end is an error. Values are read when they are
/// taken, and where they stand: no tree is built of a line.
struct LineFields {
    private struct Field {
        var key: Range<Int>
        var isKeyEscaped: Bool
        var value: Value
        /// With quotes and brackets.
        var range: Range<Int>
        var isTaken = false
    }
    private enum Value: Equatable { case string(escaped: Bool), number, bool(Bool), null, container }

    private let bytes: [UInt8]
    private var fields: [Field] = []
    /// Fields are mostly asked for in the order in which they were written.
    private var next = 0
    let place: LinePlace

    init(_ line: ByteBuffer, place: LinePlace) throws(RecordingError) {
        try self.init([UInt8](line.readableBytesView), place: place)
    }

    private init(_ bytes: [UInt8], place: LinePlace) throws(RecordingError) {
        self.bytes = bytes
        self.place = place
        fields.reserveCapacity(16)
        let found: JSON
        do throws(JSONError) {
            if try index() { return }
            found = try JSON.parse(ByteBuffer(bytes: bytes))
        } catch { throw Self.noJSON(error, bytes, place) }
        throw RecordingError(
            place: place.description, sentence: "the line is no entry", expected: "a JSON object", found: found.article,
            remedy: "remove the line")
    }

    private static func noJSON(_ error: JSONError, _ bytes: [UInt8], _ place: LinePlace) -> RecordingError {
        let excerpt = bytes.prefix(40).map { 0x20..<0x7f ~= $0 ? $0 : UInt8(ascii: "?") }
        return RecordingError(
            place: place.description, sentence: "the line is no JSON: \(error.reason) at byte \(error.offset + 1)",
            expected: "one entry", found: "`\(String(decoding: excerpt, as: UTF8.self))`",
            remedy: "restore the line from a copy or remove it")
    }

    /// Notes where the members stand. False for anything but an object, which may be no JSON at all behind its first token.
    private mutating func index() throws(JSONError) -> Bool {
        var tokens = JSONTokens(bytes)
        guard case .beginObject = try tokens.next() else { return false }
        var key = 0..<0
        var isKeyEscaped = false
        var start = 0
        while let token = try tokens.next() {
            let value: Value
            let range: Range<Int>
            switch token {
            case .key(let place, let escaped):
                if tokens.depth == 1 { (key, isKeyEscaped) = (place, escaped) }
                continue
            case .beginObject(let place), .beginArray(let place):
                if tokens.depth == 2 { start = place }
                continue
            case .endObject(let end), .endArray(let end): (value, range) = (.container, start..<end)
            case .string(let place, let escaped): (value, range) = (.string(escaped: escaped), place)
            case .number(let place): (value, range) = (.number, place)
            case .bool(let flag, let place): (value, range) = (.bool(flag), place)
            case .null(let place): (value, range) = (.null, place)
            }
            guard tokens.depth == 1 else { continue }
            fields.append(Field(key: key, isKeyEscaped: isKeyEscaped, value: value, range: range))
        }
        try tokens.finish()
        return true
    }

    private mutating func find(_ key: String) -> Field? {
        guard let index = place(of: key, in: next..<fields.count) ?? place(of: key, in: 0..<next) else { return nil }
        fields[index].isTaken = true
        next = index + 1
        return fields[index]
    }

    private func place(of key: String, in range: Range<Int>) -> Int? {
        let count = key.utf8.count + 2
        for index in range where (fields[index].key.count == count || fields[index].isKeyEscaped) && !fields[index].isTaken {
            if isNamed(fields[index], key) { return index }
        }
        return nil
    }

    private func isNamed(_ field: Field, _ key: String) -> Bool {
        if field.isKeyEscaped { return name(field) == key }
        var index = field.key.lowerBound + 1
        for byte in key.utf8 {
            if bytes[index] != byte { return false }
            index += 1
        }
        return true
    }

    private func name(_ field: Field) -> String { JSONText.decode(bytes, field.key, escaped: field.isKeyEscaped) }

    private func json(_ field: Field) -> JSON? { try? JSON.parse(ByteBuffer(bytes: bytes[field.range])) }

    /// Throws when a field is left that nobody asked for: another version wrote it, or it was given twice.
    func finish() throws(RecordingError) {
        guard let index = fields.firstIndex(where: { !$0.isTaken }) else { return }
        let key = name(fields[index])
        let again = fields.indices.contains { $0 != index && name(fields[$0]) == key }
        throw RecordingError(
            place: place.description, sentence: again ? "field \"\(key)\" is given twice" : "unknown field \"\(key)\"",
            expected: "the fields of recording version \(RecordingHeader.currentVersion)", found: "\"\(key)\"",
            remedy: "read it with the program that wrote it")
    }

    func wrong(_ key: String, expected: String, found: JSON?) -> RecordingError {
        RecordingError(
            place: place.description, sentence: found == nil ? "field \"\(key)\" is missing" : "field \"\(key)\" is wrong",
            expected: expected, found: found.map(\.article) ?? "nothing",
            remedy: "restore the line from a copy or remove it")
    }

    private func wrong(_ key: String, expected: String, _ field: Field?) -> RecordingError {
        wrong(key, expected: expected, found: field.map { json($0) ?? .null })
    }

    /// The fields of the object in that field.
    mutating func objectIfPresent(_ key: String) throws(RecordingError) -> LineFields? {
        guard let field = find(key) else { return nil }
        return try LineFields(Array(bytes[field.range]), place: place)
    }

    mutating func string(_ key: String) throws(RecordingError) -> String {
        guard let text = try stringIfPresent(key) else { throw wrong(key, expected: "a string", found: nil) }
        return text
    }

    mutating func stringIfPresent(_ key: String) throws(RecordingError) -> String? {
        guard let field = find(key) else { return nil }
        guard case .string(let escaped) = field.value else { throw wrong(key, expected: "a string", field) }
        return JSONText.decode(bytes, field.range, escaped: escaped)
    }

    mutating func integerIfPresent<T: FixedWidthInteger>(_ key: String, as type: T.Type = T.self) throws(RecordingError) -> T? {
        guard let field = find(key) else { return nil }
        guard field.value == .number, let number: T = integer(field.range) else {
            throw wrong(key, expected: "an integer from \(T.min) to \(T.max)", field)
        }
        return number
    }

    /// Nil for what is no integer, or does not fit.
    private func integer<T: FixedWidthInteger>(_ range: Range<Int>) -> T? {
        let isNegative = bytes[range.lowerBound] == UInt8(ascii: "-")
        var number: T = 0
        for index in (range.lowerBound + (isNegative ? 1 : 0))..<range.upperBound {
            let byte = bytes[index]
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            let tenfold = number.multipliedReportingOverflow(by: 10)
            let digit = T(truncatingIfNeeded: byte - 0x30)
            let next =
                isNegative
                ? tenfold.partialValue.subtractingReportingOverflow(digit) : tenfold.partialValue.addingReportingOverflow(digit)
            if tenfold.overflow || next.overflow { return nil }
            number = next.partialValue
        }
        return number
    }

    mutating func integer<T: FixedWidthInteger>(_ key: String, as type: T.Type = T.self) throws(RecordingError) -> T {
        guard let number = try integerIfPresent(key, as: type) else { throw wrong(key, expected: "an integer", found: nil) }
        return number
    }

    mutating func flag(_ key: String, default value: Bool = false) throws(RecordingError) -> Bool {
        guard let field = find(key) else { return value }
        guard case .bool(let flag) = field.value else { throw wrong(key, expected: "true or false", field) }
        return flag
    }

    mutating func wordIfPresent<T: RawRepresentable<String> & CaseIterable>(
        _ key: String, as type: T.Type = T.self
    ) throws(RecordingError) -> T? {
        guard let field = find(key) else { return nil }
        guard case .string(let escaped) = field.value, let word = T(rawValue: JSONText.decode(bytes, field.range, escaped: escaped))
        else {
            let words = T.allCases.map { $0.rawValue }.joined(separator: ", ")
            throw wrong(key, expected: "one of \(words)", field)
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
        guard let field = find(key) else { return [] }
        guard case .array(let elements) = json(field) else { throw wrong(key, expected: "a list of strings", field) }
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
        guard let field = find(key) else { return nil }
        guard case .string(escaped: false) = field.value, let ref = ref(field.range) else {
            throw wrong(key, expected: "a session and an ordinal such as s31.12", field)
        }
        return ref
    }

    private func ref(_ range: Range<Int>) -> EntryRef? {
        let text = range.lowerBound + 1..<range.upperBound - 1
        guard text.count >= 4, bytes[text.lowerBound] == UInt8(ascii: "s"),
            let dot = bytes[text].firstIndex(of: UInt8(ascii: ".")), dot > text.lowerBound + 1, dot + 1 < text.upperBound,
            let session: UInt32 = integer(text.lowerBound + 1..<dot), let ordinal: UInt32 = integer(dot + 1..<text.upperBound),
            bytes[text.lowerBound + 1] != UInt8(ascii: "-"), bytes[dot + 1] != UInt8(ascii: "-")
        else { return nil }
        return EntryRef(session: SessionID(session), ordinal: ordinal)
    }

    /// `text` or `b64`; nil when there is neither.
    mutating func payloadIfPresent() throws(RecordingError) -> ByteBuffer? {
        if let field = find("text") {
            guard case .string(let escaped) = field.value else { throw wrong("text", expected: "a string", field) }
            if escaped { return ByteBuffer(bytes: JSONText.decodeBytes(bytes, field.range)) }
            return ByteBuffer(bytes: bytes[field.range.lowerBound + 1..<field.range.upperBound - 1])
        }
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
