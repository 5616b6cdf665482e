import Contracts
import Journaling
import Wire

/// What became of each session, in words.
extension TalkComparer {
    func session(_ index: Int, _ matches: [Match], _ outcomes: [Int: Outcome]) -> SessionComparison {
        let old = recorded[index]
        var result = SessionComparison(session: old.session, user: old.user)
        result.now = now[index]?.session
        result.recordedLength = old.opened.duration(to: old.ended)
        if let talk = now[index] { result.nowLength = talk.opened.duration(to: talk.ended) }
        result.unsent = unsent(index)
        result.messages = old.answers.count
        result.isTorn = old.isTorn
        upgrade(index, &result)
        var found: [(order: (Int, Int), difference: Difference)] = []
        var extras: [(after: Int, match: Match)] = []
        /// Recorded answers without their bytes: each stands for one of now, whichever it is.
        var unheld = 0
        for match in matches {
            switch (match.old, match.new) {
            case (let before?, let after) where old.answers[before].payload == nil:
                result.undecided += 1
                if after == nil { unheld += 1 }
            case (let before?, let after?):
                if let difference = changed(before, after, match, outcomes[before], index) {
                    result.changed += 1
                    found.append(((before, 0), difference))
                } else {
                    result.same += 1
                }
            case (let before?, nil):
                result.missing += 1
                found.append(((before, 0), missing(before, match, index)))
            case (nil, let after?):
                extras.append((after, match))
            case (nil, nil): break
            }
        }
        for (after, match) in extras.sorted(by: { $0.after < $1.after }) {
            if unheld > 0 {
                unheld -= 1
            } else if old.tornToClient != nil {
                result.undecided += 1
            } else {
                result.extra += 1
                found.append(((match.previous ?? -1, 1 + after), extra(after, match, index)))
            }
        }
        result.differences += found.sorted { $0.order < $1.order }.map(\.difference)
        close(index, &result)
        return result
    }

    private func upgrade(_ index: Int, _ result: inout SessionComparison) {
        let before = recorded[index].answer
        let after = now[index]?.answer ?? .none
        if case .refused = before { result.messages += 1 }
        // The recorded answer stands in the part that is missing.
        if recorded[index].isTorn, before == .none { return }
        if Self.isSame(before, after) {
            if case .refused = before { result.same += 1 }
            return
        }
        var difference = Difference(
            kind: .changed, number: 0, title: "upgrade", sentence: "\(Self.words(after)), recorded \(Self.words(before))")
        difference.subject = .upgrade
        if case .accepted = before { result.messages += 1 }
        if case .accepted = before, case .refused(let status) = after { difference.status = status }
        result.changed += 1
        result.differences.append(difference)
    }

    /// A subprotocol may bear a credential.
    private static func isSame(_ before: Talk.Answer, _ after: Talk.Answer) -> Bool {
        guard case .accepted(let old?) = before, case .accepted(let new?) = after else { return before == after }
        return ValueShape.rough(old) == ValueShape.rough(new)
    }

    private static func words(_ answer: Talk.Answer) -> String {
        switch answer {
        case .none: "not answered"
        case .accepted(let subprotocol): "accepted" + (subprotocol.map { " with subprotocol \($0)" } ?? "")
        case .refused(let status): "refused with \(status)"
        }
    }

    private func close(_ index: Int, _ result: inout SessionComparison) {
        let before = recorded[index]
        guard let after = now[index] else { return }
        // How the server ended it stands behind the gap, and so may who closed first.
        if before.tornToServer != nil || before.tornToClient != nil && before.serverClose == nil { return }
        let isOwn = before.serverClose?.isFirst ?? false
        if isOwn { result.messages += 1 }
        var sentence: String?
        var kind = Difference.Kind.changed
        switch (before.serverClose, after.serverClose) {
        case (let old?, let new?):
            if old.code != new.code {
                sentence = "closed with \(Self.code(new)), recorded \(Self.code(old))"
            } else if !old.isFirst, new.isFirst {
                sentence = "the server closes with \(Self.code(new)) before the client does"
            }
        case (let old?, nil):
            // An answer to our own Close may be cut off by whoever ends first.
            if old.isFirst {
                kind = .missing
                sentence = "the server does not close, recorded \(Self.code(old))"
            }
        case (nil, let new?):
            if new.isFirst {
                kind = .extra
                sentence = "the server closes with \(Self.code(new))"
            }
        case (nil, nil):
            if before.isDropped != after.isDropped {
                sentence =
                    after.isDropped
                    ? "the server ends the connection without a Close" : "the server does not end the connection as recorded"
            }
        }
        guard let sentence else {
            if isOwn { result.same += 1 }
            return
        }
        var difference = Difference(kind: kind, number: 0, title: "close", sentence: sentence)
        difference.subject = .close
        switch kind {
        case .changed:
            if !isOwn { result.messages += 1 }
            result.changed += 1
        case .missing: result.missing += 1
        case .extra: result.extra += 1
        }
        result.differences.append(difference)
    }

