import Journaling
import NIOCore
import Wire

/// From the request head to the greeting.
extension BackendMachine {
    mutating func open(
        _ id: BackendConnectionID, _ head: RequestHead, at now: Instant, _ effects: inout [BackendEffect]
    ) {
        if let thread = HistoryRequest.thread(in: head.path) { return answer(id, history(of: thread, head, at: now), &effects) }
        connections[id]?.resume = ResumeWish(head)
        let decision = Upgrade.decide(
            head, key: configuration.key, now: second(at: now), open: openConnections, speaksDeflate: has(.inflateUnbounded))
        switch decision {
        case .answer(let text): answer(id, text, &effects)
        case .accept(let response, let principal):
            guard admits(head, principal?.user, on: id, &effects) else {
                return answer(id, Upgrade.page(403, "this Origin may not connect"), &effects)
            }
            connections[id]?.socket.inflates = response.contains("permessage-deflate")
            if has(.tokenEchoed) { connections[id]?.token = Credential.find(in: head)?.token ?? "" }
            upgrade(id, as: principal.map { .open($0) } ?? .authenticating, response, at: now, &effects)
        case .unauthorized(let subject, let response):
            if has(.badTokenSilence), let response {
                upgrade(id, as: .silent, response, at: now, &effects)
                mark(.badTokenSilence, .reached, on: id, user: subject, type: "upgrade", &effects)
                mark(.badTokenSilence, .triggered, on: id, user: subject, type: "upgrade", &effects)
            } else {
                answer(id, Upgrade.page(401, "no valid credential"), &effects)
            }
        }
    }

    /// Whether a page of that Origin may connect; with B17 its beginning is enough.
    private mutating func admits(
        _ head: RequestHead, _ user: String?, on id: BackendConnectionID, _ effects: inout [BackendEffect]
    ) -> Bool {
        let verdict = OriginRule.verdict(head)
        guard has(.originPrefix) else { return verdict == .allowed }
        if head.value("origin") != nil { mark(.originPrefix, .reached, on: id, user: user, type: "upgrade", &effects) }
        if verdict == .startsLikeOurs { mark(.originPrefix, .triggered, on: id, user: user, type: "upgrade", &effects) }
        return verdict != .foreign
    }

    private enum Standing { case open(Principal), authenticating, silent }

    private mutating func upgrade(
        _ id: BackendConnectionID, as standing: Standing, _ response: String, at now: Instant,
        _ effects: inout [BackendEffect]
    ) {
        guard var connection = connections[id] else { return }
        upgrades += 1
        connection.ordinal = upgrades
        switch standing {
        case .open(let principal):
            connection.phase = .open
            connection.admit(principal)
            mailboxes[principal.user.lowercased()] = id
        case .authenticating: connection.phase = .authenticating
        case .silent: connection.phase = .silent
        }
        connection.upgradedAfter = connection.openedAt.duration(to: now)
        connection.name = connectionName(connection.user)
        if has(.contextReused) { connection.leftover = takeContext(upgrades) }
        connections[id] = connection
        var bytes = ByteBuffer(string: response)
        if case .open = standing {
            // Every second greeting goes in one write with the 101, the others just behind it: both are right.
            let together = connection.ordinal % 2 == 1 || has(.greetingDroppedBehind101)
            if together {
                bytes.writeImmutableBuffer(welcome(id, together: true, at: now, &effects))
            } else {
                timers.set(.greeting(id), at: now.advanced(by: .milliseconds(1)))
            }
            setExpiry(id)
        }
        effects.append(.send(id, bytes))
        if connections[id]?.owesGreeting == false { resume(id, at: now, &effects) }
        if case .authenticating = standing {
            timers.set(.authentication(id), at: now.advanced(by: Self.authenticationTime))
        }
    }

    /// The greeting that is owed, at once.
    mutating func greet(_ id: BackendConnectionID, at now: Instant, _ effects: inout [BackendEffect]) {
        guard let connection = connections[id], connection.isOpen, connection.owesGreeting else { return }
        let bytes = welcome(id, together: false, at: now, &effects)
        if bytes.readableBytes > 0 { put(bytes, on: id, &effects) }
        resume(id, at: now, &effects)
    }

    /// The greeting's frame; empty when a bug loses it.
    private mutating func welcome(
        _ id: BackendConnectionID, together: Bool, at now: Instant, _ effects: inout [BackendEffect]
    ) -> ByteBuffer {
        guard let connection = connections[id] else { return ByteBuffer() }
        connections[id]?.owesGreeting = false
        let (user, type) = (connection.user, "connected")
        if has(.lostGreetingDuringAccept) {
            mark(.lostGreetingDuringAccept, .reached, on: id, user: user, type: type, &effects)
            // The greeting of an impatient server goes out on a timer that starts with the accept, ready or not.
            if connection.upgradedAfter > Self.patience {
                mark(.lostGreetingDuringAccept, .triggered, on: id, user: user, type: type, &effects)
                return ByteBuffer()
            }
        }
        if has(.greetingDroppedBehind101), together {
            mark(.greetingDroppedBehind101, .reached, on: id, user: user, type: type, &effects)
            mark(.greetingDroppedBehind101, .triggered, on: id, user: user, type: type, &effects)
            return ByteBuffer()
        }
        let greeting = events.greeting(user: user, connection: connection.name, at: now)
        log(.toClient, .text, greeting.buffer, of: id)
        return FrameWriter.bytes(Frame(opcode: .text, payload: greeting.buffer))
    }

