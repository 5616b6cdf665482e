import Journaling

extension ContractReader {
    mutating func readAuth(_ document: Document?) {
        guard let document else { return }
        let fields = mapping(document, .auth)
        var auth = AuthRules()
        auth.line = line(document.mark)
        if let codes = numbers(fields["refuse"], "auth.refuse", 400...599) { auth.refuse = codes }
        if let codes = numbers(fields["close"], "auth.close", 1000...4999) { auth.close = codes }
        if let word = choice(fields["event"], "auth.event", ["then-close", "alone", "never"]) {
            auth.event = AuthRules.EventForm(rawValue: word) ?? .thenClose
        }
        if let within = duration(fields["within"], "auth.within") { auth.within = within }
        if let revoked = bound(fields["revoked"], "auth.revoked") { auth.revoked = revoked }
        if let anonymous = flag(fields["anonymous"], "auth.anonymous") { auth.anonymous = anonymous }
        contract.auth = auth
    }

    mutating func readSession(_ document: Document?) {
        guard let document else { return }
        let fields = mapping(document, .session)
        var session = SessionRules()
        session.line = line(document.mark)
        session.clean = contract.cleanCloses
        if let codes = numbers(fields["clean"], "session.clean", 1000...4999) { session.clean = codes }
        session.greeting = event(fields["greeting"], "session.greeting")
        session.ready = event(fields["ready"], "session.ready")
        if let within = duration(fields["within"], "session.within") { session.within = within }
        session.heartbeat = fields["heartbeat"].flatMap { heartbeat($0) }
        contract.session = session
    }

    /// The name of a declared event.
    mutating func event(_ document: Document?, _ place: String) -> String? {
        guard let document, let name = text(document, place) else { return nil }
        checkOneEvent(name, place, document.mark)
        return name
    }

    private mutating func heartbeat(_ document: Document) -> HeartbeatRule? {
        let place = "session.heartbeat"
        let fields = mapping(document, .heartbeat)
        let word = choice(fields["from"], "\(place).from", ["client", "server", "either"])
        let from = word.flatMap(HeartbeatRule.Asker.init) ?? .either
        let ask = beat(fields["ask"], "\(place).ask", fromClient: from != .server, fromServer: from != .client)
        let answer = beat(fields["answer"], "\(place).answer", fromClient: from != .client, fromServer: from != .server)
        let every = duration(fields["every"], "\(place).every")
        let within = duration(fields["within"], "\(place).within")
        guard let ask, let answer else {
            if document.map != nil, fields["ask"] == nil || fields["answer"] == nil {
                fail(document.mark, "\(place) needs ask and answer", remedy: "name the message that asks and the one that answers")
            }
            return nil
        }
        return HeartbeatRule(ask: ask, answer: answer, from: from, every: every, within: within, line: line(document.mark))
    }

    /// A message that must be declared for each side that may say it.
    private mutating func beat(_ document: Document?, _ place: String, fromClient: Bool, fromServer: Bool) -> String? {
        guard let document, let name = text(document, place) else { return nil }
        if fromClient { checkOne(name, among: requestNames, "request", place, document.mark) }
        if fromServer { checkOneEvent(name, place, document.mark) }
        return name
    }
}
