import NIOCore

/// A key log that is still being written. Only one text at a time: no capture that is followed has blocks of secrets.
extension TLSLayer {
    /// To be said before anything else of it.
    /// - Parameter look: reads on in the log; called before something is given up for want of a secret.
    func beginFollowing(look: @escaping () throws(ImportError) -> Void = {}) {
        shared.following = .now
        shared.look = look
    }

    /// The next bytes of the log; lines may be cut anywhere. Connections that waited for these secrets go on.
    func follow(_ bytes: ByteBuffer, place: String) throws(ImportError) { try learn(place) { $0.feed(bytes) } }

    /// The log goes on with line 1 of another text.
    /// - Parameter voidsRest: a line that was not whole was given up; else it lacks nothing but its end.
    func followAnew(voidsRest: Bool, place: String) throws(ImportError) {
        try learn(place) { if voidsRest { $0.abandon() } else { $0.finish() } }
    }

    /// Nothing more is written. Says how many wrong lines were not told one by one.
    func endFollowing(place: String) throws(ImportError) {
        try learn(place) { $0.finish() }
        (shared.following, shared.look) = (.over, {})
        try letAllGo()
        try tellMore(shared.keys.problemCount - shared.keys.problems.count, place)
    }
}