    private mutating func setExpiry(_ id: BackendConnectionID) {
        guard let expires = connections[id]?.expires else { return }
        let due = instant(ofSecond: expires)
        if due < .distantFuture { timers.set(.expiry(id), at: due) }
    }

    // Credentials in messages

    /// A message on a connection that nobody has authenticated yet.
    mutating func readFirst(
        _ bytes: ByteBuffer, on id: BackendConnectionID, at now: Instant, _ effects: inout [BackendEffect]
    ) {
        let message = JSON.decode(bytes).value
        do throws(Refusal) {
            guard let message else { throw Refusal(.messageProcessing, "the message is not JSON") }
            // Nobody has a thread yet, so that whose it is can be asked only behind the credential.
            let rules = RequestRules(user: message["user_id"]?.string ?? "")
            guard case .auth(let token) = try rules.read(message) else {
                refuse(Refusal(.authentication, "authenticate first"), message, on: id, at: now, &effects)
                return close(id, 4401, "authenticate first", at: now, &effects)
            }
            authenticate(token, message, on: id, at: now, &effects)
        } catch {
            refuse(error, message, on: id, at: now, &effects)
        }
    }

    private mutating func authenticate(
        _ token: String, _ message: JSON, on id: BackendConnectionID, at now: Instant, _ effects: inout [BackendEffect]
    ) {
        guard let principal = Principal(token: token, key: configuration.key, now: second(at: now)) else {
            return reject(token, on: id, at: now, &effects)
        }
        connections[id]?.phase = .open
        if has(.tokenEchoed) { connections[id]?.token = token }
        connections[id]?.admit(principal)
        mailboxes[principal.user.lowercased()] = id
        let name = connectionName(principal.user)
        connections[id]?.name = name
        setExpiry(id)
        greet(id, at: now, &effects)
        if let thread = message["thread_id"]?.string, claim(thread, by: principal.user) != .own {
            let refusal = Refusal(.authentication, "the thread is not one of yours")
            refuse(refusal, message, on: id, at: now, &effects)
        }
    }

    /// A credential in a message that is no good: the connection is closed, or with B15 forgotten.
    private mutating func reject(
        _ token: String, on id: BackendConnectionID, at now: Instant, _ effects: inout [BackendEffect]
    ) {
        guard has(.badTokenSilence) else { return close(id, 4401, "no valid credential", at: now, &effects) }
        dropRuns(of: id)
        connections[id]?.phase = .silent
        let subject = Principal.claimed(in: token)
        mark(.badTokenSilence, .reached, on: id, user: subject, type: "auth", &effects)
        mark(.badTokenSilence, .triggered, on: id, user: subject, type: "auth", &effects)
    }

    /// A newer token for a connection that has one: the same user goes on with it, anybody else is shown out.
    mutating func renew(
        _ token: String, on id: BackendConnectionID, at now: Instant, _ effects: inout [BackendEffect]
    ) {
        guard let principal = Principal(token: token, key: configuration.key, now: second(at: now)) else {
            return reject(token, on: id, at: now, &effects)
        }
        guard identical(principal.user, connections[id]?.user ?? "") else {
            return close(id, 4403, "the token is another user's", at: now, &effects)
        }
        connections[id]?.expires = principal.expires
        setExpiry(id)
    }

    // Names

    mutating func nextNumber() -> UInt64 {
        counter += 1
        return counter
    }

    /// Eight hexadecimal digits that look arbitrary and are fixed by the seed.
    func tail(_ number: UInt64) -> String {
        var dice = Dice(
            DiceKey(seed: configuration.seed, profile: "backend", user: "", connection: number), direction: nil,
            message: 0, fault: "id")
        let digits = String(dice.next() >> 32, radix: 16)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    private static func breaksLines(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    private mutating func connectionName(_ user: String) -> String {
        let number = nextNumber()
        // A name is whatever a token says; an id stays on one line.
        let name = String(String.UnicodeScalarView(user.unicodeScalars.map { Self.breaksLines($0) ? "-" : $0 }))
        return "ws_\(name.isEmpty ? "nobody" : name)_\(number)_\(tail(number))"
    }
}

extension Connection {
    fileprivate mutating func admit(_ principal: Principal) {
        user = principal.user
        expires = principal.expires
        owesGreeting = true
    }
}
