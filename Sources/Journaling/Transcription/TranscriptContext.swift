import NIOCore
import Wire

/// Compressed bytes and what became of them.
package struct Inflated: Sendable, Hashable {
    package var from = 0
    package var to = 0
    package init() {}
}

/// What all sessions of a transcriber share: configuration, redactor, and the count of inflate contexts.
struct TranscriptContext: Sendable {
    let configuration: Transcriber.Configuration
    var redactor: Redactor
    /// Credentials that nobody says by chance.
    var credentials = SecretIndex()
    /// What is no secret, whoever brings it as one.
    var said = SaidWords()
    /// Inflate contexts alive (trust.md L5).
    private(set) var contexts = 0
    /// What was inflated since `takeInflated`.
    private var inflated = Inflated()
    /// The server let somebody in whose credential bears the presumed key's signature.
    private var isKeyProven = false

    init(_ configuration: Transcriber.Configuration) {
        self.configuration = configuration
        redactor = Redactor(key: configuration.redactionKey)
    }

    var limits: Limits { configuration.limits }
    var finder: any SecretFinder { configuration.finder }
    var hidden: [[UInt8]] { configuration.hidden.all }
    var isRaw: Bool { configuration.mode == .raw }

    /// The server's 101 answered an upgrade with these.
    mutating func accepted(_ claims: [Claim]) {
        guard finder.isKeyPresumed, !isKeyProven, let key = finder.verificationKey else { return }
        isKeyProven = claims.compactMap(\.credential).contains { JWT.first(in: $0.value)?.isSigned(with: key) ?? false }
    }

    /// To be found wherever anybody repeats them: not what was said before where no credential belongs, what a fault made of a
    /// credential, or what is none at all where tokens are due.
    mutating func remember(_ claims: [Claim], at instant: Instant, faults: [String]) {
        guard faults.isEmpty else { return }
        let users = claims.flatMap(\.users)
        for credential in claims.compactMap(\.credential) where SecretForms.isUnguessable(credential.value, users: users) {
            if finder.expectsJWT, judge(credential, at: instant) == .corrupt { continue }
            if !said.holds(credential.value.utf8) { credentials.remember(Array(credential.value.utf8)) }
        }
    }

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

    /// A message was inflated, or tried to be until a limit bit.
    mutating func count(inflated bytes: Int, to size: Int) {
        inflated.from += bytes
        inflated.to += size
    }

    mutating func takeInflated() -> Inflated {
        defer { inflated = Inflated() }
        return inflated
    }

    /// Seconds since 1970 at an instant of this recording.
    func seconds(at instant: Instant) -> Int64 {
        configuration.epochSeconds.addingReportingOverflow(instant.nanoseconds / 1_000_000_000).partialValue
    }

    /// Nil when it is past, or too far away to matter.
    private func left(until expires: Int64, at instant: Instant) -> Duration? {
        let (seconds, overflow) = expires.subtractingReportingOverflow(configuration.epochSeconds)
        guard !overflow, (0..<1_000_000_000).contains(seconds) else { return nil }
        let left = Instant(nanoseconds: seconds * 1_000_000_000).nanoseconds.subtractingReportingOverflow(instant.nanoseconds)
        // The recording's own beginning is known to the second only.
        return left.overflow || left.partialValue <= 0 ? nil : .nanoseconds(left.partialValue)
    }

    /// What a credential tells, so that nobody needs it again (captures.md). Of several that a server may choose among
    /// the first is told, and what it shares with the others.
    /// - Parameter claims: at least one, in the order of the contract's places.
    mutating func facts(_ tap: Tap, _ claims: [Claim], at instant: Instant, faults: [String]) -> Facts {
        var told: Set<String> = []
        let users = claims.flatMap(\.users).filter { told.insert($0).inserted }
        let user = claims.first?.users.first
        guard let credential = claims.first?.credential else {
            return Facts(
                tap: tap, user: user, rivals: Array(users.dropFirst()), place: nil, state: .absent, faults: faults)
        }
        let states = claims.compactMap(\.credential).map { judge($0, at: instant) }
        var state = states[0]
        let isOne = claims.dropFirst().allSatisfy { $0.credential?.value == credential.value } && users.count <= 1
        let names = Set(claims.map(\.users))
        // Whichever counts, it is bad; or whichever counts, it is as good and says the same.
        let isSettled = states.allSatisfy(\.isBad) || Set(states).count == 1 && names.count == 1 && users.count == 1
        if !isOne, !isSettled { state = .ambiguous }
        let expires = JWT.first(in: credential.value)?.expires
        return Facts(
            tap: tap, user: user, rivals: state == .ambiguous ? Array(users.dropFirst()) : [], place: credential.place,
            state: state, expires: expires, lasts: expires.flatMap { left(until: $0, at: instant) },
            tag: isRaw ? nil : redactor.tag(for: credential.value), faults: faults,
            isSecret: SecretForms.isUnguessable(credential.value, users: users))
    }

    private func judge(_ credential: FoundSecret, at instant: Instant) -> Facts.State {
        if let token = JWT.first(in: credential.value) {
            let now = seconds(at: instant)
            let state = JWT.state(of: token.text, key: finder.verificationKey, now: now)
            // Another's key, of which nobody here knows anything.
            let isForeign = finder.isGiven(token.text) || finder.isKeyPresumed && !isKeyProven
            return state == .forged && isForeign ? JWT.state(of: token.text, key: nil, now: now) : state
        }
        let looksBroken = !JWTShape.ranges(in: Array(credential.value.utf8)).isEmpty
        return finder.expectsJWT || looksBroken ? .corrupt : .unknown
    }
}

extension Facts.State {
    /// Nobody may be let in with it.
    var isBad: Bool {
        switch self {
        case .corrupt, .forged, .expired: true
        case .intact, .unknown, .absent, .ambiguous: false
        }
    }
}
