import Journaling

/// The agents on offer. What each does is a script: events with the pause before each.
enum Agent: String, Sendable, CaseIterable {
    /// The five normal events.
    case assistant
    /// Two tools at once, partial results and a report.
    case researcher
    /// One tool, which raises when the message contains `fail`.
    case tooluser
    /// One tool, whose first try fails and is made again as a call of its own.
    case retrier
    /// One tool, which takes 400 ms.
    case patient
    /// One tool, which raises; the run ends by an error.
    case fragile
    /// No tool, but 200 ms of thought.
    case slow
    /// A report in 200 pieces of 4 KiB.
    case writer

    struct Step: Sendable, Hashable {
        var pause: Duration
        var move: Move
    }

    enum Move: Sendable, Hashable {
        case think(String)
        case open(tool: String)
        /// Ends the call of that tool; `raised` when the tool failed.
        case close(tool: String, raised: Bool)
        /// The call of that tool failed, and is made again.
        case retry(tool: String)
        case partial(String)
        case report(String)
        case complete
        /// The run ends by an error.
        case abort
    }

    /// - Parameter more: what each tool takes longer than it would (W3).
    func script(message: String, more: Duration = .zero, dice: inout Dice) -> [Step] {
        var steps: [Step] = []
        func add(_ low: Int, _ high: Int, _ move: Move) {
            var pause = Duration.microseconds(low * 1_000 + dice.below((high - low) * 1_000 + 1))
            if case .close = move { pause += more }
            steps.append(Step(pause: pause, move: move))
        }
        switch self {
        case .assistant:
            add(1, 3, .think("reading the request"))
            add(1, 3, .open(tool: "lookup"))
            add(2, 5, .close(tool: "lookup", raised: false))
            add(0, 1, .complete)
        case .researcher:
            for number in 0..<dice.below(3) { add(1, 3, .think("planning, step \(number + 1)")) }
            add(1, 3, .open(tool: "search"))
            add(0, 1, .open(tool: "read_page"))
            add(2, 5, .close(tool: "read_page", raised: false))
            add(0, 1, .partial("one of two sources read"))
            add(2, 5, .close(tool: "search", raised: false))
            add(1, 3, .partial("two of two sources read"))
            add(0, 1, .report("the sources agree"))
            add(0, 1, .complete)
        case .tooluser:
            add(1, 3, .think("choosing a tool"))
            add(1, 3, .open(tool: "calculator"))
            add(2, 5, .close(tool: "calculator", raised: message.contains("fail")))
            add(1, 3, .complete)
        case .retrier:
            add(1, 3, .think("fetching"))
            for _ in 0...dice.below(2) {
                add(1, 3, .open(tool: "fetch"))
                add(2, 5, .retry(tool: "fetch"))
            }
            add(1, 3, .open(tool: "fetch"))
            add(2, 5, .close(tool: "fetch", raised: false))
            add(1, 3, .complete)
        case .patient:
            add(1, 3, .think("this tool takes a while"))
            add(1, 3, .open(tool: "archive"))
            add(400, 400, .close(tool: "archive", raised: false))
            add(0, 1, .complete)
        case .fragile:
            add(1, 3, .think("trying"))
            add(1, 3, .open(tool: "deploy"))
            add(2, 5, .close(tool: "deploy", raised: true))
            add(0, 1, .abort)
        case .slow:
            add(1, 3, .think("this takes a while"))
            add(200, 200, .complete)
        case .writer:
            add(1, 3, .think("this becomes long"))
            for number in 1...200 { add(2, 4, .partial("part \(number) of 200: " + String(repeating: "so it goes ", count: 372))) }
            add(0, 1, .complete)
        }
        return steps
    }
}
