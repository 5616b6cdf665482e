/// What the application promises of the delivery of its events (contract.md, `delivery`): the ground truths of D1 and D2.
package struct DeliveryRules: Sendable {
    package var sequence: Sequence?
    /// What names one event: it comes at most once on one user's connections.
    package var id: [Path] = []
    package var history: History?
    package var resume: Resume?
    package var line: Line = 0
    package init() {}

    /// A number that counts by 1 within a stream. Two connections of one user are one stream.
    package struct Sequence: Sendable {
        package var at: Path
        /// The identifier (`identity.ids`) whose every value has a count of its own; nil = each user has one.
        package var per: String?
        package var line: Line
        package init(at: Path, per: String?, line: Line) {
            self.at = at
            self.per = per
            self.line = line
        }
    }

    /// Where the truth can be asked for.
    package struct History: Sendable {
        package enum Asking: Sendable {
            /// An HTTP path of the target, in which `{thread}` stands for a value of the id `thread`.
            case get(String)
            /// A request, and the event that answers it.
            case messages(request: MessageName, event: MessageName)
        }
        package var asking: Asking
        /// The items in the answer: `events[*]`.
        package var items: Path
        /// The run's key in an item; empty = the keys of the run's own rule.
        package var key: [Path]
        /// The identifier whose events it holds; nil = the user's.
        package var per: String?
        package var line: Line
        package init(asking: Asking, items: Path, key: [Path], per: String?, line: Line) {
            self.asking = asking
            self.items = items
            self.key = key
            self.per = per
            self.line = line
        }
        /// The ids named in braces in `get`, in order: `/threads/{thread}/events` has `thread`.
        package var names: [String] {
            guard case .get(let text) = asking else { return [] }
            return History.names(in: text)
        }
        package static func names(in text: String) -> [String] {
            var names: [String] = []
            for piece in text.split(separator: "{").dropFirst(text.hasPrefix("{") ? 0 : 1) {
                if let end = piece.firstIndex(of: "}") { names.append(String(piece[..<end])) }
            }
            return names
        }
    }

    /// How a client goes on where it was cut off.
    package struct Resume: Sendable {
        /// Where the cursor stands: `query cursor`, `request resume from`.
        package var by: Place
        /// Where its value stood in the events before.
        package var from: Path
        /// The event that says: not all can be had any more.
        package var truncated: MessageName?
        package var line: Line
        package init(by place: Place, from: Path, truncated: MessageName?, line: Line) {
            by = place
            self.from = from
            self.truncated = truncated
            self.line = line
        }
    }
}
