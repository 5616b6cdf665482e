/// The keys that one mapping of a contract may have (contract.md, "Summary").
struct KeyTable {
    /// For "unknown key … in …".
    let place: String
    let known: [String]

    init(_ place: String, _ known: [String]) {
        self.place = place
        self.known = known
    }

    static let contract = KeyTable(
        "the contract",
        [
            "miswire-contract", "name", "about", "extends", "import", "wire", "identity", "auth", "session", "requests",
            "events", "link", "runs", "errors", "reject", "success", "delivery", "sharing", "volatile", "secrets",
            "deadline", "flows", "health", "dictionary", "monitors",
        ])
    static let wire = KeyTable(
        "wire",
        ["paths", "subprotocols", "format", "binary", "split", "batch", "envelope", "type", "unknown", "serial"])
    static let identity = KeyTable("identity", ["credential", "user", "mint", "login", "ids"])
    static let mint = KeyTable("identity.mint", ["alg", "key", "claims"])
    static let login = KeyTable("identity.login", ["post", "json", "token", "expires"])
    static let auth = KeyTable("auth", ["refuse", "close", "event", "within", "revoked", "anonymous"])
    static let session = KeyTable("session", ["greeting", "ready", "within", "clean", "heartbeat"])
    static let heartbeat = KeyTable("session.heartbeat", ["ask", "answer", "from", "every", "within"])
    static let errors = KeyTable("errors", ["event", "kind", "kinds", "within", "context", "ordered", "recovers"])
    static let delivery = KeyTable("delivery", ["sequence", "id", "history", "resume"])
    static let sequence = KeyTable("delivery.sequence", ["at", "per"])
    static let history = KeyTable("delivery.history", ["get", "request", "event", "items", "key", "per"])
    static let resume = KeyTable("delivery.resume", ["by", "from", "truncated"])
    static let sharing = KeyTable("sharing", ["broadcast", "rooms"])
    static let room = KeyTable("sharing.rooms", ["id", "join", "leave"])
    static let monitors = KeyTable(
        "monitors",
        [
            "silent-failure", "stuck-authentication", "event-flow-breakdown", "event-rate", "auth-failures", "unpaired-events",
            "invalid-transition", "connect-success", "connect-time",
        ])

    static func identifier(_ name: String) -> KeyTable {
        KeyTable("identity.ids.\(name)", ["at", "is", "within", "form"])
    }
    private static let message = ["match", "shape", "schema", "closed", "answer", "within", "examples"]
    static func request(_ name: String) -> KeyTable { KeyTable("requests.\(name)", message + ["starts"]) }
    static func event(_ name: String) -> KeyTable { KeyTable("events.\(name)", message) }
    static func run(_ name: String) -> KeyTable {
        KeyTable("runs.\(name)", ["key", "scope", "unasked", "states", "hot", "kinds", "parts"])
    }
    static func part(_ run: String, _ name: String) -> KeyTable {
        KeyTable("runs.\(run).parts.\(name)", ["key", "start", "end", "in", "inside", "before", "within"])
    }
    static func rule(_ number: Int) -> KeyTable {
        KeyTable(
            "rule \(number) of reject",
            ["when", "unless", "before", "after", "run", "with", "within", "recovers", "inside", "send"])
    }
    static func step(_ flow: String, _ number: Int) -> KeyTable {
        KeyTable("step \(number) of flow \(flow)", ["send", "await", "within", "keep", "match"])
    }
}
