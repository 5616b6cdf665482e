import Journaling
package import Wire

/// What one application promises over its WebSocket, as read from a contract file (contract.md, version 1).
/// Everything that judges or generates knows the application through this value and nothing else.
package struct Contract: Sendable {
    package var name: String
    package var about: String = ""
    /// The whole text after `extends` was followed, for the recording's header; `hash` is its first 6 hex digits.
    package var text: String = ""
    package var hash: String = ""
    /// `agent-chat.yaml`, for places in findings.
    package var file: String = ""
    /// `import`: a file with more messages, as it was named.
    package var imported: ImportRule?
    package var wire = WireRules()
    package var identity = IdentityRules()
    package var auth: AuthRules?
    package var session: SessionRules?
    package var requests: [MessageRule] = []
    package var events: [MessageRule] = []
    package var link: [LinkPath] = []
    package var runs: [RunRule] = []
    package var errors: ErrorRules?
    package var reject: [RejectRule] = []
    /// Names of events that mean success: declared, or all that occur in states, parts and answers, less errors.
    package var success: Set<String> = []
    /// `success` as it was declared; nil = it was not.
    package var declaredSuccess: [MessageName]?
    package var delivery: DeliveryRules?
    package var sharing: SharingRules?
    package var volatile: [Path] = []
    package var secrets: [Place] = []
    package var deadline: Duration = .seconds(5)
    package var flows: [Flow] = []
    /// Name of the flow that a healthy server completes: for sentinels, health and recovery. Nil = the first.
    package var health: String?
    package var dictionary: [String] = []
    package var monitors = MonitorRules()

    package init(name: String) { self.name = name }
}

/// More messages, from AsyncAPI or a JSON Schema with `$defs` (contract.md, `import`).
package struct ImportRule: Sendable, Hashable {
    package var file: String
    package var line: Line
    package init(file: String, line: Line) {
        self.file = file
        self.line = line
    }
}

/// Where a rule is written, for evidence (`contract agent-chat.yaml:88`): with `extends` not every rule stands in
/// the file that was named. `0` = not written anywhere.
package struct Line: Sendable, Hashable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    /// `agent-chat.yaml`, without its directory.
    package var file: String
    package var number: Int
    package init(file: String, number: Int) {
        self.file = file
        self.number = number
    }
    package init(integerLiteral value: Int) { self.init(file: "", number: value) }
    /// `agent-chat.yaml:88`
    package var description: String { file.isEmpty ? "\(number)" : "\(file):\(number)" }
}

package struct WireRules: Sendable {
    package enum Format: String, Sendable { case json, raw }
    package enum Binary: String, Sendable { case ignore, reject, decode }
    package var paths: [Glob] = []
    package var subprotocols: [String] = []
    package var format: Format = .json
    package var binary: Binary = .ignore
    /// Separator of several messages in one text frame; an empty last piece is dropped.
    package var split: String?
    /// A top-level array is several messages.
    package var batch = false
    /// Its named groups become the fields; the group `body` is parsed as JSON when it is JSON.
    package var envelope: LinearRegex?
    package var type: Path?
    package var serial = false
    /// Nil = the default: undeclared events fail when `events` is present.
    package var unknownFails: Bool?
    package init() {}
}

package struct IdentityRules: Sendable {
    package var credential: [Place] = []
    /// Paths (in every event) or places of the principal's name; empty = each connection is its own user.
    package var user: [Place] = []
    package var mint: Mint?
    package var login: LoginRule?
    package var ids: [IdentifierRule] = []
    package init() {}

    package struct Mint: Sendable {
        package var algorithm: String
        /// Name of the environment variable that holds the key.
        package var keyVariable: String
        package var claims: JSON
        package init(algorithm: String, keyVariable: String, claims: JSON) {
            self.algorithm = algorithm
            self.keyVariable = keyVariable
            self.claims = claims
        }
    }
}

package struct IdentifierRule: Sendable {
    package enum Bound: Sendable, Hashable { case user, connection, id(String) }
    package var name: String
    package var at: [Path]
    /// Equals the principal, or one to one with the session.
    package var `is`: Bound?
    /// Many to one, for ever.
    package var within: Bound?
    package var form: IdentifierForm?
    package var line: Line
    package init(name: String, at: [Path], is identity: Bound?, within: Bound?, form: IdentifierForm? = nil, line: Line) {
        self.name = name
        self.at = at
        self.is = identity
        self.within = within
        self.form = form
        self.line = line
    }
}

package struct AuthRules: Sendable {
    package enum EventForm: String, Sendable { case thenClose = "then-close", alone, never }
    package var refuse: [Int] = [401, 403]
    package var close: [Int] = [1008, 4401, 4403]
    package var event: EventForm = .thenClose
    package var within: Duration = .seconds(2)
    package var revoked: Duration? = .seconds(5)
    package var anonymous = false
    package var line: Line = 0
    package init() {}
}

package struct SessionRules: Sendable {
    package var greeting: String?
    package var ready: String?
    package var within: Duration = .seconds(5)
    /// Close codes that end runs well; default 1000, 1001 and `auth.close`.
    package var clean: [Int] = [1000, 1001]
    package var heartbeat: HeartbeatRule?
    package var line: Line = 0
    package init() {}
}

