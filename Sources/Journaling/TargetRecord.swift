/// What is known of the server beside its connections, from whoever started it or watches it: no tap sees it.
package enum TargetRecord: Sendable, Hashable {
    /// A checkpoint.
    case usage(TargetUsage)
    /// From here on that user is the sentinel: an honest one, whose runs say whether others are still served.
    case sentinel(user: String)
    /// Without faults 999 of 1,000 answers came in that time: no deadline is shorter than four times as long (oracle.md).
    case calibrated(Duration)
    /// It ended, or answers nobody any more; one phrase: `signal 11 (SIGSEGV)`.
    case gone(String)
}

/// What the server takes at one instant. What its platform does not tell is nil.
package struct TargetUsage: Sendable, Hashable {
    /// Resident bytes now.
    package var memory: UInt64
    /// The most resident bytes that it ever had.
    package var peak: UInt64?
    package var descriptors: Int?
    package var threads: Int?
    /// Connections that it holds, by its own count.
    package var connections: Int?
    /// Sessions that the proxy has seen begin so far.
    package var sessions: Int
    /// Nobody is connected, and has not been for a moment: what it takes now it keeps.
    package var isQuiet: Bool

    package init(
        memory: UInt64, peak: UInt64? = nil, descriptors: Int? = nil, threads: Int? = nil, connections: Int? = nil,
        sessions: Int, isQuiet: Bool
    ) {
        self.memory = memory
        self.peak = peak
        self.descriptors = descriptors
        self.threads = threads
        self.connections = connections
        self.sessions = sessions
        self.isQuiet = isQuiet
    }
}
