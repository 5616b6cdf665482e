package import Journaling
import Wire

/// Everybody comes back at the same time, again and again, as after the restart of a load balancer.
package struct ReconnectStorm: Fault {
    package static let name = "reconnect-storm"
    package static let group = FaultGroup.session
    package static let summary = "cuts everybody's connections, again and again"
    package static let excuse = "E1, E2 of what was open there"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter(
            "from", .choice(["cut", "proxy"]), default: "cut",
            doc: """
                `cut`: the first message that is selected begins it for all connections that the rule concerns, those that come \
                meanwhile too; `proxy`: beside this connection miswire connects with its credential and leaves
                """),
        Parameter("times", .count, default: "3", range: 1...100, doc: "how often, 1 to 100; `proxy`: 1 to 16"),
        Parameter("every", .duration, default: "500ms", doc: "time from one to the next, up to 60s"),
        Parameter(
            "style", .choice(["reset", "half", "close"]), default: "reset",
            doc: "for `cut`: RST, FIN without a Close frame, or a Close"),
        Parameter("code", .count, default: "1012", range: 1_000...4_999, doc: "for `close`: the code that clients get, 1000 to 4999 (RFC 6455 section 7.4)"),
        Parameter("stay", .duration, default: "50ms", doc: "for `proxy`: how long it stays once it is accepted, up to 60s"),
    ]

    private let isOurs: Bool
    private let stay: Duration
    private let storm: Storm

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        isOurs = reader.text("from") == "proxy"
        let times = reader.count("times") ?? 3
        if isOurs, times > Visits.most {
            throw SettingsError(parameter: "times", needs: "a number", expected: "1 to \(Visits.most) from `proxy`", found: "\(times)")
        }
        let every = try reader.duration("every", most: .seconds(60)) ?? .zero
        stay = try reader.duration("stay", most: .seconds(60)) ?? .zero
        let code = UInt16(clamping: reader.count("code") ?? 1_012)
        if !CloseBody.mayBeSent(code) {
            throw SettingsError(parameter: "code", needs: "a close code", expected: "one that may be sent, such as 1012", found: "\(code)")
        }
        let style: Storm.Style =
            switch reader.text("style") {
            case "half": .half
            case "close": .close(code)
            default: .reset
            }
        storm = Storm(times: times, every: every, style: style)
    }

    package var joins: [Joining] { isOurs ? [.visits] : [.storms] }
    package var influence: Influence {
        isOurs ? Influence(.connection, []) : Influence(.openOperations, [.ending, .completion, .delivery])
    }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message = parcel, !scene.isStorming else { return .pass }
        let current = Effect.forward(parcel, at: nil)
        guard isOurs else {
            return .effects([current, .storm(storm)], detail: "begins a storm: \(storm.times) cuts, \(storm.every.milliseconds) apart")
        }
        let visits = (0..<storm.times).map { Effect.connect(ConnectRequest(after: storm.every * $0, hold: stay)) }
        return .effects([current] + visits, detail: "")
    }
}
