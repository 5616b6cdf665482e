import Contracts
import Journaling
import NIOCore
import Plans
import Wire

/// One connection of a user while a plan is played.
struct Line: Sendable {
    enum Phase: Sendable, Equatable {
        case dialling
        /// The upgrade request is out.
        case asked
        case accepted
        case refused(Int)
        case unreachable(String)
    }
    /// A message that came, or a Close.
    struct Arrival: Sendable {
        /// The event's declared name and its type value.
        var names: [String]
        var at: Instant
    }
    /// More is counted and not kept: a flood costs no memory.
    static let mostArrivals = 100_000

    let id: Int
    let user: String
    let name: String?
    var client: ClientMachine
    var phase = Phase.dialling
    var arrivals: [Arrival] = []
    /// Arrivals before this one were taken by an earlier `until`.
    var cursor = 0
    var closeCode: UInt16??
    var broken: String?
    var ended: EndStyle?
    /// `cut silent`: nothing is read or written any more.
    var isSilent = false
    var isPaused = false
    /// Our side is ended.
    var isFinished = false
    var answeredAt: Instant?

    init(id: Int, user: String, name: String?, client: ClientMachine) {
        self.id = id
        self.user = user
        self.name = name
        self.client = client
    }

    /// Nothing more will come.
    var isOver: Bool {
        if case .unreachable = phase { return true }
        if case .refused = phase { return true }
        return ended != nil || closeCode != nil || broken != nil
    }

    /// The transport is there or awaited. One that was reset while it was dialled is not: nobody tells of it again.
    var isAlive: Bool {
        switch phase {
        case .unreachable: false
        case .dialling, .asked, .accepted, .refused: ended == nil
        }
    }

    /// Why nothing can be done here, for people: `refused with 401`.
    var trouble: String? {
        switch phase {
        case .refused(let status): return "refused with \(status)"
        case .unreachable(let reason): return reason
        default: break
        }
        if let broken { return broken }
        if let closeCode { return closeCode.map { "closed with \($0)" } ?? "closed without a code" }
        switch ended {
        case .finish: return "the server ended the connection"
        case .reset: return "the connection was reset"
        case nil: return nil
        }
    }

    /// Whether something that is no message has happened; nil for names of messages. Of `error|closed` either will do.
    func state(_ name: String) -> Bool? {
        if name.contains("|") {
            let states = name.split(separator: "|").map { state(String($0)) }
            return states.contains(true) ? true : states.contains(nil) ? nil : false
        }
        return switch name {
        case "open": phase == .accepted
        case "refused": if case .refused = phase { true } else { false }
        case "answered": phase != .dialling && phase != .asked || broken != nil
        case "closed": closeCode != nil || ended != nil && phase == .accepted
        case "ended": isOver
        default: nil
        }
    }

    /// It cannot happen any more.
    func isMissed(_ name: String) -> Bool {
        if name.contains("|") { return name.split(separator: "|").allSatisfy { isMissed(String($0)) } }
        return switch name {
        case "refused": phase == .accepted || isOver && state(name) == false
        case "answered", "ended": false
        case "open": isOver && phase != .accepted
        default: isOver
        }
    }
}
