import Contracts
import Wire

/// Where the runs of one session stand, as far as features go: which edge of the contract's automaton each message took.
/// What belongs to whom is the oracle's business; here an event without a key is the oldest run's.
struct RunTracks {
    private struct Track {
        var rule: Int
        var key: String?
        /// Nil = done.
        var state: String?
        var parts: [Int: Int] = [:]
    }
    private var tracks: [Track] = []
    private static let most = 64

    /// Runs that are not over.
    var open: Int { tracks.count { $0.state != nil } }

    /// One token a run that is open, whatever their order: an abstract state.
    func phase() -> UInt64 {
        let states = tracks.compactMap { track in
            track.state.map { FeatureHash.join(UInt64(clamping: track.rule), FeatureHash.text($0)) }
        }
        if states.count < 2 { return states.first ?? 0 }
        return Set(states).sorted().reduce(FeatureHash.bucket(min(states.count, 4))) { FeatureHash.join($0, $1) }
    }

    mutating func request(_ recognition: Recognition, _ contract: Contract) {
        guard case .valid = recognition.outcome, let index = recognition.rule, contract.requests.indices.contains(index)
        else { return }
        for (number, rule) in contract.runs.enumerated() where contract.requests[index].starts == rule.name {
            let key = recognition.value.flatMap { contract.key(of: rule, in: $0) }?.canonical
            add(Track(rule: number, key: key, state: rule.initial))
        }
        for place in tracks.indices {
            move(place, isRequest: true, recognition, contract, token: 0, into: nil)
        }
    }

    private mutating func add(_ track: Track) {
        if tracks.count >= Self.most { tracks.remove(at: tracks.firstIndex { $0.state == nil } ?? 0) }
        tracks.append(track)
    }

    /// - Parameter token: what stands for the event in features.
    mutating func event(_ recognition: Recognition, _ contract: Contract, token: UInt64, into features: inout FeatureSet) {
        guard let value = recognition.value else { return }
        for (number, rule) in contract.runs.enumerated()
        where rule.names(isRequest: false, name: recognition.name, type: recognition.type) {
            let key = contract.key(of: rule, in: value)?.canonical
            guard let place = place(number, key) else {
                features.insert(.edge, UInt64(clamping: number), 1, token)
                continue
            }
            if tracks[place].key == nil { tracks[place].key = key }
            withFeatures(place, recognition, contract, token, &features)
        }
    }

    private mutating func withFeatures(
        _ place: Int, _ recognition: Recognition, _ contract: Contract, _ token: UInt64, _ features: inout FeatureSet
    ) {
        var found: UInt64?
        move(place, isRequest: false, recognition, contract, token: token, into: { found = $0 })
        if let found { features.insert(found) }
        part(place, recognition, contract, token, &features)
    }

    /// By its key, or the oldest that has none yet and is not over.
    private func place(_ rule: Int, _ key: String?) -> Int? {
        if let key, let found = tracks.lastIndex(where: { $0.rule == rule && $0.key == key }) { return found }
        return tracks.firstIndex { $0.rule == rule && $0.key == nil && $0.state != nil }
            ?? (key == nil ? tracks.firstIndex { $0.rule == rule && $0.state != nil } : nil)
    }

    private mutating func move(
        _ place: Int, isRequest: Bool, _ recognition: Recognition, _ contract: Contract, token: UInt64,
        into tell: ((UInt64) -> Void)?
    ) {
        let track = tracks[place]
        let rule = contract.runs[track.rule]
        guard let state = track.state else {
            tell?(FeatureHash.feature(.edge, UInt64(clamping: track.rule), 2, token))
            return
        }
        let edge = rule.edge(from: state, isRequest: isRequest, name: recognition.name, type: recognition.type)
        let next = edge?.next ?? state
        tell?(
            FeatureHash.feature(
                .edge, UInt64(clamping: track.rule), FeatureHash.text(state), token,
                edge == nil ? 3 : FeatureHash.text(next)))
        tracks[place].state = next == "done" ? nil : next
    }

    /// How many of each part are open, up to three.
    private mutating func part(
        _ place: Int, _ recognition: Recognition, _ contract: Contract, _ token: UInt64, _ features: inout FeatureSet
    ) {
        let track = tracks[place]
        for (index, part) in contract.runs[track.rule].parts.enumerated() {
            let (name, type) = (recognition.name, recognition.type)
            let change =
                part.start.names(isRequest: false, name: name, type: type)
                ? 1 : part.end.names(isRequest: false, name: name, type: type) ? -1 : 0
            let before = track.parts[index, default: 0]
            guard change != 0 || before > 0 else { continue }
            tracks[place].parts[index] = min(3, max(0, before + change))
            features.insert(
                .edge, UInt64(clamping: track.rule) << 8 | UInt64(clamping: index) + 4, UInt64(clamping: before), token,
                UInt64(bitPattern: Int64(change)))
        }
    }
}
