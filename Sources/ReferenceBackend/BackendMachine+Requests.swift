import Journaling
import NIOCore
import Wire

/// What authenticated users ask for.
extension BackendMachine {
    mutating func read(
        _ bytes: ByteBuffer, on id: BackendConnectionID, at now: Instant, _ effects: inout [BackendEffect]
    ) {
        greet(id, at: now, &effects)
        guard let message = JSON.decode(bytes).value else { return swallowOrRefuse(on: id, at: now, &effects) }
        guard let user = connections[id]?.user else { return }
        do throws(Refusal) {
            let rules = RequestRules(
                user: user, claim: message.text("thread_id").map { claim($0, by: user) },
                lacksUserCheck: has(.successWithoutUser), lacksThreadCheck: has(.foreignThreadAccepted),
                servesRooms: plays(.sharedRoom))
            switch try rules.read(message) {
            case .start(let start): try begin(start, message, on: id, at: now, &effects)
            case .cancel(let run): try cancel(run, on: id, at: now, &effects)
            case .room(let ask): try serve(ask, message, on: id, at: now, &effects)
            case .auth(let token): renew(token, on: id, at: now, &effects)
            }
        } catch {
            refuse(error, message, on: id, at: now, &effects)
        }
    }

    private mutating func swallowOrRefuse(
        on id: BackendConnectionID, at now: Instant, _ effects: inout [BackendEffect]
    ) {
        let user = connections[id]?.user
        if has(.malformedSwallowed) {
            mark(.malformedSwallowed, .reached, on: id, user: user, type: "error", &effects)
            mark(.malformedSwallowed, .triggered, on: id, user: user, type: "error", &effects)
            return
        }
        refuse(Refusal(.messageProcessing, "the message is not JSON"), nil, on: id, at: now, &effects)
    }

    func claim(_ thread: String, by user: String) -> ThreadClaim {
        guard let known = threads[thread] else { return .unknown }
        return identical(known.owner, user) ? .own : .foreign
    }

    /// Answers a request with an error, to the connection that sent it and to nobody else.
    mutating func refuse(
        _ refusal: Refusal, _ request: JSON?, on id: BackendConnectionID, at now: Instant,
        _ effects: inout [BackendEffect]
    ) {
        guard let connection = connections[id] else { return }
        let user: String? = connection.user.isEmpty ? nil : connection.user
        let asked = request?.given("request_id")
        if has(.bareError) {
            mark(.bareError, .reached, on: id, user: user, request: asked, type: "error", &effects)
            mark(.bareError, .triggered, on: id, user: user, request: asked, type: "error", &effects)
        }
        var refusal = refusal
        if has(.tokenEchoed), refusal.kind == .authentication, !connection.token.isEmpty {
            mark(.tokenEchoed, .reached, on: id, user: user, request: asked, type: "error", &effects)
            mark(.tokenEchoed, .triggered, on: id, user: user, request: asked, type: "error", &effects)
            refusal.text += ": token \(connection.token)"
        }
        let error = events.error(refusal, request: request, user: user, bare: has(.bareError), at: now)
        var receiver = id
        if has(.errorToLastConnected), let last = lastConnected {
            mark(.errorToLastConnected, .reached, on: id, user: user, request: asked, type: "error", &effects)
            if !identical(connections[last]?.user ?? "", connection.user) {
                mark(.errorToLastConnected, .triggered, on: id, user: user, request: asked, type: "error", &effects)
            }
            receiver = last
            greet(last, at: now, &effects)
        }
        if has(.lateError) {
            mark(.lateError, .reached, on: id, user: user, request: asked, type: "error", &effects)
            mark(.lateError, .triggered, on: id, user: user, request: asked, type: "error", &effects)
            return timers.set(.lateError(receiver, error), at: now.advanced(by: .seconds(3)))
        }
        say(error, to: receiver, &effects)
    }

    /// Of the connections that are open, the one upgraded last.
    private var lastConnected: BackendConnectionID? {
        connections.filter { $0.value.isOpen }.max { $0.value.ordinal < $1.value.ordinal }?.key
    }
}