package struct MessageRule: Sendable {
    package var name: String
    /// How it is recognised beside its type value; nil = by the type name or glob alone.
    package var match: Pattern?
    package var shape: Pattern?
    /// A JSON Schema that says what is valid, instead of `shape`.
    package var schema: JSON?
    /// Fields that neither `match`, `shape` nor `wire.type` names are not valid.
    package var closed = false
    package var examples: [JSON] = []
    /// Requests: exactly one of these events must come, within `within` (nil = the contract's `deadline`). Events: one
    /// of these requests is owed by the client.
    package var answer: [String] = []
    /// Requests: close codes that are an answer too; then a TCP end without that Close is E1.
    package var answerCloses: [Int] = []
    package var within: Duration?
    /// Requests: the run that it opens.
    package var starts: String?
    package var line: Line
    package init(name: String, match: Pattern?, shape: Pattern?, line: Line) {
        self.name = name
        self.match = match
        self.shape = shape
        self.line = line
    }
}

/// Equal in request and event: `a`, or `a = b` when the paths differ.
package struct LinkPath: Sendable, Hashable {
    package var request: Path
    package var event: Path
    package init(request: Path, event: Path) {
        self.request = request
        self.event = event
    }
}

package struct RunRule: Sendable {
    package var name: String
    package var key: [Path]
    package var serverScope: Bool
    package var unasked: Bool
    /// In file order; the first is the initial one. `done` is implied.
    package var states: [State]
    package var hot: [(state: String, within: Duration?)]
    /// Error kinds that may end a run; nil = all.
    package var kinds: [String]?
    package var parts: [Part]
    package var line: Line

    package struct State: Sendable {
        package var name: String
        package var edges: [Edge]
        package init(name: String, edges: [Edge]) {
            self.name = name
            self.edges = edges
        }
    }
    /// `name` is an event, a glob, or `request NAME`.
    package struct Edge: Sendable {
        package var name: MessageName
        package var next: String
        package var line: Line
        package init(name: MessageName, next: String, line: Line) {
            self.name = name
            self.next = next
            self.line = line
        }
    }
    package struct Part: Sendable {
        package var name: String
        package var key: [Path]
        package var start: MessageName
        package var end: MessageName
        package var `in`: [String]
        package var inside: [MessageName]
        package var before: [MessageName]
        package var within: Duration?
        package var line: Line
        package init(
            name: String, key: [Path], start: MessageName, end: MessageName, in states: [String],
            inside: [MessageName], before: [MessageName], within: Duration?, line: Line
        ) {
            self.name = name
            self.key = key
            self.start = start
            self.end = end
            self.in = states
            self.inside = inside
            self.before = before
            self.within = within
            self.line = line
        }
    }
    package init(
        name: String, key: [Path], serverScope: Bool, unasked: Bool, states: [State],
        hot: [(state: String, within: Duration?)], kinds: [String]?, parts: [Part], line: Line
    ) {
        self.name = name
        self.key = key
        self.serverScope = serverScope
        self.unasked = unasked
        self.states = states
        self.hot = hot
        self.kinds = kinds
        self.parts = parts
        self.line = line
    }
}

/// A bare name is an event, `request NAME` a message of the client; either may be a glob over type values.
package struct MessageName: Sendable, Hashable {
    package var isRequest: Bool
    package var glob: Glob
    package init(isRequest: Bool, glob: Glob) {
        self.isRequest = isRequest
        self.glob = glob
    }
}

package struct ErrorRules: Sendable {
    package var event: [String]
    package var kind: Path?
    package var kinds: [String]
    package var within: Duration = .seconds(1)
    package var context: [Path] = []
    package var ordered = true
    package var recovers = true
    package var line: Line = 0
    package init(event: [String], kind: Path?, kinds: [String]) {
        self.event = event
        self.kind = kind
        self.kinds = kinds
    }
}

package struct RejectRule: Sendable {
    package enum Condition: Sendable { case pattern(Pattern), malformed, unknown, invalid }
    package enum Outcome: Sendable, Hashable {
        /// An error event of this kind (text form of the value).
        case kind(String)
        case anyError
        /// 1002 1003 1007 1008 1009 4xxx.
        case anyClose
        case close(Int)
        case silence
        case accepted
    }
    package var when: [Condition]
    package var unless: [Condition] = []
    package var before: MessageName?
    package var after: MessageName?
    /// `open` or `none`.
    package var run: RunState?
    package var outcomes: [Outcome] = [.anyError, .anyClose]
    package var within: Duration?
    package var recovers: Bool?
    package var inside: String?
    package var send: JSON?
    package var line: Line
    package enum RunState: String, Sendable { case open, none }
    package init(when: [Condition], line: Line) {
        self.when = when
        self.line = line
    }
    /// May-accept rather than must-reject.
    package var mayAccept: Bool { outcomes.contains(.accepted) }
}

package struct Flow: Sendable {
    package enum Step: Sendable {
        /// A template with `{user} {credential} {canary} {uuid} {n} {now} {now+1h}` in its strings.
        case send(JSON)
        case await(event: String, within: Duration?, keep: [(name: String, path: Path)], match: Pattern? = nil)
    }
    package var name: String
    package var steps: [Step]
    /// Names kept by the steps in front of that one.
    package func kept(before index: Int) -> Set<String> {
        var names: Set<String> = []
        for case .await(_, _, let keep, _) in steps.prefix(index) { names.formUnion(keep.map(\.name)) }
        return names
    }
    package init(name: String, steps: [Step]) {
        self.name = name
        self.steps = steps
    }
}
