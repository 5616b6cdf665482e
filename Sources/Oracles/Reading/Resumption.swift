import Journaling

/// What a client said of where it wants to go on.
struct Resumption: Sendable {
    var cursor: String
    /// The request that bears it, as the server got it.
    var entry: Entry
    /// The stream that it is of, the number that it names there, and the highest that had come by then. Nil when it may be
    /// of several: then it proves nothing.
    var target: Target?
    /// The user had no other connection then, and had lost none lately.
    var wasAlone = false
    var wasAloneForLong = false
    var isAimed = false

    struct Target: Sendable {
        var stream: StreamKey
        var number: Int
        var last: Int
    }
}

/// Where the server says that not all can be had any more.
struct Signals: Sendable {
    var streams: Set<String> = []
    /// It said so without saying of what.
    var isOfAll = false
}
