/// The keys that one mapping of a contract may have.
struct KeyTable {
    /// For "unknown key … in …".
    let place: String
    let known: [String]
    /// Keys of the language that this version does not read.
    let later: [String]

    init(_ place: String, _ known: [String], later: [String] = []) {
        self.place = place
        self.known = known
        self.later = later
    }

    static let contract = KeyTable(
        "the contract",
        [
            "miswire-contract", "name", "about", "extends", "wire", "identity", "auth", "session", "requests", "events",
            "link", "runs", "errors", "reject", "volatile", "flows", "dictionary",
        ],
        later: ["import", "success", "delivery", "sharing", "secrets", "deadline", "health", "monitors"])
    static let wire = KeyTable(
        "wire", ["paths", "type", "format"],
        later: ["subprotocols", "binary", "split", "batch", "envelope", "serial", "unknown"])
    static let identity = KeyTable("identity", ["credential", "user", "mint", "ids"], later: ["login"])
    static let mint = KeyTable("identity.mint", ["alg", "key", "claims"])
    static let auth = KeyTable("auth", ["refuse", "close", "within", "revoked"], later: ["event", "anonymous"])
    static let session = KeyTable("session", ["greeting", "within"], later: ["ready", "clean", "heartbeat"])
    static let errors = KeyTable(
        "errors", ["event", "kind", "kinds", "within", "context"], later: ["ordered", "recovers"])

    static func identifier(_ name: String) -> KeyTable {
        KeyTable("identity.ids.\(name)", ["at", "is", "within"], later: ["form"])
    }
    static func request(_ name: String) -> KeyTable {
        KeyTable(
            "requests.\(name)", ["match", "shape", "answer", "within", "starts"], later: ["schema", "closed", "examples"])
    }
    static func event(_ name: String) -> KeyTable {
        KeyTable("events.\(name)", ["match", "shape"], later: ["answer", "within", "schema", "closed", "examples"])
    }
    static func run(_ name: String) -> KeyTable {
        KeyTable("runs.\(name)", ["key", "states", "hot", "kinds", "parts"], later: ["scope", "unasked"])
    }
    static func part(_ run: String, _ name: String) -> KeyTable {
        KeyTable("runs.\(run).parts.\(name)", ["key", "start", "end", "in", "before", "within"], later: ["inside"])
    }
    static func rule(_ number: Int) -> KeyTable {
        KeyTable(
            "rule \(number) of reject", ["when", "with"],
            later: ["unless", "before", "after", "run", "within", "recovers", "inside", "send"])
    }
    static func step(_ flow: String, _ number: Int) -> KeyTable {
        KeyTable("step \(number) of flow \(flow)", ["send", "await", "within"], later: ["keep", "match"])
    }
}
