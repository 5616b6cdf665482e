import Journaling
import Oracles
import Peers
import Reporting

/// One profile of the demo with the users that meet it.
struct DemoStage: Sendable {
    /// Name of the stage; also of its plan in `corpus/plans`.
    var name: String
    /// Name of a shipped profile; nil = no fault at all.
    var profile: String
    /// What a clean run of this stage shows, in a few words.
    var promise: @Sendable (Judgement, [StepResult]) -> String

    static let all: [DemoStage] = [
        DemoStage(name: "transparent", profile: "transparent") { _, _ in "every run answered" },
        DemoStage(name: "delayed-accept", profile: "delayed-accept") { _, _ in "no event early or lost" },
        DemoStage(name: "lost-credential", profile: "lost-credential") { judgement, _ in
            "\(Figures.count(judgement.faultsActed)) refused with 401"
        },
        DemoStage(name: "mutated-requests", profile: "mutated-requests") { judgement, _ in Self.delivered(judgement) },
        DemoStage(name: "crossed-streams", profile: "crossed-streams") { _, _ in "0 foreign messages" },
        DemoStage(name: "crossed-requests", profile: "crossed-requests") { _, _ in "0 foreign messages" },
        DemoStage(name: "flaky-network", profile: "flaky-network") { judgement, _ in
            func summary(_ id: String) -> PropertySummary? { judgement.properties.first { $0.id == id } }
            let cut = Figures.plural(summary("E1")?.excused ?? 0, "run")
            return "\(cut) cut, \(Figures.count(summary("D2")?.passed ?? 0)) resumed"
        },
        DemoStage(name: "interleaved-users", profile: "transparent") { _, _ in "0 foreign messages" },
    ]

    static func delivered(_ judgement: Judgement) -> String {
        "errors delivered \(judgement.errorsDelivered.count)/\(judgement.errorKinds.count)"
    }

    /// What went wrong, in as few words as fit the column.
    static func trouble(_ judgement: Judgement) -> String {
        if !judgement.toolErrors.isEmpty { return Figures.plural(judgement.toolErrors.count, "tool error") }
        let strays = judgement.findings.filter { $0.property.hasPrefix("I") }
        if !strays.isEmpty {
            let noun = strays.allSatisfy { $0.sentence.contains("error is delivered") } ? "error" : "message"
            return "\(Figures.plural(strays.reduce(0) { $0 + $1.repeats }, noun)) to the wrong user"
        }
        if judgement.errorsDelivered.count < judgement.errorKinds.count,
            judgement.findings.contains(where: { $0.property == "E3" })
        {
            return delivered(judgement)
        }
        let ids = judgement.findings.map(\.property).sorted().joined(separator: ", ")
        return "\(Figures.plural(judgement.findings.count, "violation")) (\(ids))"
    }
}

/// A stage that ended.
struct StageResult: Sendable {
    var stage: DemoStage
    var users: Int
    var judgement: Judgement
    var steps: [StepResult]
    var took: Duration

    var passed: Bool { judgement.findings.isEmpty && judgement.toolErrors.isEmpty }
    /// Steps that did not do what the plan expects though no property fails: the stage shows less than it claims.
    var misses: Int { steps.filter { !$0.isOK }.count }

    func line(_ style: Style) -> String {
        let phrase = passed ? stage.promise(judgement, steps) : DemoStage.trouble(judgement)
        let mark = passed ? style.paint(style.glyph(.pass), .pass) : style.paint(style.glyph(.fail), .fail)
        let figures =
            stage.name.left(18) + counted(users, "user", width: 3) + counted(judgement.runs, "run", width: 6)
            + counted(judgement.faultsActed, "fault", width: 6)
        return "  \(mark) \(figures)   " + phrase.left(30) + Figures.seconds(took).right(8) + "\n"
    }

    private func counted(_ value: Int, _ noun: String, width: Int) -> String {
        Figures.count(value).right(width) + " " + (value == 1 ? noun : noun + "s").left(noun.count + 1)
    }
}
