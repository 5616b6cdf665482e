package import Contracts
import Journaling

/// R1: what the target takes comes back when its users go, and is in proportion to what it was given.
package struct BoundedResources: Property {
    package static let id = "R1"
    package static let name = "bounded resources"
    package static let requirement =
        "behind its sessions the target keeps no more memory, descriptors, threads and connections than before, and never takes "
        + "more than 16 times what it was sent (oracle R1; RFC 6455 10.4)"
    package static let hears: ReadingKinds = .target

    package static func missingKey(in contract: Contract?) -> String? { nil }
    package init(_ contract: Contract?) {}

    package mutating func observe(_ reading: Reading) -> Ruling? {
        guard case .target(let target) = reading else { return nil }
        switch target {
        case .bounded: return .pass
        case .tooFew(let count):
            return .inconclusive("\(count) quiet checkpoints are too few for a slope, which takes \(TargetWatch.leastPoints)")
        case .grows(let what, let from, let to, let sessions, let evidence):
            let unit = what == "memory" ? { Wording.bytes($0) } : { "\($0)" }
            return .fail(
                Violation(
                    edge: "keeps \(what)", types: [], sentence: "the target keeps more and more \(what), and nobody is connected",
                    expected: "as much \(what) behind \(sessions) sessions as before them",
                    found: "\(unit(UInt64(clamping: from))), and then \(unit(UInt64(clamping: to))) at "
                        + Wording.time(evidence.instant),
                    evidence: evidence, line: 0))
        case .peak(let grown, let allowed, let sent, let evidence):
            return .fail(
                Violation(
                    edge: "peak", types: [],
                    sentence: "the target takes \(Wording.bytes(grown)) of memory for \(Wording.bytes(sent)) that it was sent",
                    expected: "at most \(Wording.bytes(allowed)): 16 times what it was sent, 1 MiB a session and 256 MiB to warm up",
                    found: "\(Wording.bytes(grown)) more than at the first checkpoint, at \(Wording.time(evidence.instant))",
                    evidence: evidence, line: 0))
        case .sentinel, .gone, .served: return nil
        }
    }
}
