import NIOCore
import Wire

/// What all sessions of a transcriber share: configuration, redactor, and the count of inflate contexts.
struct TranscriptContext: Sendable {
    let configuration: Transcriber.Configuration
    var redactor: Redactor
    /// Inflate contexts alive (trust.md L5).
    private(set) var contexts = 0

    init(_ configuration: Transcriber.Configuration) {
        self.configuration = configuration
        redactor = Redactor(key: configuration.redactionKey)
    }

    var limits: Limits { configuration.limits }
    var finder: any SecretFinder { configuration.finder }
    var isRaw: Bool { configuration.mode == .raw }

    mutating func inflate(_ deflate: DirectionDeflate) -> InflateStream {
        guard contexts < limits.inflateContexts else {
            return .lost("\(limits.inflateContexts) inflate contexts are in use", limit: "L5")
        }
        contexts += 1
        return .begun(deflate)
    }

    mutating func fork(_ stream: InflateStream) -> InflateStream {
        guard stream.isAlive else { return stream }
        guard contexts < limits.inflateContexts else {
            return .lost("\(limits.inflateContexts) inflate contexts are in use", limit: "L5")
        }
        contexts += 1
        return stream.copied()
    }

    mutating func release(_ stream: InflateStream) {
        if stream.isAlive { contexts -= 1 }
    }

    /// Seconds since 1970 at an instant of this recording.
    func seconds(at instant: Instant) -> Int64 {
        configuration.epochSeconds.addingReportingOverflow(instant.nanoseconds / 1_000_000_000).partialValue
    }

    /// What a credential tells, so that nobody needs it again (captures.md).
    mutating func facts(
        _ tap: Tap, _ credential: FoundSecret?, user: String?, at instant: Instant, faults: [String]
    ) -> Facts {
        guard let credential else { return Facts(tap: tap, user: user, place: nil, state: .absent, faults: faults) }
        let token = JWT.first(in: credential.value)
        let state: Facts.State
        if let token {
            state = JWT.state(of: token.text, key: finder.verificationKey, now: seconds(at: instant))
        } else {
            let looksBroken = !JWTShape.ranges(in: Array(credential.value.utf8)).isEmpty
            state = finder.expectsJWT || looksBroken ? .corrupt : .unknown
        }
        return Facts(
            tap: tap, user: user, place: credential.place, state: state, expires: token?.expires,
            tag: isRaw ? nil : redactor.tag(for: credential.value), faults: faults)
    }
}
