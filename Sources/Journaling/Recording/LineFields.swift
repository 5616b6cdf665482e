import NIOCore
import Wire

/// The fields of one JSON object, taken out one by one; what is left at the end is an error. Values are read when they are
/// taken, and where they stand: no tree is built of a line.
///
/// Two ways lead through a line. In order: each field that is asked for is the next one or is not there, which is so in every
/// line that we write, and nothing is looked at twice. By name: all keys are found first. What is read in order is what is read
/// by name; what cannot be read in order may be right all the same, or has an error that reading by name tells.
struct LineFields {
    private struct Field {
        let member: JSONMembers.Member
        /// The key, where escapes stand in it.
        let decodedKey: String?
        var isTaken = false

        init(_ member: JSONMembers.Member, _ bytes: [UInt8]) {
            self.member = member
            decodedKey = member.isKeyEscaped ? JSONText.decode(bytes.span, member.key, escaped: true) : nil
        }
    }
    /// The whole line, also of an object inside of it.
    private let bytes: [UInt8]
    private let isInOrder: Bool
    private var fields: [Field] = []
    /// By name: fields are mostly asked for in the order in which they were written.
    private var next = 0
    /// In order: what is taken ends here.
    private var end = 0
    /// In order: where the quote of the next key stands; the end of the line when there is none.
    private var key = 0
    let place: LinePlace

    init(inOrder line: ByteBuffer, place: LinePlace) {
        bytes = [UInt8](buffer: line)
        isInOrder = true
        self.place = place
        advance(behind: UInt8(ascii: "{"), at: 0)
    }

    init(_ line: ByteBuffer, place: LinePlace) throws(RecordingError) {
        let bytes = [UInt8](line.readableBytesView)
        try self.init(bytes, bytes.indices, place)
    }

