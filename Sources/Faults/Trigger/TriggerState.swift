import Contracts
import Journaling
import NIOCore
import Wire

/// Who, when and how often: decides for one session which rules act on a parcel. Everything it answers is a function
/// of (seed, profile, user and connection ordinal, direction, message ordinal, fault id) and of what the session saw.
struct TriggerState: Sendable {
    private(set) var rules: [ArmedRule]
    private let seed: UInt64
    private var name: String
    private var diceName: String
    private let enrolment: Enrolment
    private(set) var key: DiceKey
    private var arrival: UInt64 = 0
    private var connection: UInt64 = 0
    /// Known at the upgrade, where the dice's label is fixed for good.
    private var label: String?
    /// Whom rules and scope are asked about: the label, or who the messages say it is.
    private var user: String?
    private var path: String?
    private var opened = Instant.zero
    /// Times that faults acted here, by the name of the scope whose budget it is.
    private var acted: [String: Int] = [:]
    private var runs: RunWatch?
    /// Messages may say who the user is, and so many were asked.
    private let mayLearn: Bool
    private var asked = 0
    /// Who has not said it by then is nobody.
    private static let mostAsked = 64
    private(set) var isOff = false

    init(_ configuration: SessionConfiguration) {
        rules = configuration.armed
        seed = configuration.seed
        name = configuration.profile?.name ?? ""
        diceName = configuration.diceName
        enrolment = configuration.enrolment
        mayLearn = configuration.finder.learnsUsers
        key = DiceKey(seed: seed, profile: diceName, user: "", connection: 0)
        if rules.contains(where: \.countsRuns), let contract = configuration.contract {
            runs = RunWatch(contract)
        }
    }

    // MARK: What the session learns

    mutating func accepted(at now: Instant) {
        arrival = enrolment.arrive(at: now)
        opened = now
        connection = arrival
        meet()
    }

    /// The request head is read: the label is fixed here for good.
    mutating func upgraded(user: String?, path: String) {
        connection = user.map { enrolment.upgrade(user: $0, arrival: arrival) } ?? arrival
        label = user
        self.user = user
        self.path = path
        meet()
    }

    /// Whom the session concerns is known, or the rules are others.
    private mutating func meet() {
        guard !rules.isEmpty else { return }
        key = DiceKey(seed: seed, profile: diceName, user: label ?? "", connection: connection)
        for index in rules.indices {
            rules[index].concerned = isInScope(rules[index].scope) && concerns(rules[index].rule)
        }
    }

    /// Other rules hold from now on. Those that stay keep what they know, their dice and their place in the budget.
    /// - Returns: faults that may have acted here and do so no more, or otherwise.
    mutating func adopt(_ configuration: SessionConfiguration) -> [String] {
        let before = isOff ? [] : rules
        if name != configuration.profile?.name ?? "" { acted = [:] }
        name = configuration.profile?.name ?? ""
        diceName = configuration.diceName
        rules = configuration.armed
        isOff = false
        for index in rules.indices {
            if let old = before.first(where: { $0.rule.id == rules[index].rule.id }) { rules[index].succeed(old) }
        }
        meet()
        if runs == nil, rules.contains(where: \.countsRuns), let contract = configuration.contract {
            runs = RunWatch(contract)
        }
        return before.filter { old in
            !rules.contains { $0.actsLike(old) && ($0.concerned || !old.concerned) }
        }.map(\.rule.id)
    }

    /// Who the user is stands in a message of the client, perhaps in the next one, and some rule or scope asks for it.
    var awaitsUser: Bool {
        mayLearn && user == nil && asked < Self.mostAsked && path != nil && !isOff
            && rules.contains { $0.rule.when.user != nil || !$0.scope.users.isEmpty }
    }

    /// A message says whose session it is, or not. The dice's label stays what it was at the upgrade, so that no decision
    /// depends on when it was said; rules and scopes that name users hold from this message on.
    /// - Returns: faults that may have acted here and do so no more.
    mutating func learn(_ name: String?) -> [String] {
        asked += 1
        guard let name else { return [] }
        let before = rules.filter(\.concerned).map(\.rule.id)
        user = name
        meet()
        return before.filter { id in rules.contains { $0.rule.id == id && !$0.concerned } }
    }

    /// Kill switch.
    /// - Returns: faults that may have acted here.
    mutating func turnOff() -> [String] {
        defer { isOff = true }
        return isOff ? [] : rules.map(\.rule.id)
    }

    /// A rule took a direction's bytes in hand.
    mutating func began(_ index: Int, _ direction: Direction) {
        guard rules.indices.contains(index) else { return }
        if direction == .toServer { rules[index].begunToServer = true } else { rules[index].begunToClient = true }
    }

    private func isInScope(_ scope: Profile.Scope) -> Bool {
        guard Profile.Scope.covers(scope.paths, path), scope.covers(user: user) else { return false }
        guard scope.share < 1 else { return true }
        var dice = Dice(key, direction: nil, message: 0, fault: "scope")
        return dice.chance(scope.share)
    }

