package import Contracts
import Journaling

/// I4: nobody is told a credential, not even who brought it.
package struct NoCredential: Property {
    package static let id = "I4"
    package static let name = "no credential in content"
    package static let requirement =
        "no credential of 16 bytes or more occurs, raw, URL- or base64-encoded, in what the server says (oracle I4)"
    package static let hears: ReadingKinds = [.unread, .credential]

    package static func missingKey(in contract: Contract?) -> String? {
        contract?.identity.credential.isEmpty == false ? nil : "identity.credential"
    }
    package init(_ contract: Contract?) {}

    package mutating func observe(_ reading: Reading) -> Ruling? {
        if case .unread(let why) = reading { return .inconclusive(why) }
        guard case .credential(let disclosed) = reading else { return nil }
        guard let found = disclosed.found else { return .pass }
        let whose = found.owner.map { $0 == disclosed.user ? "\($0)'s own" : "\($0)'s" } ?? "a user's"
        return .fail(
            Violation(
                edge: found.place, types: [found.type],
                sentence: "\(found.place) to \(disclosed.user) holds \(whose) credential",
                expected: "credentials where the client put them, and nowhere else",
                found: "\(found.tag) in \(found.place) (\(found.type)) at \(Wording.time(found.evidence.instant))",
                evidence: found.evidence, caret: Finding.Caret(text: found.tag, label: "the credential"), line: 0))
    }
}
