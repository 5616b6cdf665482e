import Journaling
import NIOCore
import Wire

/// Where a client wants to go on: `/ws?cursor=7`, or `/ws?cursor=7&thread=thread_chat_…` when it says in which thread.
struct ResumeWish: Sendable {
    /// The number of the last event that it has; nil when what it gave is no number.
    var cursor: Int?
    var thread: String?

    /// Nil when the request asks for nothing.
    init?(_ head: RequestHead) {
        guard let text = head.queryItems("cursor").first?.value else { return nil }
        cursor = Int(text).flatMap { $0 >= 0 ? $0 : nil }
        thread = head.queryItems("thread").first.map(\.value)
    }
}

/// `/threads/{thread}/events`
enum HistoryRequest {
    static func thread(in path: String) -> String? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0].isEmpty, parts[1] == "threads", parts[3] == "events", !parts[2].isEmpty else {
            return nil
        }
        return String(parts[2])
    }
}

/// What was said before: the history of a thread, and what a client that comes back has missed.
extension BackendMachine {
    /// The answer to `GET /threads/{thread}/events`. Who has no valid credential learns nothing, and threads of others are
    /// not there.
    func history(of thread: String, _ head: RequestHead, at now: Instant) -> String {
        guard let token = Credential.find(in: head)?.token,
            let principal = Principal(token: token, key: configuration.key, now: second(at: now))
        else { return Upgrade.page(401, "no valid credential") }
        guard let known = threads[thread], identical(known.owner, principal.user) else {
            return Upgrade.page(404, "there is no such thread of yours")
        }
        guard head.method == "GET" || head.method == "HEAD" else {
            return Upgrade.page(405, "a history is read with GET", fields: ["Allow: GET, HEAD"])
        }
        let first = known.events.first?.sequence ?? known.lastSequence + 1
        var body = JSON.object([
            .init(key: "thread_id", value: .string(thread)), .init(key: "first_seq", value: .number("\(first)")),
        ]).text
        // What was said stands there byte for byte.
        body.removeLast()
        body += #","events":["# + known.events.map { String(buffer: $0.bytes) }.joined(separator: ",") + "]}"
        return Upgrade.text(200, body: body, withBody: head.method == "GET")
    }

    /// What came behind the cursor, right behind the greeting, and from then on what the user's runs still say. Where not
    /// all of it can be told, `history_truncated` says so first.
    mutating func resume(_ id: BackendConnectionID, at now: Instant, _ effects: inout [BackendEffect]) {
        guard let connection = connections[id], connection.isOpen, let wish = connection.resume else { return }
        connections[id]?.resume = nil
        sayWhatWaits(for: connection.user, at: now, &effects)
        let mine = threads.threads(of: connection.user)
        let chosen = thread(wish, among: mine)
        for thread in mine where thread != chosen && threads[thread]?.isTorn == true {
            truncated(thread, wish, on: id, at: now, &effects)
            threads.heal(thread)
        }
        if let chosen, let cursor = wish.cursor {
            replay(chosen, behind: cursor, wish, on: id, at: now, &effects)
            threads.heal(chosen)
        } else {
            truncated(nil, wish, on: id, at: now, &effects)
        }
        takeOver(chosen, id, of: connection.user)
    }

    /// Runs of that thread, and those that nobody listens to, go on here: an old connection may only look alive.
    private mutating func takeOver(_ thread: String?, _ id: BackendConnectionID, of user: String) {
        let taken = runs.values.filter { run in
            identical(run.user, user) && run.listener != id && (run.listener == nil || run.thread == thread)
        }
        for run in taken.sorted(by: { $0.number < $1.number }) {
            if let old = run.listener { connections[old]?.runs.removeAll { $0 == run.id } }
            runs[run.id]?.listener = id
            connections[id]?.runs.append(run.id)
        }
    }

    /// The thread that the cursor is of: the one that is named, or the latest that has come so far.
    private func thread(_ wish: ResumeWish, among mine: [String]) -> String? {
        guard let cursor = wish.cursor else { return nil }
        let candidates = mine.filter { (threads[$0]?.lastSequence ?? 0) >= cursor }
        guard let named = wish.thread else { return candidates.last }
        return candidates.last { $0 == named }
    }

    private mutating func replay(
        _ thread: String, behind cursor: Int, _ wish: ResumeWish, on id: BackendConnectionID, at now: Instant,
        _ effects: inout [BackendEffect]
    ) {
        guard let known = threads[thread] else { return }
        let window = Array(known.window)
        let first = window.first?.sequence ?? known.lastSequence + 1
        var start = cursor
        if has(.resumeOffByOne) {
            note(.resumeOffByOne, .reached, window.first, on: id, &effects)
            // Who is behind the oldest event of the buffer, or just before it, gets what is behind that, and no word of it.
            if first > 1, cursor < first {
                start = first
                note(.resumeOffByOne, .triggered, window.first, on: id, &effects)
            }
        } else if cursor + 1 < first {
            truncated(thread, wish, on: id, at: now, &effects)
        }
        let missed = window.filter { $0.sequence > start }
        for event in missed { send(Frame(opcode: .text, payload: event.bytes), to: id, &effects) }
        if has(.duplicateAfterReconnect), let unheard = known.unheard {
            let again = missed.filter { $0.sequence >= unheard }
            note(.duplicateAfterReconnect, .reached, again.first, on: id, &effects)
            if let event = again.first { note(.duplicateAfterReconnect, .triggered, event, on: id, &effects) }
            for event in again { send(Frame(opcode: .text, payload: event.bytes), to: id, &effects) }
        }
    }

    private mutating func note(
        _ bug: BackendBug, _ stage: BackendMark.Stage, _ event: ConversationThread.Event?, on id: BackendConnectionID,
        _ effects: inout [BackendEffect]
    ) {
        let event = event.flatMap { JSON.decode($0.bytes).value }
        mark(
            bug, stage, on: id, user: connections[id]?.user, request: event?.given("request_id"),
            type: event?["type"]?.string ?? "history_truncated", &effects)
    }

    private mutating func truncated(
        _ thread: String?, _ wish: ResumeWish, on id: BackendConnectionID, at now: Instant,
        _ effects: inout [BackendEffect]
    ) {
        let first = thread.flatMap { threads[$0]?.window.first?.sequence }
        let user = connections[id]?.user ?? ""
        say(events.truncated(user: user, thread: thread, cursor: wish.cursor, first: first, at: now), to: id, &effects)
    }
}
