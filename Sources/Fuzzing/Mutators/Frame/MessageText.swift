import Plans

/// A message of a plan in pieces that may be cut apart anywhere: single characters, and values that are filled in when
/// it is sent.
struct MessageText: Sendable {
    private enum Atom: Sendable {
        case scalar(Unicode.Scalar)
        /// `$run1.thread_id` or `{canary}`, as it is written in a text.
        case value(String)
    }
    private var atoms: [Atom] = []

    init(_ text: String) { atoms = text.unicodeScalars.map { .scalar($0) } }

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
            case .literal(let text): atoms += text.unicodeScalars.map { .scalar($0) }
            case .text(let reference): atoms.append(.value("$" + reference.text))
            // In a frame every value stands inside a text; what plans refer to are texts.
            case .value(let reference): atoms += [.scalar("\""), .value("$" + reference.text), .scalar("\"")]
            case .variable(let variable): atoms.append(.value("{" + variable.text + "}"))
            }
        }
    }

    var count: Int { atoms.count }
    var isASCII: Bool { !atoms.contains { if case .scalar(let scalar) = $0 { scalar.value > 0x7f } else { false } } }

    /// Places of characters that take several bytes.
    var wide: [Int] {
        atoms.indices.filter { if case .scalar(let scalar) = atoms[$0] { scalar.value > 0x7f } else { false } }
    }

    /// As a frame's payload.
    subscript(_ range: Range<Int>) -> Plan.FrameText.Payload { .text(text(range)) }
    var payload: Plan.FrameText.Payload { self[0..<count] }

    private func text(_ range: Range<Int>) -> String {
        var text = ""
        for atom in atoms[range.clamped(to: 0..<count)] {
            switch atom {
            case .scalar(let scalar): text += ReferenceText.literal(String(scalar))
            case .value(let written): text += written
            }
        }
        return text
    }

    /// The bytes with an `x` in place of each value.
    var bytes: [UInt8] { bytes(0..<count) }

    func bytes(_ range: Range<Int>) -> [UInt8] {
        atoms[range.clamped(to: 0..<count)].flatMap { atom in
            switch atom {
            case .scalar(let scalar): Array(String(scalar).utf8)
            case .value: [UInt8(ascii: "x")]
            }
        }
    }

    /// With that text in the message: as one more member of a JSON object, else at its end.
    func adding(_ text: String) -> MessageText {
        var changed = self
        let member = MessageText("\"note\":\"\(text)\"").atoms
        guard let last = atoms.lastIndex(where: { !Self.isBlank($0) }), Self.isScalar(atoms[last], "}"),
            let before = atoms[..<last].last(where: { !Self.isBlank($0) })
        else {
            changed.atoms += MessageText(text).atoms
            return changed
        }
        let isEmpty = Self.isScalar(before, "{")
        changed.atoms.insert(contentsOf: (isEmpty ? [] : [.scalar(",")]) + member, at: last)
        return changed
    }

    private static func isScalar(_ atom: Atom, _ wanted: Unicode.Scalar) -> Bool {
        if case .scalar(let scalar) = atom { scalar == wanted } else { false }
    }
    private static func isBlank(_ atom: Atom) -> Bool { isScalar(atom, " ") || isScalar(atom, "\n") || isScalar(atom, "\t") }
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
