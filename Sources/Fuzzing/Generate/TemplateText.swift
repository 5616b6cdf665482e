package import Plans
package import Wire

/// Messages of plans as JSON that can be edited. `{"user_id":$alice.id}` is no JSON; with its references as marked
/// strings it is. The marks are private-use code points that no server and no contract has a meaning for.
package enum TemplateText {
    static let opening: Unicode.Scalar = "\u{f8f0}"
    static let closing: Unicode.Scalar = "\u{f8f1}"
    static let rawMark: Unicode.Scalar = "\u{f8f2}"

    /// A value that an earlier message binds: `run1.thread_id`, `bob.id`.
    package static func reference(_ name: String) -> JSON { .string("\u{f8f0}\(name)\u{f8f1}") }

    /// A text that shall stand in the message as it is, whatever it is: `NaN`, `"\ud800"`. No `$` in it.
    package static func raw(_ text: String) -> JSON {
        let units = text.unicodeScalars.map { String($0.value, radix: 16) }.joined(separator: " ")
        return .string("\u{f8f2}\(units)\u{f8f2}")
    }

    /// The text of a value for a plan's message. `{user}` and its like stay variables; `$` is the sign itself.
    package static func marked(_ value: JSON) -> String { escaped(value.text) }

    /// The text of a value that was read from a plan's message: its `$` are doubled where they must be.
    static func unescaped(_ value: JSON) -> String { value.text }

    /// A new value to be set in such a message.
    static func kept(_ value: JSON) -> JSON {
        guard case .string(let text) = value else { return value }
        return .string(escaped(text))
    }

    /// `$` doubled: it stands for itself.
    package static func escaped(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            if scalar == "$" { bytes.append(scalar) }
            bytes.append(scalar)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Largest message that is sent as JSON of the plan; a larger one is sent as text, which nobody needs to parse.
    static let largestJSON = 65_536

    /// The step that sends a marked text: as JSON when it is JSON, else as text, where references stand in quotes.
    package static func verb(marked text: String) -> Plan.Verb {
        let json = unmarked(text, bare: true)
        let isOneLine = !json.unicodeScalars.contains { $0 == "\n" || $0 == "\r" }
        let ends = [json.unicodeScalars.first, json.unicodeScalars.last]
        let isTrimmed = !ends.contains { $0 == nil || $0 == " " || $0 == "\t" }
        if isOneLine, isTrimmed, json.utf8.count <= largestJSON, (try? PlanTemplate(json: json)) != nil {
            return .send(json)
        }
        return .sendText(unmarked(text, bare: false))
    }

    package static func verb(_ value: JSON) -> Plan.Verb { verb(marked: marked(value)) }

    /// A message of a plan with every reference as a marked string. Marks that were there before are taken out.
    package static func marked(template: String) -> String {
        let scalars = Array(template.unicodeScalars)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(scalars.count)
        var inString = false
        var index = 0
        while index < scalars.count {
            let scalar = scalars[index]
            index += 1
            switch scalar {
            case opening, closing, rawMark: continue
            case "\"": inString.toggle()
            case "\\" where inString && index < scalars.count:
                bytes.append(scalar)
                bytes.append(scalars[index])
                index += 1
                continue
            case "$" where !inString:
                bytes.append(UInt8(ascii: "\""))
                bytes.append(opening)
                while index < scalars.count, isNamePart(scalars[index]) {
                    bytes.append(scalars[index])
                    index += 1
                }
                bytes.append(closing)
                bytes.append(UInt8(ascii: "\""))
                continue
            default: break
            }
            bytes.append(scalar)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", ".", "-": true
        default: false
        }
    }

    /// - Parameter bare: a string that is a reference and nothing else loses its quotes.
    static func unmarked(_ text: String, bare: Bool) -> String {
        guard text.unicodeScalars.contains(where: { $0 == opening || $0 == rawMark }) else { return text }
        let scalars = Array(text.unicodeScalars)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(scalars.count)
        var index = 0
        while index < scalars.count {
            let scalar = scalars[index]
            if scalar == "\"", index + 1 < scalars.count, scalars[index + 1] == rawMark,
                let end = scalars[(index + 2)...].firstIndex(of: rawMark), end + 1 < scalars.count
            {
                for part in decoded(scalars[(index + 2)..<end]) { bytes.append(part) }
                index = end + 2
            } else if bare, scalar == "\"", index + 1 < scalars.count, scalars[index + 1] == opening,
                let end = scalars[(index + 2)...].firstIndex(of: closing), end + 1 < scalars.count,
                scalars[end + 1] == "\""
            {
                bytes.append(UInt8(ascii: "$"))
                for part in scalars[(index + 2)..<end] { bytes.append(part) }
                index = end + 2
            } else {
                if scalar == opening { bytes.append(UInt8(ascii: "$")) }
                if scalar != opening, scalar != closing, scalar != rawMark { bytes.append(scalar) }
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func decoded(_ digits: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar] {
        var text = ""
        text.unicodeScalars.append(contentsOf: digits)
        return text.split(separator: " ").compactMap { UInt32($0, radix: 16).flatMap { Unicode.Scalar($0) } }
    }
}
