/// Numbered events of random journals.
extension RandomJournal.Teller {
    /// Mostly in order and once; and now and then a user leaves and comes back with a cursor.
    mutating func count() {
        guard let (session, user) = pick(live) else { return }
        let last = numbers[user] ?? 0
        if last > 2, below(4) == 0 { return comeBack(user, last) }
        let step = [1, 1, 1, 1, 1, 1, 0, 2][Int(clamping: below(8))]
        say(last + step, user, on: session)
    }

    private mutating func comeBack(_ user: String, _ last: Int) {
        for known in live where known.user == user { story.leave(known.session, at: at) }
        live.removeAll { $0.user == user }
        at += 1
        let session = next + 1
        next = session
        story.resume(session, user, "\(last - 1)", at: at)
        live.append((session, user))
        switch below(4) {
        case 0: story.truncated(session, user, thread: "n\(user)", at: at)
        case 1: say(last, user, on: session)
        case 2: say(last + 1, user, on: session)
        default: break
        }
    }

    private mutating func say(_ number: Int, _ user: String, on session: Int) {
        numbers[user] = max(number, numbers[user] ?? 0)
        let text = #"{"type":"agent_thinking","user_id":"\#(user)","thread_id":"n\#(user)","seq":\#(number)}"#
        story.event(session, text, at: at)
    }
}
