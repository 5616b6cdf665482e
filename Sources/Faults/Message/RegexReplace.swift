import Contracts
package import Journaling
import NIOCore
import Wire

/// Replaces what an expression finds in a text.
package struct RegexReplace: Fault {
    package static let name = "regex-replace"
    package static let group = FaultGroup.message
    package static let summary = "replaces what an expression finds"
    package static let excuse = "that the run completes; C2, D1 on the client's side"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter(
            "pattern", .text, default: #"\d+"#,
            doc: "an expression as in contracts: no look-around and no back-references, so that its time is bounded"),
        Parameter("with", .text, doc: "what stands there instead, with `$<name>` for a named group; nothing when left out"),
        Parameter("most", .count, default: "1", doc: "how many places are changed, 1 to 1000"),
    ]

    private let expression: LinearRegex
    private let template: String
    private let most: Int

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        let pattern = reader.text("pattern") ?? ""
        do throws(PartError) { expression = try LinearRegex(pattern) } catch {
            throw SettingsError(
                parameter: "pattern", needs: "an expression", expected: "one that can be read",
                found: "\"\(pattern)\" (\(error.remedy ?? error.message))")
        }
        template = reader.text("with") ?? ""
        most = try reader.count("most", 1...1_000)
    }

    package var influence: Influence { Influence(.message, [.completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(var message) = parcel else { return .pass }
        guard message.opcode == .text, UTF8Validator.isValid(message.payload) else { return .notApplied("the message is no text") }
        guard message.payload.readableBytes <= LinearRegex.maximumText else {
            return .notApplied("the message is longer than \(LinearRegex.maximumText) bytes")
        }
        guard let (text, count) = expression.replacing(in: String(buffer: message.payload), with: template, most: most) else {
            return .notApplied("the expression takes too many steps here")
        }
        let payload = ByteBuffer(string: text)
        guard count > 0, payload != message.payload else { return .notApplied("nothing that the expression finds would change") }
        message.payload = payload
        message.changed = true
        return .effects(
            [.forward(.message(message), at: nil)], detail: "replaced at \(count) place\(count == 1 ? "" : "s")")
    }
}
