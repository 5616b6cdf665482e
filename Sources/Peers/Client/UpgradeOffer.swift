import NIOCore
import Plans
import Wire

/// The header fields of an upgrade request, and what an acceptance of them must say.
struct UpgradeOffer: Sendable {
    let fields: [(name: String, value: String)]
    /// For each key that was sent: a plain request with it and the subprotocols, for the check of the answer. Whatever
    /// else a plan makes of the request, an acceptance is one of a key that stood in it.
    private let requests: [RequestHead]

    init(_ opening: ClientMachine.Opening, key: String) {
        var fields = [
            ("Host", opening.host), ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Key", key),
            ("Sec-WebSocket-Version", "13"),
        ]
        if !opening.subprotocols.isEmpty {
            fields.append(("Sec-WebSocket-Protocol", opening.subprotocols.joined(separator: ", ")))
        }
        fields += opening.fields.map { ($0.name, $0.value) }
        self.init(fields: Self.merged(fields, opening.headers))
    }

    init(fields: [(name: String, value: String)]) {
        self.fields = fields
        let subprotocols = fields.filter { ASCII.equal($0.name, "sec-websocket-protocol") }
        requests = fields.filter { ASCII.equal($0.name, "sec-websocket-key") }.compactMap { key in
            let lines = ([key] + subprotocols).map { "\($0.name): \($0.value)\r\n" }.joined()
            return try? RequestHead(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n"))
        }
    }

    /// The first header of a name takes the place of our field with it, or leaves it out; the others are added.
    private static func merged(_ ours: [(String, String)], _ headers: [Plan.Header]) -> [(name: String, value: String)]
    {
        var places: [(name: String, value: String)?] = ours.map { ($0.0, $0.1) }
        var taken: Set<Int> = []
        var added: [(name: String, value: String)] = []
        for header in headers {
            if let place = ours.indices.first(where: { ASCII.equal(ours[$0].0, header.name) }),
                taken.insert(place).inserted
            {
                places[place] = header.value.isEmpty ? nil : (header.name, header.value)
            } else {
                added.append((header.name, header.value))
            }
        }
        return places.compactMap { $0 } + added
    }

    /// What keeps this 101 from being an acceptance; nil when nothing does, or when no key was sent that it could accept.
    func problem(of response: ResponseHead) -> String? {
        let problems = requests.map { response.acceptProblem(for: $0) }
        return problems.contains { $0 == nil } ? nil : problems.first ?? nil
    }
}