    /// - Parameter range: where the object stands.
    private init(_ bytes: [UInt8], _ range: Range<Int>, _ place: LinePlace) throws(RecordingError) {
        self.bytes = bytes
        isInOrder = false
        self.place = place
        let found: JSON
        do throws(JSONError) {
            if let members = try JSONMembers(bytes.span, in: range) {
                fields = members.all.map { Field($0, bytes) }
                return
            }
            found = try JSON.parse(ByteBuffer(bytes: bytes[range]))
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

    @inline(__always)
    private mutating func find(_ name: StaticString) -> JSONExtent? {
        isInOrder ? value(of: name).flatMap { follow($0) } : search(name)
    }

    /// In order: takes the next field, whose value begins there. Nil for a value that is no JSON: then the line is read by
    /// name.
    private mutating func follow(_ start: Int) -> JSONExtent? {
        let value = JSONExtent.value(at: start, in: bytes.span)
        advance(to: value?.range.upperBound ?? bytes.count)
        return value
    }

    /// In order: where the value of the next field begins, if this is its name.
    @inline(__always)
    private func value(of name: StaticString) -> Int? { ByteText.value(of: name, in: bytes.span, at: key) }

    /// In order: takes the next field when this is its name, and its value is written like this.
    mutating func takes(_ name: StaticString, _ value: StaticString) -> Bool {
        guard isInOrder, let start = self.value(of: name) else { return false }
        guard ByteText.stands(value, in: bytes.span, at: start) else { return false }
        advance(to: start + value.utf8CodeUnitCount)
        return true
    }

    /// In order: what is taken ends there.
    @inline(__always)
    private mutating func advance(to end: Int) { advance(behind: UInt8(ascii: ","), at: end) }

    /// In order: the next key stands behind that, if there is one.
    @inline(__always)
    private mutating func advance(behind separator: UInt8, at place: Int) {
        end = place
        key = place < bytes.count && bytes[place] == separator ? place + 1 : bytes.count
    }

    private mutating func search(_ name: StaticString) -> JSONExtent? {
        guard let index = place(of: name, in: next..<fields.count) ?? place(of: name, in: 0..<next) else { return nil }
        fields[index].isTaken = true
        next = index + 1
        return fields[index].member.value
    }

    private func place(of name: StaticString, in range: Range<Int>) -> Int? {
        range.first { !fields[$0].isTaken && isNamed(fields[$0], name) }
    }

    private func isNamed(_ field: Field, _ name: StaticString) -> Bool {
        if let key = field.decodedKey { return JSONText.isSame(key, "\(name)") }
        let key = field.member.key
        return key.count == name.utf8CodeUnitCount + 2 && ByteText.stands(name, in: bytes.span, at: key.lowerBound + 1)
    }

    private func name(_ field: Field) -> String {
        JSONText.decode(bytes.span, field.member.key, escaped: field.member.isKeyEscaped)
    }

    private func json(_ value: JSONExtent) -> JSON? { try? JSON.parse(ByteBuffer(bytes: bytes[value.range])) }

    /// Throws when a field is left that nobody asked for: another version wrote it, or it was given twice.
    func finish() throws(RecordingError) {
        if isInOrder {
            if end == bytes.count - 1, bytes[end] == UInt8(ascii: "}") { return }
            throw outOfOrder
        }
        guard let index = fields.firstIndex(where: { !$0.isTaken }) else { return }
        let key = name(fields[index])
        let again = fields.indices.contains { $0 != index && name(fields[$0]) == key }
        throw RecordingError(
            place: place.description, sentence: again ? "field \"\(key)\" is given twice" : "unknown field \"\(key)\"",
            expected: "the fields of recording version \(RecordingHeader.currentVersion)", found: "\"\(key)\"",
            remedy: "read it with the program that wrote it")
    }

    /// Told to nobody: the line is read by name.
    private var outOfOrder: RecordingError { RecordingError(place: "", sentence: "the fields are in another order") }

    func wrong(_ key: StaticString, expected: String, found: JSON?) -> RecordingError {
        RecordingError(
            place: place.description, sentence: found == nil ? "field \"\(key)\" is missing" : "field \"\(key)\" is wrong",
            expected: expected, found: found.map(\.article) ?? "nothing",
            remedy: "restore the line from a copy or remove it")
    }

    private func wrong(_ key: StaticString, expected: String, _ value: JSONExtent) -> RecordingError {
        wrong(key, expected: expected, found: json(value) ?? .null)
    }

    /// What the object in that field says, all of it.
    mutating func objectIfPresent<T>(
        _ key: StaticString, _ read: (inout LineFields) throws(RecordingError) -> T
    ) throws(RecordingError) -> T? {
        guard isInOrder else {
            guard let value = find(key) else { return nil }
            var fields = try LineFields(bytes, value.range, place)
            let result = try read(&fields)
            try fields.finish()
            return result
        }
        guard let start = value(of: key) else { return nil }
        guard start < bytes.count, bytes[start] == UInt8(ascii: "{") else { throw outOfOrder }
        advance(behind: UInt8(ascii: "{"), at: start)
        let result = try read(&self)
        guard end < bytes.count, bytes[end] == UInt8(ascii: "}") else { throw outOfOrder }
        advance(to: end + 1)
        return result
    }

    mutating func string(_ key: StaticString) throws(RecordingError) -> String {
        guard let text = try stringIfPresent(key) else { throw wrong(key, expected: "a string", found: nil) }
        return text
    }

    mutating func stringIfPresent(_ key: StaticString) throws(RecordingError) -> String? {
        guard let field = find(key) else { return nil }
        guard case .string(let escaped) = field.kind else { throw wrong(key, expected: "a string", field) }
        return JSONText.decode(bytes.span, field.range, escaped: escaped)
    }

    mutating func integerIfPresent<T: FixedWidthInteger>(_ key: StaticString, as type: T.Type = T.self) throws(RecordingError) -> T? {
        if isInOrder {
            guard let start = value(of: key) else { return nil }
            if let (number, end): (T, Int) = digits(at: start) {
                advance(to: end)
                return number
            }
        }
        guard let field = find(key) else { return nil }
        guard field.kind == .number, let number: T = integer(field.range) else {
            throw wrong(key, expected: "an integer from \(T.min) to \(T.max)", field)
        }
        return number
    }

    /// The integer of fewer than 20 digits that begins there, and where it ends. Nil for anything else, also for one that does
    /// not fit.
    @inline(__always)
    private func digits<T: FixedWidthInteger>(at start: Int) -> (T, Int)? {
        let bytes = bytes.span
        let isNegative = start < bytes.count && bytes[start] == UInt8(ascii: "-")
        let first = isNegative ? start + 1 : start
        let (number, end) = Self.digits(in: bytes, at: first)
        let count = end - first
        guard count > 0, count < 20, count == 1 || bytes[first] != 0x30 else { return nil }
        let value: T?
        if isNegative {
            value = number <= 1 << 63 ? T(exactly: Int64(truncatingIfNeeded: 0 &- number)) : nil
        } else {
            value = T(exactly: number)
        }
        return value.map { ($0, end) }
    }

    /// What the digits that begin there say, if there are fewer than 20, and where they end.
    @inline(__always)
    private static func digits(in bytes: Span<UInt8>, at start: Int) -> (number: UInt64, end: Int) {
        var number: UInt64 = 0
        var index = start
        while index < bytes.count {
            let digit = bytes[index] &- 0x30
            if digit > 9 { break }
            number = number &* 10 &+ UInt64(digit)
            index += 1
        }
        return (number, index)
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

    mutating func integer<T: FixedWidthInteger>(_ key: StaticString, as type: T.Type = T.self) throws(RecordingError) -> T {
        guard let number = try integerIfPresent(key, as: type) else { throw wrong(key, expected: "an integer", found: nil) }
        return number
    }

    mutating func flag(_ key: StaticString, default value: Bool = false) throws(RecordingError) -> Bool {
        if takes(key, "true") { return true }
        guard let field = find(key) else { return value }
        guard case .bool(let flag) = field.kind else { throw wrong(key, expected: "true or false", field) }
        return flag
    }

    mutating func wordIfPresent<T: RawRepresentable<String> & CaseIterable>(
        _ key: StaticString, as type: T.Type = T.self
    ) throws(RecordingError) -> T? {
        guard let field = find(key) else { return nil }
        guard case .string(let escaped) = field.kind, let word = T(rawValue: JSONText.decode(bytes.span, field.range, escaped: escaped))
        else {
            let words = T.allCases.map { $0.rawValue }.joined(separator: ", ")
            throw wrong(key, expected: "one of \(words)", field)
        }
        return word
    }

    mutating func word<T: RawRepresentable<String> & CaseIterable>(
        _ key: StaticString, as type: T.Type = T.self
    ) throws(RecordingError) -> T {
        guard let word = try wordIfPresent(key, as: type) else {
            let words = T.allCases.map { $0.rawValue }.joined(separator: ", ")
            throw wrong(key, expected: "one of \(words)", found: nil)
        }
        return word
    }

    mutating func strings(_ key: StaticString) throws(RecordingError) -> [String] {
        guard let field = find(key) else { return [] }
        guard case .array(let elements) = json(field) else { throw wrong(key, expected: "a list of strings", field) }
        var texts: [String] = []
        for element in elements {
            guard case .string(let text) = element else { throw wrong(key, expected: "a list of strings", found: element) }
            texts.append(text)
        }
        return texts
    }

    mutating func instantIfPresent(_ key: StaticString) throws(RecordingError) -> Instant? {
        try integerIfPresent(key, as: Int64.self).map { Instant(nanoseconds: $0) }
    }

    mutating func refIfPresent(_ key: StaticString) throws(RecordingError) -> EntryRef? {
        if isInOrder {
            guard let start = value(of: key) else { return nil }
            if let (ref, end) = ref(at: start) {
                advance(to: end)
                return ref
            }
        }
        guard let field = find(key) else { return nil }
        guard case .string(escaped: false) = field.kind, let ref = ref(field.range) else {
            throw wrong(key, expected: "a session and an ordinal such as s31.12", field)
        }
        return ref
    }

    /// What begins there, if it is like "s31.12", and where it ends.
    private func ref(at start: Int) -> (EntryRef, Int)? {
        let bytes = bytes.span
        guard start + 2 < bytes.count, bytes[start] == UInt8(ascii: "\""), bytes[start + 1] == UInt8(ascii: "s") else { return nil }
        let (session, dot) = Self.digits(in: bytes, at: start + 2)
        guard dot > start + 2, dot < start + 12, dot < bytes.count, bytes[dot] == UInt8(ascii: ".") else { return nil }
        let (ordinal, end) = Self.digits(in: bytes, at: dot + 1)
        guard end > dot + 1, end < dot + 11, end < bytes.count, bytes[end] == UInt8(ascii: "\"") else { return nil }
        guard let session = UInt32(exactly: session), let ordinal = UInt32(exactly: ordinal) else { return nil }
        return (EntryRef(session: SessionID(session), ordinal: ordinal), end + 1)
    }

    private func ref(_ range: Range<Int>) -> EntryRef? {
        let text = range.lowerBound + 1..<range.upperBound - 1
        guard text.count >= 4, bytes[text.lowerBound] == UInt8(ascii: "s"),
            let dot = text.first(where: { bytes[$0] == UInt8(ascii: ".") }), dot > text.lowerBound + 1, dot + 1 < text.upperBound,
            let session: UInt32 = integer(text.lowerBound + 1..<dot), let ordinal: UInt32 = integer(dot + 1..<text.upperBound),
            bytes[text.lowerBound + 1] != UInt8(ascii: "-"), bytes[dot + 1] != UInt8(ascii: "-")
        else { return nil }
        return EntryRef(session: SessionID(session), ordinal: ordinal)
    }

    /// What the string says that begins there, and where it ends; nil for what is no string.
    @inline(__always)
    static func text(in bytes: Span<UInt8>, at start: Int) -> (text: ByteBuffer, end: Int)? {
        if let short = JSONText.shortText(bytes, at: start) { return short }
        guard let value = JSONExtent.value(at: start, in: bytes), let text = text(in: bytes, value) else { return nil }
        return (text, value.range.upperBound)
    }

    private static func text(in bytes: Span<UInt8>, _ value: JSONExtent) -> ByteBuffer? {
        if case .string = value.kind { JSONText.decodeBytes(bytes, value.range) } else { nil }
    }

    /// `text` or `b64`; nil when there is neither.
    mutating func payloadIfPresent() throws(RecordingError) -> ByteBuffer? {
        if isInOrder, let start = value(of: "text"), let (text, end) = Self.text(in: bytes.span, at: start) {
            advance(to: end)
            return text
        }
        if let field = find("text") {
            guard let text = Self.text(in: bytes.span, field) else { throw wrong("text", expected: "a string", field) }
            return text
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
