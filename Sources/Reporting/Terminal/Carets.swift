import NIOCore
import Oracles
import Wire

/// The values of the offending message that are underlined: at most two, the second says whose request it answers
/// (looks.md section 1).
struct Carets {
    struct Caret {
        /// What is looked for: the value as a whole JSON string when it stands as one anywhere, else wherever it is.
        private var pattern: String
        private var quoted: Bool
        var label: String

        init(_ value: String, label: String, in text: String) {
            let shown = SafeText.show(value)
            quoted = !shown.isEmpty && text.contains("\"" + shown + "\"")
            pattern = quoted ? "\"" + shown + "\"" : shown
            self.label = label
        }

        var mark: String { String(repeating: "^", count: max(1, pattern.count - (quoted ? 2 : 0))) }

        func column(in line: String) -> Int? {
            guard !pattern.isEmpty, let range = line.firstRange(of: pattern) else { return nil }
            return line.distance(from: line.startIndex, to: range.lowerBound) + (quoted ? 1 : 0)
        }
    }
    var all: [Caret] = []

    init(_ finding: Finding, payload: ByteBuffer) {
        guard let first = finding.caret else { return }
        let text = SafeText.show(bytes: payload.readableBytesView)
        all.append(Caret(first.text, label: first.label, in: text))
        guard let owner = finding.users.first, let id = Self.shared(finding, payload), !first.text.contains(id) else { return }
        all.append(Caret(id, label: "\(owner)'s request", in: text))
        // In the order in which they stand in the message.
        if let one = all[0].column(in: text), let two = all[1].column(in: text), two < one { all.swapAt(0, 1) }
    }

    /// The id that the offending message has in common with the requester's message.
    private static func shared(_ finding: Finding, _ payload: ByteBuffer) -> String? {
        let key = "request_id"
        guard case .value(let message, _) = JSON.decode(payload), case .string(let id)? = message[key] else { return nil }
        for entry in finding.witness where entry.session == finding.sessions.first {
            guard case .frame(let record) = entry.body, record.passage.direction == .toServer,
                let request = record.message?.payload, case .value(let json, _) = JSON.decode(request),
                json[key] == .string(id)
            else { continue }
            return id
        }
        return nil
    }
}
