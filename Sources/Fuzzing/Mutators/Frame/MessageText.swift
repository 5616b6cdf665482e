import Plans

/// A message of a plan in pieces that may be cut apart anywhere: single characters, and values that are filled in when
/// it is sent.
struct MessageText: Sendable {
    /// Scalars by their numbers, and values by places in `values`, from -1 downwards: messages may be long.
    private var atoms: [Int32] = []
    /// `$run1.thread_id` or `{canary}`, as it is written in a text.
    private var values: [String] = []

    init(_ text: String) { add(text) }

    /// Nil for what is no text.
    init?(_ verb: Plan.Verb) {
        let template: PlanTemplate
        switch verb {
        case .send(let json):
            guard let read = try? PlanTemplate(json: json) else { return nil }
            template = read
        case .sendText(let text): template = PlanTemplate(text: text)
        default: return nil
        }
        for piece in template.pieces {
            switch piece {
            case .literal(let text): add(text)
            case .text(let reference): add(value: "$" + reference.text)
            // In a frame every value stands inside a text; what plans refer to are texts.
            case .value(let reference):
                add("\"")
                add(value: "$" + reference.text)
                add("\"")
            case .variable(let variable): add(value: "{" + variable.text + "}")
            }
        }
    }

    /// Steps that this can be made of, without making it: plans hold only messages that can be read.
    static func isText(_ verb: Plan.Verb) -> Bool {
        switch verb {
        case .send, .sendText: true
        default: false
        }
    }

    private mutating func add(_ text: String) {
        atoms.reserveCapacity(atoms.count + text.utf8.count)
        for scalar in text.unicodeScalars { atoms.append(Int32(clamping: scalar.value)) }
    }

    private mutating func add(value: String) {
        values.append(value)
        atoms.append(-Int32(clamping: values.count))
    }

    private func scalar(_ atom: Int32) -> Unicode.Scalar? { UInt32(exactly: atom).flatMap { Unicode.Scalar($0) } }
    private func value(_ atom: Int32) -> String {
        let index = -1 - Int(atom)
        return values.indices.contains(index) ? values[index] : ""
    }

    var count: Int { atoms.count }
    var isASCII: Bool { !atoms.contains { $0 > 0x7f } }

    /// Places of characters that take several bytes.
    var wide: [Int] { atoms.indices.filter { atoms[$0] > 0x7f } }

    /// As a frame's payload.
    subscript(_ range: Range<Int>) -> Plan.FrameText.Payload { .text(text(range)) }
    var payload: Plan.FrameText.Payload { self[0..<count] }

    private func text(_ range: Range<Int>) -> String {
        var text: [UInt8] = []
        for atom in atoms[range.clamped(to: 0..<count)] {
            if let scalar = scalar(atom) {
                text.append(scalar)
                // The sign itself, and no reference.
                if scalar == "$" { text.append(scalar) }
            } else {
                text += Array(value(atom).utf8)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes with an `x` in place of each value.
    var bytes: [UInt8] { bytes(0..<count) }

    func bytes(_ range: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        for atom in atoms[range.clamped(to: 0..<count)] { bytes.append(scalar(atom) ?? "x") }
        return bytes
    }

    /// With that text in the message: as one more member of a JSON object, else at its end.
    func adding(_ text: String) -> MessageText {
        var changed = self
        guard let last = atoms.lastIndex(where: { !Self.isBlank($0) }), Self.isScalar(atoms[last], "}"),
            let before = atoms[..<last].last(where: { !Self.isBlank($0) })
        else {
            changed.atoms += MessageText(text).atoms
            return changed
        }
        let member = MessageText((Self.isScalar(before, "{") ? "" : ",") + "\"note\":\"\(text)\"")
        changed.atoms.insert(contentsOf: member.atoms, at: last)
        return changed
    }

    private static func isScalar(_ atom: Int32, _ wanted: Unicode.Scalar) -> Bool { atom == Int32(clamping: wanted.value) }
    private static func isBlank(_ atom: Int32) -> Bool { isScalar(atom, " ") || isScalar(atom, "\n") || isScalar(atom, "\t") }
}

extension Variable {
    /// As it stands between braces.
    fileprivate var text: String {
        switch self {
        case .user: "user"
        case .credential: "credential"
        case .canary: "canary"
        case .uuid: "uuid"
        case .n: "n"
        case .now(0): "now"
        case .now(let shift): shift < 0 ? "now\(shift)s" : "now+\(shift)s"
        }
    }
}
