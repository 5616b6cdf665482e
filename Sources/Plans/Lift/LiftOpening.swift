import Contracts
import Journaling
import Wire

/// The upgrade request of a session as a plan says it.
struct LiftOpening {
    var path = "/"
    var headers: [Plan.Header] = []
    var credential = "none"
    /// What stands in the recording for the session's credential: `‹jwt:a1›`.
    var tag: String?

    init() {}

    /// - Parameter isDenied: the server refused it as one that has no business there (401, 403).
    init(_ head: RequestHead, facts: Facts?, isDenied: Bool = false, contract: Contract?) throws(LiftProblem) {
        tag = facts?.tag.map { "‹\($0)›" }
        var place = CredentialPlan.Place.none
        path = try target(head, &place, contract)
        for field in head.fields { try add(field, head, &place, contract) }
        let variant: CredentialPlan.Variant =
            switch facts?.state {
            case .forged: .forged
            case .expired: .expired
            case .corrupt: .corrupt
            // Nobody here could tell, and the server could.
            case .unknown where isDenied: .forged
            default: .intact
            }
        credential =
            place == .none
            ? place.rawValue
            : [place.rawValue, variant == .intact ? "" : variant.rawValue]
                .joined(separator: " ").trimmed
    }

    /// Path and query without the credential that the plan's user brings by itself.
    private func target(
        _ head: RequestHead, _ place: inout CredentialPlan.Place, _ contract: Contract?
    ) throws(LiftProblem) -> String {
        guard let range = head.queryRange else { return try literal(head.path) }
        let own = LiftPlaces.query(contract) + "="
        var items: [String] = []
        for item in head.text(range).split(separator: "&", omittingEmptySubsequences: false) {
            if place == .none, item.hasPrefix(own), LiftText.holdsCredential(item.dropFirst(own.count)) {
                place = .query
            } else {
                items.append(try literal(String(item)))
            }
        }
        return try literal(head.path) + (items.isEmpty ? "" : "?" + items.joined(separator: "&"))
    }

    private mutating func add(
        _ field: HeadField, _ head: RequestHead, _ place: inout CredentialPlan.Place, _ contract: Contract?
    ) throws(LiftProblem) {
        let name = field.name.lowercased()
        if name == LiftPlaces.header(contract), place == .none {
            let bare =
                name == "authorization" && field.value.hasPrefix("Bearer ")
                ? field.value.dropFirst(7) : field.value[...]
            if LiftText.isCredential(bare), name != "authorization" || bare.count != field.value.count {
                place = .header
                return
            }
        }
        if name == "cookie", place == .none {
            let own = LiftPlaces.cookie(contract)
            if head.cookies.contains(where: { $0.name == own && LiftText.holdsCredential($0.value[...]) }) {
                place = .cookie
                if head.cookies.count == 1 { return }
            }
        }
        if name == "sec-websocket-protocol" { return try subprotocols(field, head, &place, contract) }
        if LiftPlaces.unsaid.contains(name) || name.hasPrefix("sec-websocket-") || name.hasPrefix("sec-fetch-") {
            return
        }
        headers.append(Plan.Header(name: field.name, value: try literal(field.value)))
    }

    private mutating func subprotocols(
        _ field: HeadField, _ head: RequestHead, _ place: inout CredentialPlan.Place, _ contract: Contract?
    ) throws(LiftProblem) {
        let offered = head.subprotocols.map(\.value)
        let usual = contract?.wire.subprotocols ?? []
        if let last = offered.last, place == .none, LiftText.holdsCredential(last[...]) {
            place = .subprotocol
            if Array(offered.dropLast()) == usual, last.hasPrefix(LiftPlaces.subprotocol(contract)) { return }
        } else if offered == usual {
            return
        }
        headers.append(Plan.Header(name: field.name, value: try literal(field.value)))
    }

    private func literal(_ text: String) throws(LiftProblem) -> String {
        guard let literal = LiftText.plain(LiftText.pieces(text, LiftText.Words())) else {
            throw LiftProblem(reason: "its upgrade request holds \(text), which a plan would fill in")
        }
        return literal
    }
}

/// Where the player puts credentials, and what it writes into requests by itself.
enum LiftPlaces {
    static let unsaid: Set<String> = [
        "host", "upgrade", "connection", "accept", "accept-encoding", "accept-language", "cache-control", "pragma",
        "user-agent", "dnt", "content-length", "forwarded", "via", "x-forwarded-for", "x-forwarded-host",
        "x-forwarded-proto", "x-real-ip",
    ]

    private static func first(_ contract: Contract?, _ read: (Place.Kind) -> String?) -> String? {
        (contract?.identity.credential ?? []).compactMap { read($0.kind) }.first
    }
    static func header(_ contract: Contract?) -> String {
        (first(contract) { if case .header(let name) = $0 { name } else { nil } } ?? "authorization").lowercased()
    }
    static func query(_ contract: Contract?) -> String {
        first(contract) { if case .query(let name) = $0 { name } else { nil } } ?? "token"
    }
    static func cookie(_ contract: Contract?) -> String {
        first(contract) { if case .cookie(let name) = $0 { name } else { nil } } ?? "token"
    }
    static func subprotocol(_ contract: Contract?) -> String {
        let glob = first(contract) { if case .subprotocol(let glob?) = $0 { glob.text } else { nil } }
        return glob.map { String($0.prefix { $0 != "*" }) } ?? "token."
    }
}
