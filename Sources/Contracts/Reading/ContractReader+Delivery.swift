import Journaling

extension ContractReader {
    mutating func readDelivery(_ document: Document?) {
        guard let document else { return }
        let fields = mapping(document, .delivery)
        var delivery = DeliveryRules()
        delivery.line = line(document.mark)
        delivery.sequence = fields["sequence"].flatMap { sequence($0) }
        delivery.id = paths(fields["id"], "delivery.id")
        delivery.history = fields["history"].flatMap { history($0) }
        delivery.resume = fields["resume"].flatMap { resume($0) }
        contract.delivery = delivery
    }

    private mutating func sequence(_ document: Document) -> DeliveryRules.Sequence? {
        let fields = mapping(document, .sequence)
        let per = identifier(fields["per"], "delivery.sequence.per")
        let at = required(fields["at"], "at", of: document, "delivery.sequence") { $0.path($1, $2) }
        guard let at else { return nil }
        return .init(at: at, per: per, line: line(document.mark))
    }

    private mutating func history(_ document: Document) -> DeliveryRules.History? {
        let place = "delivery.history"
        let fields = mapping(document, .history)
        let key = paths(fields["key"], "\(place).key")
        let per = identifier(fields["per"], "\(place).per")
        let items = required(fields["items"], "items", of: document, place) { $0.path($1, $2) }
        var asking: DeliveryRules.History.Asking?
        switch (fields["get"], fields["request"], fields["event"]) {
        case (let get?, nil, nil):
            asking = text(get, "\(place).get").map { .get($0) }
            for name in DeliveryRules.History.names(in: get.scalar?.text ?? "") { checkIdentifier(name, "\(place).get", get.mark) }
        case (nil, let request?, let event?):
            let asked = text(request, "\(place).request").map { requestName($0, "\(place).request", request.mark) }
            let answer = self.event(event, "\(place).event")
            if let asked, let answer {
                asking = .messages(request: asked, event: MessageName(isRequest: false, glob: Glob(answer)))
            }
        default:
            if document.map != nil {
                fail(
                    document.mark, "\(place) needs either get or request and event",
                    remedy: "write get: \"/path\", or request: NAME, event: NAME")
            }
        }
        guard let asking, let items else { return nil }
        return .init(asking: asking, items: items, key: key, per: per, line: line(document.mark))
    }

    private mutating func resume(_ document: Document) -> DeliveryRules.Resume? {
        let fields = mapping(document, .resume)
        // It need not stand among the events: this line declares it.
        let truncated = text(fields["truncated"], "delivery.resume.truncated").map { MessageName(isRequest: false, glob: Glob($0)) }
        if let truncated, truncated.glob.isExact, !eventNames.covers(truncated.glob.text), !contract.events.isEmpty,
            let mark = fields["truncated"]?.mark
        {
            contract.events.append(MessageRule(name: truncated.glob.text, match: nil, shape: nil, line: line(mark)))
        }
        let place = required(fields["by"], "by", of: document, "delivery.resume") { reader, document, place in
            let places = reader.places(document, place)
            if places.count > 1 { reader.fail(document.mark, "\(place) takes one place", remedy: "keep the one that clients use") }
            return places.first
        }
        let from = required(fields["from"], "from", of: document, "delivery.resume") { $0.path($1, $2) }
        guard let place, let from else { return nil }
        return .init(by: place, from: from, truncated: truncated, line: line(document.mark))
    }

    mutating func readSharing(_ document: Document?) {
        guard let document else { return }
        let fields = mapping(document, .sharing)
        var sharing = SharingRules()
        sharing.line = line(document.mark)
        sharing.broadcast = messageNames(fields["broadcast"], "sharing.broadcast")
        for item in items(fields["broadcast"], "sharing.broadcast") where item.scalar?.text.hasPrefix("request ") ?? false {
            fail(item.mark, "sharing.broadcast names a request, and only events are sent to all", remedy: "leave out \"request\"")
        }
        for item in items(fields["rooms"], "sharing.rooms") {
            let fields = mapping(item, .room)
            let id = identifier(fields["id"], "sharing.rooms.id")
            let join = requestNames(fields["join"], "sharing.rooms.join")
            let leave = requestNames(fields["leave"], "sharing.rooms.leave")
            if fields["id"] == nil || fields["join"] == nil, item.map != nil {
                fail(item.mark, "sharing.rooms needs id and join", remedy: "name the id that is shared and the request that joins it")
            }
            guard let id, !join.isEmpty else { continue }
            sharing.rooms.append(.init(id: id, join: join, leave: leave, line: line(item.mark)))
        }
        contract.sharing = sharing
    }

    /// The name of an id of `identity.ids`.
    private mutating func identifier(_ document: Document?, _ place: String) -> String? {
        guard let document, let name = text(document, place) else { return nil }
        checkIdentifier(name, place, document.mark)
        return name
    }

    private mutating func checkIdentifier(_ name: String, _ place: String, _ mark: Mark) {
        let known = contract.identity.ids.map(\.name)
        guard !known.contains(name) else { return }
        fail(
            mark, "id \"\(name)\" in \(place) is declared nowhere",
            remedy: known.isEmpty ? "declare it in identity.ids" : Nearest.remedy(for: name, among: known))
    }

    /// Only clients join and leave, so that the word `request` may be left out.
    private mutating func requestNames(_ document: Document?, _ place: String) -> [MessageName] {
        var names: [MessageName] = []
        for item in items(document, place) {
            if let text = text(item, place) { names.append(requestName(text, place, item.mark)) }
        }
        return names
    }

    private mutating func requestName(_ text: String, _ place: String, _ mark: Mark) -> MessageName {
        messageName(text.hasPrefix("request ") ? text : "request " + text, place, mark)
    }
}
