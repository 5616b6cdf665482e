/// A defect planted in the reference backend on request, so that a judge can be shown to find it (fuzzing.md, table
/// B01-B30).
/// The raw value is the name used on the command line and in marks.
package enum BackendBug: String, Sendable, Hashable, CaseIterable, Comparable {
    case lostGreetingDuringAccept = "B01"
    case greetingDroppedBehind101 = "B02"
    case completionMissingAfterToolError = "B03"
    case completedAfterError = "B04"
    case failedTryWithoutEnd = "B05"
    case exchangedCallIDs = "B06"
    case lateTool = "B07"
    case malformedSwallowed = "B08"
    case successWithoutUser = "B09"
    case errorToLastConnected = "B10"
    case answerBroadcast = "B11"
    case foreignThreadAccepted = "B12"
    case foldedUserNames = "B13"
    case contextReused = "B14"
    case badTokenSilence = "B15"
    case expiryIgnored = "B16"
    case originPrefix = "B17"
    case queueDropsSilently = "B18"
    case resumeOffByOne = "B19"
    case duplicateAfterReconnect = "B20"
    case inflateUnbounded = "B21"
    case fragmentsPinned = "B22"
    case abortLeaks = "B23"
    case stuckReadBlocks = "B24"
    case reservedCloseCode = "B25"
    case splitCharacterRejected = "B26"
    case twoGenerators = "B27"
    case bareError = "B28"
    case lateError = "B29"
    case tokenEchoed = "B30"

    /// One line for `miswire backend --help` and reports.
    package var summary: String {
        switch self {
        case .lostGreetingDuringAccept: "the greeting is emitted while the accept is still pending, and lost"
        case .greetingDroppedBehind101: "the greeting written together with the 101 is dropped"
        case .completionMissingAfterToolError: "agent_completed is missing when a tool raised"
        case .completedAfterError: "a run that ended by an error is completed when it is cancelled just then"
        case .failedTryWithoutEnd: "tool_completed is missing for a try that is made again"
        case .exchangedCallIDs: "of two tools at once the first to end bears the other's call id"
        case .lateTool: "a tool that was at work for 100 ms when its run was cancelled ends behind the run"
        case .malformedSwallowed: "the error for malformed JSON is swallowed"
        case .successWithoutUser: "a request without user_id is answered by success events"
        case .errorToLastConnected: "an error goes to the socket that connected last, not to the requester"
        case .answerBroadcast: "the answer of a slow tool is told to every user who waits for one as well"
        case .contextReused: "the context of a session whose peer left without a Close is found by the fiftieth after it"
        case .tokenEchoed: "an authentication error repeats the caller's own token"
        case .foreignThreadAccepted: "a thread of another user is accepted"
        case .foldedUserNames: "connections are found by the user's name in small letters, so that events go to a namesake"
        case .twoGenerators: "run_id and thread_id are made by two generators"
        case .badTokenSilence: "a bad token is upgraded, then met with silence"
        case .queueDropsSilently: "the bounded queue of a slow reader drops events silently"
        case .resumeOffByOne: "a resume is off by one where its buffer is too short, and does not say so"
        case .duplicateAfterReconnect: "what came while nobody listened is delivered twice after a reconnect"
        case .expiryIgnored: "a connection goes on when its token has expired"
        case .originPrefix: "an Origin that only begins like the right one is let in"
        case .inflateUnbounded: "compressed messages have a limit on the wire and none inflated"
        case .fragmentsPinned: "each fragment of an unfinished message keeps a buffer of 1 MiB, for good"
        case .abortLeaks: "a connection that ends before its request head leaves a task and a descriptor behind"
        case .stuckReadBlocks: "nobody is read from while one message has not come in whole"
        case .reservedCloseCode: "a Close without a code is answered with 1005"
        case .splitCharacterRejected: "a text whose fragments are parted inside a character is refused with 1007"
        case .lateError: "errors come 3 s late"
        case .bareError: "errors come without message and timestamp"
        }
    }

    package static func < (lhs: BackendBug, rhs: BackendBug) -> Bool { lhs.rawValue < rhs.rawValue }

    /// What a user wrote after `--bugs`: `B08,B15` (case and blanks do not matter, empty pieces are skipped).
    package static func list(_ text: String) throws(UnknownBug) -> Set<BackendBug> {
        var bugs: Set<BackendBug> = []
        for piece in text.split(separator: ",") {
            let name = String(piece.filter { $0 != " " }).uppercased()
            if name.isEmpty { continue }
            guard let bug = BackendBug(rawValue: name) else { throw UnknownBug(name: String(piece)) }
            bugs.insert(bug)
        }
        return bugs
    }
}

/// A bug name that this backend does not have.
package struct UnknownBug: Error, CustomStringConvertible {
    package var name: String
    package var description: String {
        "\"\(name)\" is no bug of the backend; expected one of "
            + BackendBug.allCases.sorted().map { $0.rawValue }.joined(separator: " ")
    }
}