    private static func code(_ closing: Talk.Closing) -> String { closing.code.map { "\($0)" } ?? "no code" }

    private func changed(
        _ before: Int, _ after: Int, _ match: Match, _ outcome: Outcome?, _ index: Int
    ) -> Difference? {
        let changes = outcome?.changes ?? []
        guard !changes.isEmpty || match.isMoved, let talk = now[index] else { return nil }
        let (old, new) = (recorded[index].answers[before], talk.answers[after])
        var sentence = ChangeWords.sentence(old, new, changes)
        if changes.isEmpty { sentence = "it comes in another place of its run" }
        var difference = Difference(kind: .changed, number: old.number, title: old.title, sentence: sentence)
        difference.diff = outcome?.diff
        (difference.took, difference.recordedTook) = (took(after, index, false), took(before, index, true))
        difference.refs = refs(after, index)
        return difference
    }

    private func took(_ answer: Int, _ index: Int, _ isRecorded: Bool) -> Duration? {
        guard let request = request(behind: answer, index, isRecorded: isRecorded) else { return nil }
        let said = isRecorded ? recorded[index].answers[answer] : now[index]?.answers[answer]
        return said.map { request.at.duration(to: $0.at) }
    }

    private func refs(_ after: Int, _ index: Int) -> [EntryRef] {
        let request = request(behind: after, index, isRecorded: false)
        return [now[index]?.answers[after].ref, request?.ref].compactMap { $0 }
    }

    private func missing(_ before: Int, _ match: Match, _ index: Int) -> Difference {
        let old = recorded[index].answers[before]
        var difference = Difference(kind: .missing, number: old.number, title: old.title, sentence: "it does not come")
        if let number = isUnsent(before, index) {
            difference.sentence = "its request, message \(number) of the client, was not sent"
            return difference
        }
        let request = request(behind: before, index, isRecorded: true)
        if let previous = match.previous {
            difference.after = recorded[index].answers[previous].number
            difference.recordedTook = recorded[index].answers[previous].at.duration(to: old.at)
        } else if let request {
            difference.recordedTook = request.at.duration(to: old.at)
        }
        difference.bound = bound(of: old, run: run(of: before, index, isRecorded: true), difference.recordedTook)
        if case .request(let talk, let number) = causeNow(before, index) {
            difference.refs = [now[talk].flatMap { Self.said(number, in: $0.requests) }?.ref].compactMap { $0 }
        }
        return difference
    }

    /// The bound that the contract sets for it, else three times what it took, at least a second.
    private func bound(of said: Said, run: String, _ took: Duration?) -> Duration {
        if let contract = options.contract {
            if let name = said.name, contract.isError(event: name) { return contract.errors?.within ?? contract.deadline }
            if !run.isEmpty, let bound = contract.runs.flatMap(\.hot).compactMap(\.within).max() { return bound }
            return contract.deadline
        }
        return max(.seconds(1), (took ?? .zero) * 3)
    }

    private func extra(_ after: Int, _ match: Match, _ index: Int) -> Difference {
        let said = now[index]?.answers[after]
        var difference = Difference(
            kind: .extra, number: match.previous.map { recorded[index].answers[$0].number } ?? 0, title: said?.title ?? "",
            sentence: "nothing of the kind was recorded")
        difference.took = took(after, index, false)
        difference.refs = refs(after, index)
        if let said {
            let run = run(of: after, index, isRecorded: false)
            difference.diff = DiffComposer(knowledge: messages.knowledge, binding: messages.binding, run: run).whole(said, .now)
        }
        return difference
    }
}
