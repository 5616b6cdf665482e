package import Contracts
import Journaling
import Wire

/// C1: what the server writes is legal, it reacts in time as a peer must, it takes nothing from a client on which it had to
/// fail the connection, and fails none over what it must take.
package struct Conforms: Property {
    package static let id = "C1"
    package static let name = "protocol conformance"
    package static let requirement =
        "the server's frames are legal, and it fails a connection where it must (RFC 6455 5.1, 5.2, 5.4, 5.5, 7.1.7, 7.4, 8.1; RFC 7692 6)"
    package static let hears: ReadingKinds = .conduct

    package static func missingKey(in contract: Contract?) -> String? { nil }
    package init(_ contract: Contract?) {}

    package mutating func observe(_ reading: Reading) -> Ruling? {
        guard case .conduct(let conduct) = reading else { return nil }
        let user = conduct.user
        switch conduct.outcome {
        case .kept: return .pass
        case .undecided(let why): return .inconclusive(why)
        case .wrote(let violation, let evidence):
            return .fail(
                Violation(
                    edge: "writes \(violation.rawValue)", types: [],
                    sentence: "the server sends \(user) an illegal frame: \(violation.detail)",
                    expected: "frames as \(violation.clause) has them",
                    found: (conduct.looks.map { "\($0) where a frame must be: " } ?? "") + violation.detail
                        + " at \(Wording.time(evidence.instant))" + Self.quoted(violation, evidence),
                    evidence: evidence, line: 0))
        case .ignored(let reaction, let bound, let evidence): return .fail(Self.violation(reaction, bound, user, evidence))
        case .rejectedText(let code, let evidence):
            return .fail(
                Violation(
                    edge: "rejects split text", types: [],
                    sentence: "the server fails \(user)'s connection over a text that is split inside a character",
                    expected: "text is UTF-8 as a whole, wherever its fragments are parted (RFC 6455 5.4, 8.1)",
                    found: "a close with \(code) at \(Wording.time(evidence.instant))", evidence: evidence, line: 0))
        case .took(let violation, let evidence):
            return .fail(
                Violation(
                    edge: "takes \(violation.rawValue)", types: [],
                    sentence: "the server goes on with \(user)'s messages behind an illegal frame: \(violation.detail)",
                    expected: "the connection failed (\(violation.clause))",
                    found: "what came with that frame, or behind it, is answered at \(Wording.time(evidence.instant))",
                    evidence: evidence, line: 0))
        }
    }

    private static func violation(
        _ reaction: Reading.Conducted.Reaction, _ bound: Duration, _ user: String, _ evidence: Evidence
    ) -> Violation {
        let within = Wording.duration(bound)
        let (edge, what, clause): (String, String, String) =
            switch reaction {
            case .pong: ("no pong", "answer \(user)'s Ping", "a Pong with the payload of the latest Ping (RFC 6455 5.5.2)")
            case .close: ("no close", "answer \(user)'s Close", "a Close (RFC 6455 5.5.1)")
            case .failure(let violation):
                (
                    "suffers \(violation.rawValue)", "fail \(user)'s connection: \(violation.detail)",
                    "the connection failed (\(violation.clause), 7.1.7)"
                )
            }
        return Violation(
            edge: edge, types: [], sentence: "the server does not \(what)", expected: "\(clause) within \(within)",
            found: "nothing of it until \(Wording.time(evidence.instant))", evidence: evidence, line: 0)
    }

    /// The reason of a Close with a code that must not be there, when it can be read.
    private static func quoted(_ violation: FrameViolation, _ evidence: Evidence) -> String {
        guard violation == .closeCode, let entry = evidence.witness.first, case .frame(let record) = entry.body else { return "" }
        let payload = record.frame.payload
        let code = payload.getInteger(at: payload.readerIndex, as: UInt16.self).map { ": \($0)" } ?? ""
        let text = String(decoding: payload.readableBytesView.dropFirst(2), as: UTF8.self)
        let isPlain = !text.isEmpty && text.utf8.allSatisfy { (0x20...0x7e).contains($0) }
        return code + (isPlain ? " \"\(Terminal.plain(text))\"" : "")
    }
}
