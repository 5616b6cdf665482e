package import Journaling
import NIOCore
import Wire

/// Breaks one rule of the opening handshake (RFC 6455 sections 4.1 and 4.2); every other byte of the head stays.
package struct HandshakeMutate: Fault {
    package static let name = "handshake-mutate"
    package static let group = FaultGroup.handshake
    package static let summary = "breaks one rule of the opening"
    package static let excuse = "success of that connection"
    package static let acts: [ParcelKind] = [.requestHead, .responseHead]
    package static let parameters = [
        Parameter(
            "op", .choices(HeadMutation.allCases.map(\.rawValue)), default: "wrong-accept",
            doc: "what is done; one of them is drawn of those that fit the head"),
        Parameter(
            "in", .choices(["request", "response"]), default: "request response",
            doc: "whose head is changed, where the operation fits both"),
        Parameter("version", .text, default: "12", doc: "Sec-WebSocket-Version that `version` writes"),
        Parameter("subprotocol", .text, default: "miswire.unoffered", doc: "the one that nobody offered"),
        Parameter("extension", .text, default: "x-miswire", doc: "the one that nobody offered"),
        Parameter("origin", .text, default: "https://miswire.example", doc: "what `origin-foreign` writes"),
        Parameter(
            "fields", .count, default: "1024", range: 16...4_096, doc: "`many-fields` adds 16, 32, 64 … up to so many, one step drawn; at most 4096"),
        Parameter(
            "size", .bytes, default: "64KiB", range: 1_024...(1 << 20),
            doc: "`long-field` adds one of 1 KiB, 2 KiB, 4 KiB … up to this, one step drawn; at most 1MiB"),
        Parameter("body", .text, default: "miswire", doc: "what stands behind a 101 with `body`"),
    ]

    private let operations: [HeadMutation]
    private let heads: [String]
    private let values: HeadMutation.Values

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        heads = reader.texts("in")
        let heads = heads
        operations = reader.texts("op").compactMap(HeadMutation.init(rawValue:))
        for operation in operations where !operation.heads.contains(where: heads.contains) {
            throw SettingsError(
                parameter: "op", needs: "operations that fit `in`",
                expected: HeadMutation.allCases.filter { $0.heads.contains(where: heads.contains) }.map(\.rawValue).joined(separator: ", "),
                found: operation.rawValue)
        }
        values = HeadMutation.Values(
            version: reader.text("version") ?? "", subprotocol: reader.text("subprotocol") ?? "",
            extensionName: reader.text("extension") ?? "", origin: reader.text("origin") ?? "",
            fields: reader.count("fields") ?? 0, size: reader.bytes("size") ?? 0, body: reader.text("body") ?? "")
        for name in ["version", "subprotocol", "extension", "origin"] {
            guard let text = reader.text(name), text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else { continue }
            throw SettingsError(parameter: name, needs: "a text of one line", expected: "no control characters", found: "some")
        }
    }

    package var selects: [ParcelKind] {
        let chosen = Set(operations.flatMap(\.heads)).intersection(heads)
        return (chosen.contains("request") ? [.requestHead] : []) + (chosen.contains("response") ? [.responseHead] : [])
    }

    package var influence: Influence {
        Influence(.connection, [.success, .greetingDeadline, .ending, .completion, .delivery])
    }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        switch parcel {
        case .requestHead(var head):
            guard let request = try? RequestHead(head.bytes) else { return .notApplied("the head cannot be read") }
            guard let done = mutated(request, "request", &dice) else { return .notApplied("no operation fits the request") }
            head.bytes = done.bytes
            return .effects([.forward(.requestHead(head), at: nil)], detail: done.said)
        case .responseHead(var head):
            guard let response = try? ResponseHead(head.bytes) else { return .notApplied("the head cannot be read") }
            guard let done = mutated(response, "response", &dice) else { return .notApplied("no operation fits the 101") }
            head.bytes = done.bytes
            if let body = done.body { head.tail = .body(body) }
            return .effects([.forward(.responseHead(head), at: nil)], detail: done.said)
        case .accept, .message, .stream: return .pass
        }
    }

    private func mutated(_ head: some HTTPHead, _ side: String, _ dice: inout Dice) -> HeadMutation.Done? {
        let fitting = operations.filter { $0.heads.contains(side) }
        guard !fitting.isEmpty else { return nil }
        // Drawn in a fixed order; one that cannot act on anything here gives way to the next.
        let start = dice.below(fitting.count)
        for step in fitting.indices {
            let operation = fitting[(start + step) % fitting.count]
            if let done = operation.apply(to: head, values, &dice), done.bytes != head.bytes || done.body != nil { return done }
        }
        return nil
    }
}
