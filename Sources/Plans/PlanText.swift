/// The text form of a plan (looks.md section 3): one choice a line, made to be edited.
package enum PlanText {
    /// trust.md L6: the largest plan that is read.
    package static let largest = 16 * 1024 * 1024

    /// Reads a plan, or says everything that is wrong with it.
    package static func parse(_ text: String, file: String = "plan") throws(PlanErrors) -> Plan {
        var parser = PlanParser(text: text, file: file)
        return try parser.parse()
    }

    /// Canonical text: printing what was parsed from canonical text gives the same bytes.
    package static func print(_ plan: Plan) -> String { PlanPrinter.text(of: plan) }
}

extension PlanText {
    /// Its first word.
    package static func keyword(of verb: Plan.Verb) -> String {
        switch verb {
        case .connect: "connect"
        case .send, .sendText, .sendBytes: "send"
        case .frames: "frames"
        case .until: "until"
        case .quiet: "quiet"
        case .pauseReading: "pause"
        case .cut: "cut"
        case .close: "close"
        case .reconnect: "reconnect"
        case .together: "together"
        }
    }

    /// A verb with its operands, as in the plan: `until error within 1s`.
    package static func words(of verb: Plan.Verb) -> String { PlanPrinter.words(verb) }
}
