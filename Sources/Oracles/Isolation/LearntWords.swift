import Journaling
import NIOCore
import Wire

/// Where nobody sends canaries, as in staging, words that look drawn by dice stand for them: who said one first, and whom the
/// server told it. It proves nothing, since a server may know them from elsewhere and users may share on ways that no
/// contract names: what remains at the end, said by one user alone and told to one other alone, is suspected. Bounded; what
/// is forgotten is nobody's.
struct LearntWords: Sendable {
    private struct Word: Sendable {
        var user: Principal
        /// Others said it too, or heard it before, or several were told.
        var isPublic = false
    }
    struct Suspicion: Sendable {
        var word: String
        var owner: Principal
        var user: Principal
        var type: String
        var at: Instant
    }
    /// A server that tells one user's words to others so often does so by design.
    private static let habit = 4
    private static let mostSuspicions = 64

    private var words: Fading<String, Word>
    private var heard: Fading<String, Bool>
    private var suspicions: [Suspicion] = []
    private var isOff = false

    init(capacity: Int) {
        words = Fading(capacity: capacity)
        heard = Fading(capacity: capacity)
    }

    var isOn: Bool { !isOff }
    /// Whether an event can hold anything that was learnt.
    var isEmpty: Bool { words.count == 0 }

    /// There are canaries: they tell for certain.
    mutating func turnOff() {
        guard !isOff else { return }
        self = LearntWords(capacity: 1)
        isOff = true
    }

    /// - Parameter isOwn: false: a fault of ours had it in hand, so that it is nobody's.
    mutating func said(_ found: [String], by user: Principal, isOwn: Bool) {
        for text in found {
            if var word = words[text] {
                if word.user != user || !isOwn { word.isPublic = true }
                words.set(text, word)
            } else {
                words.set(text, Word(user: user, isPublic: !isOwn || heard[text] != nil))
            }
        }
    }

    mutating func told(_ found: [String], to user: Principal, isShared: Bool, type: String, at: Instant, _ aliases: Aliases) {
        for text in found {
            guard var word = words[text] else {
                heard.set(text, true)
                continue
            }
            guard !word.isPublic, aliases(word.user) != user else { continue }
            if let before = suspicions.first(where: { $0.word == text }) {
                if before.user == user { continue }
                word.isPublic = true
            } else if isShared || suspicions.count >= Self.mostSuspicions {
                word.isPublic = true
            } else {
                suspicions.append(Suspicion(word: text, owner: aliases(word.user), user: user, type: type, at: at))
            }
            words.set(text, word)
        }
    }

    /// What nothing has explained, in order, and the types by which words of users reach others as a matter of course.
    func left(_ aliases: Aliases) -> (suspicions: [Suspicion], habits: [String]) {
        let open = suspicions.filter { suspicion in
            guard let word = words[suspicion.word], !word.isPublic else { return false }
            return aliases(word.user) != aliases(suspicion.user)
        }
        var habits: [String] = []
        for suspicion in suspicions where !habits.contains(suspicion.type) {
            if suspicions.count(where: { $0.type == suspicion.type }) >= Self.habit { habits.append(suspicion.type) }
        }
        return (open.filter { !habits.contains($0.type) }, habits)
    }

    // MARK: Words

    private static let least = 16
    private static let most = 128

    /// Every word in the strings of a message that looks drawn by dice: at least 16 letters and digits, mixed.
    static func all(in value: JSON) -> [String] {
        var found: [String] = []
        var open = [value]
        while let next = open.popLast() {
            switch next {
            case .string(let text): add(text, to: &found)
            case .array(let elements): open += elements
            case .object(let members): open += members.map(\.value)
            case .null, .bool, .number: break
            }
        }
        return found
    }

    static func all(in text: String) -> [String] {
        var found: [String] = []
        add(text, to: &found)
        return found
    }

    private static func add(_ text: String, to found: inout [String]) {
        guard text.utf8.count >= least else { return }
        let bytes = Array(text.utf8)
        var start = 0
        for index in 0...bytes.count where index == bytes.count || kind(bytes[index]) == 0 {
            if index - start >= least, index - start <= most, isDrawn(bytes[start..<index]) {
                found.append(String(decoding: bytes[start..<index], as: UTF8.self))
            }
            start = index + 1
        }
    }

    /// 0: no part of a word; digits, capitals, small letters, marks.
    private static func kind(_ byte: UInt8) -> Int {
        switch byte {
        case 0x30...0x39: 1
        case 0x41...0x5a: 2
        case 0x61...0x7a: 3
        case 0x2d, 0x5f, 0x2b, 0x2f: 4
        default: 0
        }
    }

    /// Digits and letters change places more often than in names, dates and versions.
    private static func isDrawn(_ word: ArraySlice<UInt8>) -> Bool {
        var (last, changes) = (0, 0)
        for kind in word.lazy.map(kind) where kind < 4 {
            if last > 0, kind != last { changes += 1 }
            last = kind
        }
        return changes >= 6 && Set(word).count >= 8
    }
}
