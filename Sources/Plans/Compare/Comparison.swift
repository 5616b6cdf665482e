package import Journaling

/// What became of a recording's answers when it was replayed.
package struct Comparison: Sendable {
    package var sessions: [SessionComparison] = []
    package init() {}
    package var differences: Int { sessions.reduce(0) { $0 + $1.differences.count } }
    package var isSame: Bool { differences == 0 }
}

package struct SessionComparison: Sendable {
    /// As recorded.
    package var session: SessionID
    /// The session that replayed it; nil when there was none.
    package var now: SessionID?
    package var user: String?
    /// Recorded answers: messages, and a refusal or a Close that the server began with.
    package var messages = 0
    package var same = 0
    package var changed = 0
    package var missing = 0
    package var extra = 0
    /// Messages of which nobody can tell whether they are the same, because the recording does not hold their counterpart.
    package var undecided = 0
    /// The recording lacks a part of the session: nothing behind it was compared.
    package var isTorn = false
    package var isUndecided: Bool { isTorn || undecided > 0 }
    package var recordedLength = Duration.zero
    package var nowLength = Duration.zero
    /// In the order of the recording, what is extra behind what it came after.
    package var differences: [Difference] = []
    /// Recorded requests that were not sent, and what was sent besides.
    package var unsent: [Int] = []
    package init(session: SessionID, user: String?) {
        self.session = session
        self.user = user
    }
}

package struct Difference: Sendable {
    package enum Kind: String, Sendable { case changed = "CHANGED", missing = "MISSING", extra = "EXTRA" }
    package enum Subject: Sendable, Equatable {
        case message
        /// The answer to the upgrade.
        case upgrade
        case close
    }
    package var kind: Kind
    package var subject = Subject.message
    /// Of the recorded message in its session; of one that is extra the one before it in the same run, 0 = none.
    package var number: Int
    /// What the message is called now and was called then.
    package var title: String
    /// One sentence: `source is gone`.
    package var sentence: String
    /// Since its request.
    package var took: Duration?
    package var recordedTook: Duration?
    /// What is missing was expected so long after message `after`, or after its request when that is nil.
    package var bound: Duration?
    package var after: Int?
    package var diff: MessageDiff?
    /// Entries of the replay that it is about: the message, and the request behind it.
    package var refs: [EntryRef] = []
    /// Of an upgrade that was accepted and is refused now.
    package var status: Int?
    /// The property that fails by it.
    package var property: String?
    package init(kind: Kind, number: Int, title: String, sentence: String) {
        self.kind = kind
        self.number = number
        self.title = title
        self.sentence = sentence
    }
}

/// A message as it was and as it is.
package struct MessageDiff: Sendable, Equatable {
    package enum Mark: Sendable, Equatable { case both, recorded, now }
    package struct Line: Sendable, Equatable {
        package var mark: Mark
        package var text: String
        package init(_ mark: Mark, _ text: String) {
            self.mark = mark
            self.text = text
        }
    }
    package var lines: [Line]
    package init(_ lines: [Line]) { self.lines = lines }
}
