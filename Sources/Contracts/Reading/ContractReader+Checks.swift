import Journaling
import Wire

/// What can be said only when the whole contract is read.
extension ContractReader {
    /// Rules that never get their turn, and kinds that nothing provokes.
    mutating func checkRules() {
        let marks = items(document["reject"], "reject").map(\.mark)
        guard marks.count == contract.reject.count else { return }
        var coverage = Coverage()
        for (index, rule) in contract.reject.enumerated() where !rule.when.isEmpty {
            let earlier = contract.reject[..<index].firstIndex { coverage.covers($0, rule) }
            if let earlier {
                warn(
                    marks[index],
                    "rule \(index + 1) can never hold: rule \(earlier + 1) matches everything it matches",
                    remedy: "put it above rule \(earlier + 1), or leave it out")
            }
        }
        guard !contract.reject.isEmpty, let kinds = document["errors"]?["kinds"] else { return }
        for item in items(kinds, "errors.kinds") {
            guard let kind = item.scalar?.text, !contract.reject.contains(where: { $0.outcomes.contains(.kind(kind)) }) else {
                continue
            }
            warn(item.mark, "kind \"\(kind)\" has no rule that provokes it", remedy: "add a rule with: \(kind)")
        }
    }

    /// States that no edge leads to.
    mutating func checkStates() {
        for (run, field) in zip(contract.runs, document["runs"]?.map ?? []) {
            let written = field.value["states"]?.map ?? []
            let reached = Set(run.states.flatMap { state in state.edges.filter { $0.next != state.name }.map(\.next) })
            for field in written.dropFirst() where field.key != "done" && !reached.contains(field.key) {
                warn(field.mark, "state \"\(field.key)\" of \(run.name) is never reached", remedy: "give another state an edge to it")
            }
        }
    }

    /// What the language has and nothing goes by yet.
    mutating func checkUnused() {
        guard !hasFailed else { return }
        var unused = [
            ("identity.login", document["identity"]?["login"]), ("session.heartbeat.every", document["session"]?["heartbeat"]?["every"]),
        ]
        for flow in document["flows"]?.map ?? [] {
            for (index, step) in (flow.value.list ?? []).enumerated() {
                unused.append(("match in step \(index + 1) of flow \(flow.key)", step["match"]))
            }
        }
        for (key, document) in unused {
            guard let document, document.scalar?.isNull != true else { continue }
            warn(document.mark, "\(key) is read and not used by this version")
        }
    }

    /// Places in messages name declared ones.
    mutating func checkPlaces() {
        let written = [
            ("identity.credential", document["identity"]?["credential"]), ("identity.user", document["identity"]?["user"]),
            ("secrets", document["secrets"]), ("delivery.resume.by", document["delivery"]?["resume"]?["by"]),
        ]
        for (name, document) in written {
            for item in items(document, name) {
                guard let text = item.scalar?.text, let place = try? Place(text, deep: true) else { continue }
                switch place.kind {
                case .request(let message, _): check(message, among: requestNames, "request", name, item.mark)
                case .event(let message, _): checkEvent(message, name, item.mark)
                case .header, .query, .cookie, .subprotocol, .path, .credential, .everyEvent: continue
                }
            }
        }
    }

    /// A flow is a valid conversation: none of its messages may have to be refused where it stands.
    mutating func checkFlows() {
        let recogniser = Recognizer(contract)
        let labeler = Labeler(contract)
        let written = document["flows"]?.map ?? []
        var work = 0
        let expressions = sizeOfExpressions
        for (flow, field) in zip(contract.flows, written) {
            guard let items = field.value.list, items.count == flow.steps.count else { continue }
            var before = Before(seen: [contract.session?.greeting, contract.session?.ready].compactMap { $0 }.map { (false, $0, $0) })
            for (index, step) in flow.steps.enumerated() {
                guard case .send(let template) = step else {
                    if case .await(let event, _, _, _) = step { before.seen.append((false, event, event)) }
                    continue
                }
                let sample = Template.fill(template, now: 1) { .string($0 == "n" ? "1" : $0) }
                // A contract that asks for more than this is no conversation: it is a bomb.
                work += contract.reject.count * (sample.text.utf8.count + before.seen.count)
                // Each step of an expression may look at each character.
                work += expressions * sample.text.utf8.count / 64
                guard work <= Self.mostWork else { return }
                for request in recogniser.recognise(sent: sample) {
                    if case .mustReject(let rule, _) = labeler.label(request, in: before) {
                        fail(
                            items[index].mark, "flow \(flow.name), step \(index + 1) is must-reject by rule \(rule + 1)",
                            remedy: "a flow is a valid conversation")
                    }
                    before.seen.append((true, request.name, request.type))
                }
            }
        }
    }

    /// Steps of all expressions that a message may be held against.
    private var sizeOfExpressions: Int {
        var patterns = (contract.requests + contract.events).flatMap { [$0.match, $0.shape].compactMap { $0 } }
        for case .pattern(let pattern) in contract.reject.flatMap({ $0.when + $0.unless }) { patterns.append(pattern) }
        return patterns.reduce(contract.wire.envelope?.program.count ?? 0) { $0 + $1.test.sizeOfExpressions }
    }

    /// Rules times bytes.
    private static let mostWork = 1_000_000

    /// What a flow has said and awaited so far; of runs nothing is known.
    private struct Before: LabelContext {
        var seen: [(isRequest: Bool, name: String?, type: String?)]
        func hasSeen(_ name: MessageName) -> Bool {
            seen.contains { name.names(isRequest: $0.isRequest, name: $0.name, type: $0.type) }
        }
        func isRunOpen(key: JSON?) -> Bool { false }
        func mayRunBeOpen(key: JSON?) -> Bool { true }
        func isForeign(_ path: Path, _ value: JSON) -> Bool { false }
    }
}
