import Journaling
import NIOCore
import Wire

/// One rule of an opening head broken.
enum HeadMutation: String, CaseIterable, Sendable {
    case wrongAccept = "wrong-accept"
    case noAccept = "no-accept"
    case noUpgrade = "no-upgrade"
    case twoUpgrades = "two-upgrades"
    case noConnection = "no-connection"
    case twoConnections = "two-connections"
    case version
    case noVersion = "no-version"
    case unofferedSubprotocol = "unoffered-subprotocol"
    case twoSubprotocols = "two-subprotocols"
    case unofferedExtension = "unoffered-extension"
    case manyFields = "many-fields"
    case longField = "long-field"
    case fold = "obs-fold"
    case body
    case noOrigin = "origin-absent"
    case nullOrigin = "origin-null"
    case foreignOrigin = "origin-foreign"
    case suffixOrigin = "origin-suffix"
    case injectedPath = "crlf-path"
    case injectedQuery = "crlf-query"
    case injectedField = "crlf-field"

    struct Values: Sendable {
        var version: String
        var subprotocol: String
        var extensionName: String
        var origin: String
        var fields: Int
        var size: Int
        var body: String
    }

    struct Done {
        var bytes: ByteBuffer
        var said: String
        var body: ByteBuffer?
    }

    /// Whose heads it fits.
    var heads: [String] {
        switch self {
        case .wrongAccept, .noAccept, .unofferedSubprotocol, .twoSubprotocols, .unofferedExtension, .body: ["response"]
        case .version, .noVersion, .noOrigin, .nullOrigin, .foreignOrigin, .suffixOrigin, .injectedPath,
            .injectedQuery, .injectedField: ["request"]
        case .noUpgrade, .twoUpgrades, .noConnection, .twoConnections, .manyFields, .longField, .fold: ["request", "response"]
        }
    }

    /// Nil when there is nothing to do it to.
    func apply(to head: some HTTPHead, _ values: Values, _ dice: inout Dice) -> Done? {
        switch self {
        case .wrongAccept: wrongAccept(head, &dice)
        case .noAccept: without("Sec-WebSocket-Accept", head)
        case .noUpgrade: without("Upgrade", head)
        case .twoUpgrades: twice("Upgrade", head)
        case .noConnection: without("Connection", head)
        case .twoConnections: twice("Connection", head)
        case .version: set("Sec-WebSocket-Version", values.version, head)
        case .noVersion: without("Sec-WebSocket-Version", head)
        case .unofferedSubprotocol: set("Sec-WebSocket-Protocol", values.subprotocol, head)
        case .twoSubprotocols: twoSubprotocols(head, values)
        case .unofferedExtension: add("Sec-WebSocket-Extensions", values.extensionName, head)
        case .manyFields: manyFields(head, values, &dice)
        case .longField: longField(head, values, &dice)
        case .fold: Done(bytes: head.adding("X-Miswire", "folded\r\n behind a line end"), said: "a folded field (RFC 9112 section 5.2)")
        case .body: body(head, values)
        case .noOrigin: without("Origin", head)
        case .nullOrigin: set("Origin", "null", head)
        case .foreignOrigin: set("Origin", values.origin, head)
        case .suffixOrigin: suffixOrigin(head)
        case .injectedPath: inTarget(head) { path, query in path + (path.hasSuffix("/") ? "" : "/") + Self.encodedLine + query }
        case .injectedQuery: inTarget(head) { path, query in path + query + (query.isEmpty ? "?" : "&") + "miswire=" + Self.encodedLine }
        case .injectedField: add("X-Request-Id", "miswire" + Self.encodedLine, head)
        }
    }

    /// A header line behind an encoded line end: whoever decodes it before writing it writes a line of ours (CWE-113).
    static let encodedLine = "%0d%0aX-Miswire-Injected:%20miswire"

    private func inTarget(_ head: some HTTPHead, _ edit: (String, String) -> String) -> Done? {
        guard let request = head as? RequestHead else { return nil }
        let split = request.target.firstIndex(of: "?") ?? request.target.endIndex
        let target = edit(String(request.target[..<split]), String(request.target[split...]))
        return Done(bytes: head.replacing(request.targetRange, with: target), said: "an encoded line end in the target")
    }

    private func set(_ name: String, _ value: String, _ head: some HTTPHead) -> Done {
        Done(bytes: head.setting(name, value), said: "\(name): \(value)")
    }

    private func add(_ name: String, _ value: String, _ head: some HTTPHead) -> Done {
        Done(bytes: head.adding(name, value), said: "\(name): \(value) added")
    }

    private func without(_ name: String, _ head: some HTTPHead) -> Done? {
        head.first(name) == nil ? nil : Done(bytes: head.removingAll(name), said: "no \(name)")
    }

    /// The same line again, right behind it.
    private func twice(_ name: String, _ head: some HTTPHead) -> Done? {
        guard let field = head.first(name) else { return nil }
        let line = head.text(field.lineRange)
        return Done(bytes: head.replacing(field.lineRange, with: line + line), said: "\(name) twice")
    }

    /// Another value of the same form: one of its letters or digits changed.
    private func wrongAccept(_ head: some HTTPHead, _ dice: inout Dice) -> Done? {
        guard let field = head.first("sec-websocket-accept"), !field.value.isEmpty else { return nil }
        let wrong = TokenForger.corrupted(field.value, &dice)
        return Done(bytes: head.replacing(field.valueRange, with: wrong), said: "Sec-WebSocket-Accept: \(wrong)")
    }

    private func twoSubprotocols(_ head: some HTTPHead, _ values: Values) -> Done {
        guard let field = head.first("sec-websocket-protocol") else {
            return add("Sec-WebSocket-Protocol", "\(values.subprotocol), \(values.subprotocol).2", head)
        }
        let end = field.valueRange.upperBound
        return Done(bytes: head.replacing(end..<end, with: ", \(values.subprotocol)"), said: "two subprotocols")
    }

    /// A rung of a ladder: `first`, twice that … up to `most`.
    private func rung(from first: Int, to most: Int, _ dice: inout Dice) -> Int {
        let rungs = sequence(first: first) { $0 < most ? min($0 * 2, most) : nil }.map { $0 }
        return rungs[dice.below(rungs.count)]
    }

    private func manyFields(_ head: some HTTPHead, _ values: Values, _ dice: inout Dice) -> Done {
        let count = rung(from: 16, to: values.fields, &dice)
        let end = head.bytes.readableBytes - 2
        let lines = (1...count).map { "X-Miswire-\($0): \($0)\r\n" }.joined()
        return Done(bytes: head.replacing(end..<end, with: lines), said: "\(count) more fields")
    }

    private func longField(_ head: some HTTPHead, _ values: Values, _ dice: inout Dice) -> Done {
        let size = rung(from: 1_024, to: values.size, &dice)
        return Done(bytes: head.adding("X-Miswire", String(repeating: "m", count: size)), said: "a field of \(size) bytes")
    }

    /// A 101 has no content (RFC 9110 section 15.2.2): this one says that it does.
    private func body(_ head: some HTTPHead, _ values: Values) -> Done {
        let content = ByteBuffer(string: values.body)
        return Done(
            bytes: head.adding("Content-Length", "\(content.readableBytes)"), said: "a body of \(content.readableBytes) bytes",
            body: content)
    }

    /// `https://chat.example.miswire.example`: passes for the right one where only its beginning is compared.
    private func suffixOrigin(_ head: some HTTPHead) -> Done? {
        guard let base = head.value("origin") ?? head.value("host").map({ "https://" + $0 }) else { return nil }
        return set("Origin", base + ".miswire.example", head)
    }
}
