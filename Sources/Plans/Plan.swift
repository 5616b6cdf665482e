import Contracts
import Journaling
import Wire

/// A typed sequence of choices: what users do, with which faults (looks.md section 3 has its text form). It is the seed
/// of a mutation, what is shrunk, and what a finding is replayed from.
package struct Plan: Sendable, Equatable {
    package var head = Head()
    package var users: [User] = []
    package var steps: [Step] = []
    /// Profile lines: `f1 accept-delay delay 400ms user alice connection nth 1`.
    package var faults: [FaultLine] = []
    /// Comment lines behind the last line of the plan.
    package var tail: [String] = []
    package init() {}

    package struct Head: Sendable, Equatable {
        /// Comment lines without the `#`.
        package var comments: [String] = []
        /// `I2-7c1e44`, and the properties it also shows.
        package var finding: String?
        package var also: [String] = []
        /// `demo, seed 1, miswire 0.1.0, profile none, contract agent-chat 3f9c21`
        package var found: String?
        package var attribution: String?
        package init() {}
    }

    package struct User: Sendable, Equatable {
        package var name: String
        /// `header`, `query`, `cookie`, `subprotocol`, `none`; all but the last may go on with `forged`, `expired` or
        /// `corrupt` for a credential that a server must refuse, or with `brief` for one that ends soon: `header forged`.
        package var credential: String
        package var above: [String]
        package init(name: String, credential: String, above: [String] = []) {
            self.name = name
            self.credential = credential
            self.above = above
        }
    }

    package struct Step: Sendable, Equatable {
        /// A label; may have gaps.
        package var number: Int
        /// Nil for `together`.
        package var user: String?
        /// `alice.phone` acts on the connection that alice opened with `connect /ws as phone`; nil = the one without name.
        package var connection: String?
        package var verb: Verb
        package var comment: String?
        /// Comment lines that stand above the step.
        package var above: [String]
        package init(
            number: Int, user: String?, connection: String? = nil, verb: Verb, comment: String? = nil,
            above: [String] = []
        ) {
            self.number = number
            self.user = user
            self.connection = connection
            self.verb = verb
            self.comment = comment
            self.above = above
        }

        /// Name of the connection that it opens or acts on.
        package var acting: String? {
            if case .connect(_, let name?, _) = verb { name } else { connection }
        }
    }

    package enum Verb: Sendable, Equatable {
        /// A header with the name of one that we write ourselves (Host, Upgrade, Connection, Sec-WebSocket-Key,
        /// Sec-WebSocket-Version, Sec-WebSocket-Protocol, and whatever carries the credential) takes the place of ours,
        /// or leaves it out when its value is empty (`header Upgrade: ""`). Further ones of that name are added, so
        /// two of them say the field twice.
        case connect(path: String, as: String?, headers: [Header])
        /// Text with `$alice.id`, `$run1.thread_id` where JSON values stand, or inside strings.
        case send(String)
        case sendText(String)
        case sendBytes([UInt8])
        /// Frames as they are written here, legal or not; never empty.
        case frames([FrameText])
        case until([String], within: Duration)
        case quiet(Duration)
        case pauseReading
        case cut(String)
        case close(code: Int, reason: String)
        case reconnect(cursor: String?)
        /// A barrier: these steps are released at once.
        case together([Int])
    }

    package struct Header: Sendable, Equatable {
        package var name: String
        package var value: String
        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package struct FaultLine: Sendable, Equatable {
        package var id: String
        package var kind: String
        /// Words and values in file order: settings and trigger conditions.
        package var words: [String]
        package var above: [String]
        package init(id: String, kind: String, words: [String], above: [String] = []) {
            self.id = id
            self.kind = kind
            self.words = words
            self.above = above
        }
    }
}
