import Wire

/// Which value now stands for which recorded one, one to one: ids that a server made, and what clients make up anew.
struct Rebinding: Sendable {
    /// Values of different spaces may be equal and mean different things: a call's number of each run.
    struct Key: Hashable {
        var space: String
        var value: JSON
    }
    private var forth: [Key: JSON] = [:]
    private var back: [Key: JSON] = [:]
    private var names: [Key: String] = [:]
    private var counts: [String: Int] = [:]
    /// Texts inside of others: recorded, now.
    private var words: [String: String] = [:]
    /// Whole texts of clients, as they may stand inside of what a server says.
    private var phrases: [(old: String, new: String)] = []
    private static let most = 200_000
    private static let mostPhrases = 1_000

    init() {}

    /// True when it is so already or can be from now on; false when either side stands for another value.
    mutating func bind(_ recorded: JSON, _ now: JSON, as name: String, in space: String = "") -> Bool {
        let (key, counter) = (Key(space: space, value: recorded), Key(space: space, value: now))
        if let known = forth[key] { return known.isSame(as: now) }
        if let known = back[counter] { return known.isSame(as: recorded) }
        guard forth.count < Self.most else { return true }
        forth[key] = now
        back[counter] = recorded
        let number = (counts[name] ?? 0) + 1
        counts[name] = number
        names[key] = "$\(name)\(number)"
        names[counter] = "$\(name)\(number)"
        if recorded != now, let old = recorded.string, let new = now.string, old.utf8.count >= 3 { words[old] = new }
        return true
    }

    /// What a client said then and says now, in one place: whole values, and words of texts.
    mutating func learn(_ recorded: JSON, _ now: JSON, as name: String) {
        guard recorded != now else { return }
        guard let old = recorded.string, let new = now.string else {
            if case .number = recorded, case .number = now { _ = bind(recorded, now, as: name) }
            return
        }
        if old.utf8.count >= 4, phrases.count < Self.mostPhrases, !phrases.contains(where: { $0.old == old }) {
            phrases.append((old, new))
        }
        let (before, after) = (ValueShape.words(old), ValueShape.words(new))
        if before.count == 1 || before.count != after.count {
            _ = bind(recorded, now, as: name)
        } else {
            for (left, right) in zip(before, after) where left.isWord && left.text != right.text && words[left.text] == nil {
                // A plain word proves nothing.
                if LiftLeaf.isTelling(.string(left.text)) { words[left.text] = right.text }
            }
        }
    }

    func now(for recorded: JSON, in space: String = "") -> JSON? { forth[Key(space: space, value: recorded)] }
    func now(for word: String) -> String? { words[word] }

    /// A recorded text as it is to be said now: whatever a client says otherwise now is said so.
    func rewritten(_ text: String) -> String {
        let whole = renewed(text)
        guard whole == text || !phrases.isEmpty else { return whole }
        // Longest first: a shorter one may stand inside of it.
        for phrase in phrases.sorted(by: { $0.old.utf8.count > $1.old.utf8.count }) where text.contains(phrase.old) {
            return renewed(text.replacing(phrase.old, with: phrase.new))
        }
        return whole
    }
    /// `$run1`
    func name(of value: JSON, in space: String = "") -> String? { names[Key(space: space, value: value)] }

    /// A recorded text with every word replaced that another stands for now.
    func renewed(_ text: String) -> String {
        if let whole = forth[Key(space: "", value: .string(text))]?.string { return whole }
        guard !words.isEmpty else { return text }
        return ValueShape.words(text).reduce(into: "") { $0 += $1.isWord ? words[$1.text] ?? $1.text : $1.text }
    }
}
