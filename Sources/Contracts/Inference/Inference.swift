package import Journaling

/// A first contract from what was seen (contract.md): three looks at the same entries, then `draft`. Nothing in it makes a
/// request must-reject; what was seen too seldom stands as a comment; each line says how often it held.
package struct Inference: Sendable {
    /// What can be left out of a draft, when it would accuse the server that it was inferred from.
    package enum Topic: String, Sendable, Hashable, CaseIterable {
        case greeting, answers, runs, parts, identifiers, user, credential, errors, refusals, links, shapes
    }
    /// How often the entries are to be given to `take`, with `next` after each time.
    package static let looks = 3

    private let scale: InferenceScale
    private var survey: InferenceSurvey
    private var study: InferenceStudy?
    private var follow: InferenceFollow?

    package init(scale: InferenceScale = InferenceScale()) {
        self.scale = scale
        survey = InferenceSurvey(scale)
    }

    package mutating func take(_ entry: Entry) {
        if follow != nil { follow?.take(entry) } else if study != nil { study?.take(entry) } else { survey.take(entry) }
    }

    /// Another recording begins: its sessions are others.
    package mutating func turn() {
        if follow != nil { follow?.turn() } else if study != nil { study?.turn() } else { survey.turn() }
    }

    /// The entries were all taken; they may be taken once more.
    package mutating func next() {
        if let study {
            if follow == nil { follow = InferenceFollow(study, InferredChoices(study)) } else { follow?.finish() }
        } else {
            study = InferenceStudy(survey.plan(), scale)
        }
    }

    /// Messages of the server and of its clients that were looked at.
    package var messages: Int { (study?.plan.requests ?? 0) + (study?.plan.events ?? 0) }
    package var isRaw: Bool { study.map { $0.plan.notJSON * 10 > messages } ?? false }

    /// - Parameters:
    ///   - name: of the contract; the file may be called so.
    ///   - about: one line.
    ///   - without: what is left out, each with the reason that its comment gives.
    /// - Returns: the contract as YAML; nil before all looks are over.
    package func draft(name: String, about: String, without: [Topic: String] = [:]) -> String? {
        guard let study, let follow else { return nil }
        var draft = ContractDraft(study: study, follow: follow, without: without)
        return draft.text(name: name, about: about)
    }
}
