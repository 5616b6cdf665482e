package import Journaling
import Wire

/// Tells clients that faults are on: a field in the 101. `miswire proxy --announce` adds one that names the profile.
package struct Announce: Fault {
    package static let name = "announce"
    package static let group = FaultGroup.handshake
    package static let summary = "adds a field to the 101 that says so"
    package static let excuse = "nothing"
    package static let acts: [ParcelKind] = [.responseHead]
    package static let parameters = [
        Parameter("header", .text, default: "Miswire", doc: "the field's name"),
        Parameter("value", .text, default: "faults on", doc: "what it says"),
    ]

    private let header: String
    private let value: String

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        header = reader.text("header") ?? ""
        value = reader.text("value") ?? ""
        // A token, and a text without line ends (RFC 9110 section 5).
        let isToken = header.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"\"(),/:;<=>?@[\\]{}".utf8.contains($0) }
        if !isToken || header.isEmpty {
            throw SettingsError(
                parameter: "header", needs: "a field's name", expected: "letters, digits and dashes", found: "\"\(header)\"")
        }
        if value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) {
            throw SettingsError(
                parameter: "value", needs: "one line", expected: "a text without line ends", found: "control characters")
        }
    }

    package var influence: Influence { Influence(.handshake, []) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .responseHead(let head) = parcel else { return .pass }
        guard let response = try? ResponseHead(head.bytes) else { return .notApplied("the 101 cannot be read") }
        let told = UpgradeHead(bytes: response.adding(header, value), tail: head.tail)
        return .effects([.forward(.responseHead(told), at: nil)], detail: "\(header): \(value)")
    }
}
