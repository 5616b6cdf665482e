package import Journaling
import NIOCore
import Wire

/// Alters what the two sides tell each other of permessage-deflate (RFC 7692 section 7.1); every other byte stays.
package struct OfferDeflate: Fault {
    package static let name = "offer-deflate"
    package static let group = FaultGroup.handshake
    package static let summary = "alters the negotiation of compression"
    package static let excuse = "success of that connection"
    package static let acts: [ParcelKind] = [.requestHead, .responseHead]
    private static let flags = ["server-no-context-takeover", "client-no-context-takeover"]
    private static let windows = ["server-max-window-bits", "client-max-window-bits"]
    package static let parameters =
        [
            Parameter(
                "in", .choice(["request", "response"]), default: "request",
                doc: "the client's offer, or the server's answer in the 101"),
            Parameter(
                "op", .choice(["strip", "force", "alter", "duplicate", "duplicate-parameter"]), default: "strip",
                doc: """
                    taken out; put in where there is none; its parameters set as below, or one window drawn from 0 to 99; the \
                    whole element, or one parameter, twice
                    """),
        ] + windows.map { Parameter($0, .count, range: 0...99, doc: "for `force` and `alter`: the window written there, from 0 to 99") }
        + flags.map { Parameter($0, .choice(["yes", "no"]), doc: "for `force` and `alter`: whether it stands there") }

    private let isRequest: Bool
    private let op: String
    /// What is to stand there; false: it must not.
    private let wanted: [(parameter: ExtensionItem.Parameter, stays: Bool)]

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        isRequest = reader.text("in") != "response"
        op = reader.text("op") ?? "strip"
        var wanted: [(ExtensionItem.Parameter, Bool)] = []
        for name in Self.windows {
            guard let bits = reader.count(name) else { continue }
            wanted.append((.init(Self.word(name), "\(bits)"), true))
        }
        for name in Self.flags {
            if let answer = reader.text(name) { wanted.append((.init(Self.word(name)), answer == "yes")) }
        }
        if let first = settings.values.first(where: { Self.flags.contains($0.name) || Self.windows.contains($0.name) }),
            !["force", "alter"].contains(op)
        {
            throw SettingsError(parameter: first.name, needs: "another `op`", expected: "op: force or op: alter", found: op)
        }
        self.wanted = wanted
    }

    /// The name on the wire.
    private static func word(_ name: String) -> String { String(name.map { $0 == "-" ? "_" : $0 }) }

    package var selects: [ParcelKind] { isRequest ? [.requestHead] : [.responseHead] }
    package var influence: Influence { Influence(.connection, [.success, .ending, .completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        switch parcel {
        case .requestHead(let head):
            guard let request = try? RequestHead(head.bytes) else { return .notApplied("the head cannot be read") }
            return answer(edited(request, &dice)) { .requestHead(UpgradeHead(bytes: $0, tail: head.tail)) }
        case .responseHead(let head):
            guard let response = try? ResponseHead(head.bytes) else { return .notApplied("the head cannot be read") }
            return answer(edited(response, &dice)) { .responseHead(UpgradeHead(bytes: $0, tail: head.tail)) }
        case .accept, .message, .stream: return .pass
        }
    }

    private func answer(_ edit: (bytes: ByteBuffer, said: String)?, _ parcel: (ByteBuffer) -> Parcel) -> Action {
        guard let edit else {
            return .notApplied(op == "force" ? "it is \(isRequest ? "offered" : "accepted") already" : "no permessage-deflate there")
        }
        return .effects([.forward(parcel(edit.bytes), at: nil)], detail: edit.said)
    }

    private func edited(_ head: some HTTPHead, _ dice: inout Dice) -> (bytes: ByteBuffer, said: String)? {
        let found = Self.elements(of: head)
        guard let first = found.first, let item = ExtensionItem.parse(first.value)?.first else {
            guard op == "force" else { return nil }
            let text = set(ExtensionItem(DeflateParameters.name), &dice).text
            return (head.adding("Sec-WebSocket-Extensions", text), "forced \(text)")
        }
        switch op {
        case "strip": return (Self.stripped(head), "stripped permessage-deflate")
        case "alter":
            let text = set(item, &dice).text
            return (head.replacing(first.valueRange, with: text), "altered to \(text)")
        case "duplicate":
            return (head.replacing(first.valueRange, with: "\(first.value), \(first.value)"), "permessage-deflate twice")
        case "duplicate-parameter":
            var twice = item
            let parameter = item.parameters.first ?? .init("server_no_context_takeover")
            if item.parameters.isEmpty { twice.parameters.append(parameter) }
            twice.parameters.append(parameter)
            return (head.replacing(first.valueRange, with: twice.text), "\(parameter.name) twice")
        default: return nil
        }
    }

    private func set(_ item: ExtensionItem, _ dice: inout Dice) -> ExtensionItem {
        var item = item
        var wanted = wanted
        if wanted.isEmpty, op == "alter" {
            let name = Self.windows[dice.below(Self.windows.count)]
            wanted = [(.init(Self.word(name), "\(dice.below(100))"), true)]
        }
        for (parameter, stays) in wanted {
            let place = item.parameters.firstIndex { $0.name == parameter.name } ?? item.parameters.count
            item.parameters.removeAll { $0.name == parameter.name }
            if stays { item.parameters.insert(parameter, at: min(place, item.parameters.count)) }
        }
        return item
    }

    private static func elements(of head: some HTTPHead) -> [HeadPart] {
        head.list("sec-websocket-extensions").filter { part in
            ExtensionItem.parse(part.value)?.first.map { ASCII.equal($0.name, DeflateParameters.name) } ?? false
        }
    }

    /// One after the other, because what takes out an element depends on those beside it.
    private static func stripped<Head: HTTPHead>(_ head: Head) -> ByteBuffer {
        var head = head
        while let part = elements(of: head).last {
            let bytes = head.removing(part.removalRange)
            guard bytes.readableBytes < head.bytes.readableBytes, let next = try? Head(bytes, limits: HeadLimits()) else { return bytes }
            head = next
        }
        return head.bytes
    }
}
