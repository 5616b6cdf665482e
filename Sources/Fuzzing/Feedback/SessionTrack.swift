import Contracts
import Journaling
import Wire

/// What one session of a run has shown so far.
struct SessionTrack {
    enum Phase: UInt64 { case opening = 1, open, greeted, closing, over }
    var phase = Phase.opening
    /// Only ever compared: who speaks here.
    var user: String?
    var credential: UInt64 = 0
    var runs = RunTracks()
    /// The last two tokens, without repeats of the same event.
    private var recent: (UInt64, UInt64) = (0, 0)
    private(set) var lastRequest: UInt64 = 0
    var lastEvent: UInt64 = 0
    private var counts: [UInt64: Int] = [:]
    private(set) var events = 0
    /// What it sent of late, for what comes back as an echo.
    private var sent: [JSON] = []
    private var sentShapes: Set<UInt64> = []
    private static let mostSent = 8
    private static let mostCounted = 256

    /// A state in which a message may come: coarse, so that there are few.
    var state: UInt64 { FeatureHash.join(phase.rawValue, runs.phase()) }

    mutating func request(_ token: UInt64, value: JSON?) {
        push(token)
        lastRequest = token
        guard let value else { return }
        if sent.count >= Self.mostSent { sent.removeFirst() }
        sent.append(value)
        if case .object = value, sentShapes.count < 64 { sentShapes.insert(ShapeReader.hash(of: value)) }
    }

    private mutating func push(_ token: UInt64) {
        if recent.1 != token { recent = (recent.1, token) }
    }

    /// Sequences end with what the server did: what we send is no news.
    mutating func event(_ token: UInt64, into features: inout FeatureSet) {
        events += 1
        lastEvent = token
        if counts[token] != nil || counts.count < Self.mostCounted { counts[token, default: 0] += 1 }
        features.insert(.sequence, token)
        features.insert(.sequence, recent.1, token)
        features.insert(.sequence, recent.0, recent.1, token)
        features.insert(.sequence, lastRequest, token, 1, 1)
        push(token)
    }

    func tellCounts(into features: inout FeatureSet) {
        features.insert(.count, 0, FeatureHash.bucket(events))
        for (token, count) in counts { features.insert(.count, token, FeatureHash.bucket(count)) }
    }

    func shape(of value: JSON) -> UInt64 { ShapeReader.hash(of: value, echoes: sentShapes) }

    /// Words in the values of what was sent of late.
    func echoes() -> Set<UInt64> {
        var words: Set<UInt64> = []
        var stack = sent
        var looked = 0
        while let value = stack.popLast(), looked < 512 {
            looked += 1
            switch value {
            case .string(let text): words.formUnion(TextTemplate.words(of: text))
            case .array(let elements): stack.append(contentsOf: elements.prefix(64))
            case .object(let members): stack.append(contentsOf: members.prefix(64).map(\.value))
            default: continue
            }
        }
        return words
    }
}
