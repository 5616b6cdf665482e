import Journaling
import NIOCore
import Wire

/// One message of a client as a verb of a plan.
struct LiftMessage {
    let user: String
    let principal: String
    let others: [String: String]
    let tags: [String: String]
    let binding: Binding
    let values: LiftValues
    let uuids: Set<String>
    /// Seconds since 1970 when it was sent.
    let now: Int64?
    /// A contract of `format: raw` says that nothing here is JSON.
    let isRaw: Bool

    /// Users whose events this message wants.
    private(set) var sources: [String] = []
    /// What the variables stand for, in their order, to check that the template says what was said.
    private var filled: [String] = []
    private var credentials: [String] = []

    init(
        user: String, principals: [String: String], tags: [String: String], binding: Binding, values: LiftValues,
        uuids: Set<String>, now: Int64?, isRaw: Bool
    ) {
        self.user = user
        principal = principals[user] ?? ""
        // Of two users who are the same principal the first by name.
        others = principals.sorted { $0.key > $1.key }.reduce(into: [:]) { table, pair in
            if pair.key != user { table[pair.value] = pair.key }
        }
        self.tags = tags
        self.binding = binding
        self.values = values
        self.uuids = uuids
        self.now = now
        self.isRaw = isRaw
    }

    private var words: LiftText.Words { LiftText.Words(principal: principal.isEmpty ? nil : principal, uuids: uuids) }

    /// A message that no words of a plan say becomes a frame with its bytes.
    mutating func verb(_ payload: ByteBuffer) -> Plan.Verb {
        if !isRaw, case .value(_, tolerated: false) = JSON.decode(payload), let json = json(payload) {
            return .send(json)
        }
        let bytes = Array(payload.readableBytesView)
        if let text = String(validatingUTF8Bytes: bytes), let plain = plain(text) { return .sendText(plain) }
        return .frames([Plan.FrameText(opcode: .text, payload: .bytes(bytes))])
    }

    mutating func plain(_ text: String) -> String? {
        let pieces = LiftText.pieces(text, words)
        note(pieces)
        return LiftText.plain(pieces, credential: credential)
    }

    private func credential(_ tag: String) -> String {
        guard let owner = tags[tag], owner != user else { return "{credential}" }
        return "$\(owner).credential"
    }

    private mutating func note(_ pieces: [LiftText.Piece]) {
        for piece in pieces {
            switch piece {
            case .literal: break
            case .credential(let tag):
                if credential(tag).hasPrefix("$") { credentials.append(tag) } else { filled.append(tag) }
            case .canary(let text), .uuid(let text), .principal(let text): filled.append(text)
            }
        }
    }

    /// Nil when what would be sent were not what was.
    private mutating func json(_ payload: ByteBuffer) -> String? {
        let document = JSONDocument(payload)
        guard document.problem == nil, document.root != nil else { return nil }
        var text = ""
        var copied = 0
        func copy(_ document: JSONDocument, upTo end: Int) {
            text += document.text(copied..<end)
        }
        for (index, node) in document.nodes.enumerated() {
            if let key = node.keyRange, let better = keyText(document.key(of: index)) {
                copy(document, upTo: key.lowerBound)
                text += better
                copied = key.upperBound
            }
            guard let better = replacement(index, in: document) else { continue }
            copy(document, upTo: node.range.lowerBound)
            text += better
            copied = node.range.upperBound
        }
        copy(document, upTo: document.bytes.count)
        // Line breaks between values are blanks; those inside of strings are escaped.
        var view = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { view.append(scalar == "\n" || scalar == "\r" ? " " : scalar) }
        let line = String(view).trimmed
        return says(line, as: payload) ? line : nil
    }

    private func keyText(_ key: String) -> String? {
        guard key.utf8.contains(UInt8(ascii: "$")) || LiftText.hasVariable(key) else { return nil }
        return LiftText.json([.literal(key)], credential: credential)
    }

    /// Nil = as it stands.
    private mutating func replacement(_ index: Int, in document: JSONDocument) -> String? {
        let node = document.nodes[index]
        guard node.kind == .string || node.kind == .number, let value = document.value(of: index) else { return nil }
        if let text = value.string {
            if text == principal { return "$\(user).id" }
            if let other = others[text] { return "$\(other).id" }
        }
        if LiftLeaf.isTelling(value), let reference = values.reference(to: value, for: user, binding) {
            sources.append(reference.user ?? user)
            return "$" + reference.text
        }
        guard let text = value.string else { return nil }
        if let now, let said = Int64(text), text.utf8.count == 10,
            said.subtractingReportingOverflow(now).partialValue.magnitude <= 300
        {
            filled.append(text)
            return "\"{now}\""
        }
        let pieces = LiftText.pieces(text, words)
        if pieces.allSatisfy({ if case .literal = $0 { true } else { false } }),
            !text.utf8.contains(UInt8(ascii: "$")), !LiftText.hasVariable(text)
        {
            return nil
        }
        note(pieces)
        return LiftText.json(pieces, credential: credential)
    }

    /// Rendered as at that time it is the same value.
    private func says(_ line: String, as payload: ByteBuffer) -> Bool {
        guard let template = try? PlanTemplate(json: line) else { return false }
        var filled = filled[...]
        var credentials = credentials[...]
        let binding = binding
        let user = user
        let rendered = try? template.render(
            value: { reference in
                if reference.run == nil, reference.path == ["credential"] {
                    return credentials.popFirst().map { .string($0) }
                }
                return binding.value(of: reference, for: user)
            },
            variable: { _ in filled.popFirst() ?? "" })
        guard let rendered, case .value(let value, _) = JSON.decode(rendered) else { return false }
        return JSON.decode(payload).value == value
    }
}

extension String {
    /// Nil when the bytes are no UTF-8.
    init?(validatingUTF8Bytes bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.utf8.elementsEqual(bytes) else { return nil }
        self = text
    }
}
