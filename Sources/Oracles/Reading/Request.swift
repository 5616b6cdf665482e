import Contracts
import Journaling
import Wire

typealias Request = Cell<RequestState>

/// A message of the client as the server received it, until its outcome (contract.md, semantics 5).
struct RequestState: Sendable {
    enum Waits: Sendable, Equatable {
        /// Must-reject: an error, a close or its deadline, by this rule of `reject`.
        case refusal(rule: Int, isStateful: Bool)
        /// The first event of the run with this number.
        case start(run: UInt64)
        case answer([String])
        /// Nothing is owed; an error may still be its.
        case nothing
    }

    /// In the order of Sout, from 1: its age.
    let number: UInt64
    let session: SessionID
    var user: Principal
    let entry: Entry
    let at: Instant
    let recognition: Recognition
    var waits: Waits
    var pending: Pending?
    /// Values at the contract's link paths and at the context fields of errors.
    let links: [JSON?]
    let context: [JSON?]
    /// Values at link paths that it is not asked to have: a server may repeat them in an error all the same.
    var extras: [JSON?] = []
    /// A link to it was not unique: it never yields a finding any more (semantics 7).
    var isIndeterminate = false
    /// Unchanged from a flow of the contract on a ready connection: must-accept.
    var isFromFlow = false
    /// Faults that made it what it is.
    var faults: [String] = []
    /// The rule by which it may be refused, if what it names is another user's, of whom the journal holds nothing.
    var mayBeRefusedBy: Int?
    /// The rule that held when it was asked and lets it be accepted, or answered with a Close, as the server likes.
    var grantedBy: Int?
    /// Bytes it keeps alive.
    let size: Int

    /// It is no plain message of the contract: a server may well refuse it.
    var isOdd: Bool { !faults.isEmpty || recognition.tolerated || recognition.outcome != .valid }

    var isRefusal: Bool { if case .refusal = waits { true } else { false } }
    /// Not inlined: the optimizer of Swift 6.3.1 ends a release build where it is ("Found outside of lifetime use").
    @inline(never) var rule: Int? { if case .refusal(let rule, _) = waits { rule } else { nil } }

    /// For the fingerprint.
    var type: String {
        switch recognition.outcome {
        case .malformed: "<malformed>"
        case .unknown: "<unknown>"
        default: recognition.name ?? recognition.type ?? "<unknown>"
        }
    }
    var phrase: String {
        switch recognition.outcome {
        case .malformed: "malformed JSON"
        case .unknown: recognition.type.map { "an unknown \(Terminal.plain($0))" } ?? "an unknown message"
        case .invalid: "an invalid \(recognition.name ?? "message")"
        default: recognition.name ?? "a message"
        }
    }
    func card(_ line: Line) -> RequestCard {
        RequestCard(number: number, user: user.label, phrase: phrase, type: type, at: at, line: line)
    }
}

/// Foreign text inside one of our sentences: short, on one line, no control characters.
enum Terminal {
    static func plain(_ text: String, limit: Int = 64) -> String {
        if text.utf8.count <= limit, text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) { return text }
        var plain = ""
        for scalar in text.unicodeScalars.prefix(limit) {
            let isPrintable = scalar.properties.generalCategory != .control
                && scalar.properties.generalCategory != .format && scalar.value != 0x2028 && scalar.value != 0x2029
            plain.unicodeScalars.append(isPrintable ? scalar : "\u{fffd}")
        }
        return text.unicodeScalars.count > limit ? plain + "…" : plain
    }
}

typealias Run = Cell<RunState>

/// One instance of a run of the contract (semantics 9).
struct RunState: Sendable {
    let number: UInt64
    /// Index into `contract.runs`.
    let rule: Int
    /// Nil until its first event names it.
    var key: RunKey?
    /// The key that its request bears: the server may take it, or another.
    var wished: String?
    var owner: Principal
    var session: SessionID
    let request: UInt64?
    /// Index into the rule's states.
    var state: Int = 0
    var pending: Pending?
    /// What it is known by beside its key, by link path.
    var links: [JSON?]
    /// Its request and its latest events, for evidence.
    private var trail: Trail
    var isIndeterminate = false
    var parts = PartBook()
    /// Its obligation is settled: no further verdict about its end.
    var isSettled = false
    /// The request that asked for it, when that must be refused by an error inside of it (`inside` of a rule).
    var inside: Request?
    /// What became of it, as far as it was settled.
    var end: RunEnd?

    /// An event of it: kept as evidence, and for the names that it bears.
    /// - Returns: what it is an instance of, and the state that it is in.
    mutating func hear(_ event: Event) -> (rule: Int, state: Int) {
        note(event.entry)
        for index in links.indices where links[index] == nil { links[index] = event.link(index) }
        return (rule, state)
    }

    mutating func note(_ entry: Entry) { trail.note(entry) }

    var entries: [Entry] { trail.entries }
    var firstEntry: Entry? { trail.first }
    var lastEntry: Entry? { trail.last }
}

extension RunState {
    /// - Parameter entry: its request.
    init(
        number: UInt64, rule: Int, key: RunKey?, owner: Principal, session: SessionID, request: UInt64?, links: [JSON?], entry: Entry?
    ) {
        self.init(
            number: number, rule: rule, key: key, owner: owner, session: session, request: request, links: links,
            trail: Trail(entry))
    }
}

/// The first two entries of something and its last three.
struct Trail: Sendable {
    private var kept: [Entry]
    /// The place of the oldest of the last, once there are five.
    private var oldest = 2

    init(_ first: Entry?) { kept = first.map { [$0] } ?? [] }

    mutating func note(_ entry: Entry) {
        guard kept.count >= 5 else { return kept.append(entry) }
        kept[oldest] = entry
        oldest = oldest < 4 ? oldest + 1 : 2
    }

    var first: Entry? { kept.first }
    var last: Entry? { kept.count < 5 || oldest == 2 ? kept.last : kept[oldest - 1] }
    /// In their order.
    var entries: [Entry] { kept.count < 5 ? kept : Array(kept[..<2] + kept[oldest...] + kept[2..<oldest]) }
}

struct RunKey: Sendable, Hashable {
    var rule: Int
    /// Nil when keys are unique for all.
    var session: SessionID?
    var text: String
}

/// What remains of a run that is over.
struct Tomb: Sendable {
    var number: UInt64
    var owner: Principal
    /// True: it reached `done`. False: its connection went, or it was forgotten: later events prove nothing.
    var isDone: Bool
    /// The connection of the event that ended it.
    var endedOn: SessionID?
}

/// The events that ended runs, for evidence, each until a run ends that began so many later: they keep their bytes alive.
struct LastWords: Sendable {
    private static var most: UInt64 { 16_384 }
    /// By the last bits of a run's number.
    private var entries: [(run: UInt64, entry: Entry)?] = []

    subscript(run: UInt64) -> Entry? {
        let place = Int(run % Self.most)
        guard place < entries.count, let last = entries[place], last.run == run else { return nil }
        return last.entry
    }

    mutating func set(_ entry: Entry, of run: UInt64) {
        let place = Int(run % Self.most)
        while entries.count <= place { entries.append(nil) }
        entries[place] = (run, entry)
    }
}

/// An event that belongs to nobody here: perhaps another user's (semantics 7).
struct Leftover: Sendable {
    var entry: Entry
    var session: SessionID
    var user: Principal
    /// The user it says it is for, when that is another.
    var owner: String?
    var kind: String?
    var links: [JSON?]
    var at: Instant
}