    private func concerns(_ rule: FaultRule) -> Bool {
        if let glob = rule.when.user, !Profile.Scope.covers([glob], user) { return false }
        if let glob = rule.when.path, !Profile.Scope.covers([glob], path) { return false }
        guard let condition = rule.when.connection else { return true }
        var dice = Dice(key, direction: nil, message: 0, fault: rule.id)
        return condition.holds(connection, &dice)
    }

    /// A message passed here: events that rules wait for, runs that begin and end.
    mutating func saw(_ message: LiftedMessage, _ direction: Direction) {
        guard isWatching else { return }
        runs?.saw(message, direction)
        for index in rules.indices where rules[index].watches {
            if case .event(let pattern)? = rules[index].rule.when.after, message.matches(pattern) {
                rules[index].afterSeen = true
            }
            if case .event(let pattern)? = rules[index].rule.when.until, message.matches(pattern) {
                rules[index].untilSeen = true
            }
        }
    }

    /// As `saw`, for faults that go by what passed before.
    mutating func remember(_ message: Message, at now: Instant) {
        guard !isOff else { return }
        for index in rules.indices
        where rules[index].concerned && rules[index].fault.remembers && rules[index].selects(message.direction) {
            rules[index].fault.saw(message, at: now)
        }
    }

    // MARK: What the machine asks

    var isWatching: Bool { !isOff && rules.contains { $0.concerned && $0.watches || $0.joins.contains(.runs) } }

    /// Some rule that concerns the session reaches beyond it like that.
    func joins(_ joining: Joining) -> Bool { !isOff && rules.contains { $0.concerned && $0.joins.contains(joining) } }

    /// Some rule may ask on a later connection what was said on this one.
    var keepsPast: Bool { !isOff && rules.contains { $0.joins.contains(.past) && isInScope($0.scope) } }

    /// Runs of this session that are open, as far as somebody asks.
    var openRuns: Int { runs?.open ?? 0 }

    /// Whether dialling must wait for the request head, because a rule on accepting asks for user or path.
    var acceptNeedsHead: Bool {
        !isOff
            && rules.contains { $0.selects.contains(.accept) && $0.needsHead }
    }

    /// Whether messages of this direction must be lifted to values: some rule may select one or must see it.
    func lifts(_ direction: Direction) -> Bool {
        if direction == .toServer, awaitsUser { return true }
        if keepsPast { return true }
        return !isOff
            && rules.contains { rule in
                rule.concerned
                    && (rule.selects(direction) || rule.watches || direction == .toServer && rule.joins.contains(.visits))
                    || rule.joins.contains(.runs)
            }
    }

    /// Whether messages of this direction may have to be exchanged for another session's, whoever's rule it is.
    func mayExchange(_ direction: Direction) -> Bool {
        !isOff && rules.contains { $0.crosses && $0.selects(direction) }
    }

    /// Cheap test before a message is whole: false = no rule can select it, whatever it says.
    func mightSelect(_ direction: Direction, opcode: Opcode, ordinal: UInt32, at now: Instant) -> Bool {
        guard !isOff else { return false }
        return rules.contains { armed in
            armed.concerned && armed.selects(direction) && armed.control == nil && (armed.rule.when.opcode ?? opcode) == opcode
                && !isExpired(armed, at: now) && holds(armed, direction, ordinal, at: now)
        }
    }

    /// The rules that might select a message nobody could read.
    func candidates(_ direction: Direction, opcode: Opcode, ordinal: UInt32, at now: Instant) -> [ArmedRule] {
        guard !isOff else { return [] }
        return rules.filter { armed in
            armed.concerned && armed.selects(direction) && armed.control == nil && (armed.rule.when.opcode ?? opcode) == opcode
                && !isExpired(armed, at: now) && holds(armed, direction, ordinal, at: now)
        }
    }

    /// Indices of the rules that select this parcel, in file order.
    func selected(_ parcel: ParcelKind, at now: Instant) -> [Int] {
        guard !isOff else { return [] }
        return rules.indices.filter { index in
            let armed = rules[index]
            let when = armed.rule.when
            return armed.concerned && armed.selects.contains(parcel) && !isExpired(armed, at: now)
                && when.message == nil && when.match == nil && when.opcode == nil
                && isAfter(armed, messages: 0, at: now) && !isUntil(armed, messages: 0, at: now)
                && (!when.duringRun || runs?.isOpen == true)
        }
    }

    func selected(_ message: LiftedMessage, _ direction: Direction, ordinal: UInt32, at now: Instant) -> [Int] {
        guard !isOff else { return [] }
        return rules.indices.filter { index in
            let armed = rules[index]
            guard armed.concerned, armed.selects(direction), armed.control == nil, !isExpired(armed, at: now),
                holds(armed, direction, ordinal, at: now)
            else { return false }
            if let opcode = armed.rule.when.opcode, opcode != message.opcode { return false }
            if let pattern = armed.rule.when.match, !message.matches(pattern) { return false }
            return !armed.rule.when.duringRun || runs?.isOpen == true
        }
    }

