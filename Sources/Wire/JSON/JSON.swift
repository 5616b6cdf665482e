/// A JSON value (RFC 8259): order and duplicate keys kept, numbers as their text.
package enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSON])
    case object([Member])

    package struct Member: Sendable, Hashable {
        package var key: String
        package var value: JSON
        package init(key: String, value: JSON) {
            self.key = key
            self.value = value
        }
    }
}

extension JSON {
    /// The member of that name, byte for byte; the last one when a key occurs twice. Nil on anything but an object.
    package subscript(_ key: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        var place = members.count - 1
        while place >= 0, !JSONText.isSame(members[place].key, key) { place -= 1 }
        return place >= 0 ? members[place].value : nil
    }

    /// The element at that place, from the end when negative. Nil on anything but an array.
    package subscript(_ index: Int) -> JSON? {
        guard case .array(let elements) = self else { return nil }
        let place = index < 0 ? elements.count + index : index
        return elements.indices.contains(place) ? elements[place] : nil
    }

    package var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The number when it is an integer of that size, however written (`1`, `1.0`, `1e0`).
    package var integer: Int? {
        guard case .number(let text) = self else { return nil }
        return JSONNumber(text)?.integer
    }

    /// The nearest double; infinite for texts beyond its range, nil for anything but a number.
    package var double: Double? {
        if case .number(let text) = self { Double(text) } else { nil }
    }

    package var array: [JSON]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    package var object: [Member]? {
        if case .object(let members) = self { members } else { nil }
    }

    package var isNull: Bool { self == .null }

    /// What people call this kind of value: `object`, `number`.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    // No nil literal: `json["key"] == nil` must ask for absence, never for null.

    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .number("\(value)") }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(elements.map { Member(key: $0.0, value: $0.1) })
    }
}