    /// The rules that select a frame which belongs to no message, in file order. Of messages it has the number of the last one.
    func selected(control frame: LiftedMessage, _ direction: Direction, ordinal: UInt32, at now: Instant) -> [Int] {
        guard !isOff else { return [] }
        return rules.indices.filter { index in
            let armed = rules[index]
            let when = armed.rule.when
            // What travels, or is remembered, is messages.
            guard armed.concerned, armed.control == frame.opcode, armed.selects(direction), !armed.crosses, when.message == nil, !isExpired(armed, at: now),
                isAfter(armed, messages: ordinal, at: now), !isUntil(armed, messages: ordinal, at: now)
            else { return false }
            if let pattern = when.match, !frame.matches(pattern) { return false }
            return !when.duringRun || runs?.isOpen == true
        }
    }

    /// The rules that take a direction's bytes in hand, in file order, each with the time in which it does. Bytes are no
    /// messages: a rule that asks for one has none of them.
    func shaping(_ kind: ParcelKind) -> [(rule: Int, from: Instant, to: Instant)] {
        guard !isOff else { return [] }
        return rules.indices.compactMap { index in
            let when = rules[index].rule.when
            guard rules[index].concerned, rules[index].selects.contains(kind), when.message == nil, when.match == nil,
                when.opcode == nil, !when.duringRun
            else { return nil }
            var span = (rule: index, from: opened, to: Instant.distantFuture)
            if let expires = rules[index].scope.expires, let began = enrolment.began { span.to = began.advanced(by: expires) }
            switch when.after {
            case nil: break
            case .time(let time): span.from = opened.advanced(by: time)
            case .messages, .event: return nil
            }
            switch when.until {
            case nil: break
            case .time(let time): span.to = min(span.to, opened.advanced(by: time))
            case .messages, .event: return nil
            }
            return span
        }
    }

    private func holds(_ armed: ArmedRule, _ direction: Direction, _ ordinal: UInt32, at now: Instant) -> Bool {
        if let condition = armed.rule.when.message {
            var dice = self.dice(armed.rule.id, direction, ordinal)
            guard condition.holds(UInt64(ordinal), &dice) else { return false }
        }
        return isAfter(armed, messages: ordinal, at: now) && !isUntil(armed, messages: ordinal, at: now)
    }

    /// A message count holds for the messages behind that many.
    private func isAfter(_ armed: ArmedRule, messages: UInt32, at now: Instant) -> Bool {
        switch armed.rule.when.after {
        case nil: true
        case .time(let time): opened.advanced(by: time) <= now
        case .messages(let count): UInt64(messages) > UInt64(clamping: count)
        case .event: armed.afterSeen
        }
    }

    private func isUntil(_ armed: ArmedRule, messages: UInt32, at now: Instant) -> Bool {
        switch armed.rule.when.until {
        case nil: false
        case .time(let time): opened.advanced(by: time) <= now
        case .messages(let count): UInt64(messages) > UInt64(clamping: count)
        case .event: armed.untilSeen
        }
    }

    func isExpired(_ armed: ArmedRule, at now: Instant) -> Bool {
        guard let expires = armed.scope.expires, let began = enrolment.began else { return false }
        return began.advanced(by: expires) <= now
    }

    func dice(_ id: String, _ direction: Direction, _ ordinal: UInt32) -> Dice {
        Dice(key, direction: direction, message: UInt64(ordinal), fault: id)
    }

    // MARK: Acting

    /// Lets a rule's fault act, within the budget; nil when that is used up. What does not act costs nothing.
    mutating func act(
        _ index: Int, on parcel: Parcel, in scene: Scene, _ direction: Direction, ordinal: UInt32
    ) -> Action? {
        guard rules.indices.contains(index) else { return nil }
        let scope = rules[index].scope
        if let most = scope.perConnection, acted[scope.name] ?? 0 >= most { return nil }
        guard enrolment.spend(of: scope) else { return nil }
        var dice = Dice(key, direction: direction, message: UInt64(ordinal), fault: rules[index].rule.id + " act")
        let action = rules[index].fault.act(on: parcel, in: scene, dice: &dice)
        if case .effects = action { acted[scope.name, default: 0] += 1 } else { enrolment.refund(scope) }
        return action
    }

    /// A rule acts once more for what it began in some session; false when its budget is used up.
    mutating func spend(_ index: Int) -> Bool {
        guard rules.indices.contains(index) else { return false }
        let scope = rules[index].scope
        if let most = scope.perConnection, acted[scope.name] ?? 0 >= most { return false }
        guard enrolment.spend(of: scope) else { return false }
        acted[scope.name, default: 0] += 1
        return true
    }
}

extension Trigger.Ordinal {
    /// - Parameter number: from 1.
    func holds(_ number: UInt64, _ dice: inout Dice) -> Bool {
        switch self {
        case .nth(let n): number == UInt64(clamping: n)
        case .every(let n): n > 0 && number % UInt64(clamping: n) == 0
        case .first(let n): number <= UInt64(clamping: n)
        case .share(let share): dice.chance(share)
        }
    }
}
