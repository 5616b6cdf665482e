package import Journaling
import NIOCore
import Wire

/// Frames closer to the 101 than usual: the client's before it, or the server's in the same segment or split with it.
package struct EarlyFrames: Fault {
    package static let name = "early-frames"
    package static let group = FaultGroup.handshake
    package static let summary = "lets frames meet the 101"
    package static let excuse = "H1's deadline on the client's side; success when the server gets frames early"
    package static let acts: [ParcelKind] = [.requestHead, .responseHead]
    package static let parameters = [
        Parameter(
            "form", .choice(["same-segment", "per-byte", "before-101"]), default: "same-segment",
            doc: """
                the 101 and the server's first frames leave in one segment, or a byte at a time; or the client is accepted by a \
                101 of ours and its first frames reach the server right behind its request
                """),
        Parameter("frames", .count, default: "1", doc: "how many frames the head waits for, from 1"),
        Parameter("hold", .duration, default: "500ms", doc: "how long it waits for them; then it goes without"),
        Parameter("gap", .duration, default: "1ms", doc: "time between two bytes of `per-byte`"),
        // A byte at a time costs a write each.
        Parameter("bytes", .count, default: "512", range: 0...65_536, doc: "bytes of `per-byte` that leave one at a time; the rest goes as it is"),
    ]

    private let form: String
    private let frames: Int
    private let hold: Duration
    private let gap: Duration
    private let bytes: Int

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        form = reader.text("form") ?? "same-segment"
        frames = reader.count("frames") ?? 1
        if frames < 1 {
            throw SettingsError(parameter: "frames", needs: "a number of frames", expected: "1 or more", found: "\(frames)")
        }
        hold = reader.duration("hold") ?? .zero
        gap = reader.duration("gap") ?? .zero
        bytes = reader.count("bytes") ?? 0
    }

    package var selects: [ParcelKind] { form == "before-101" ? [.requestHead] : [.responseHead] }
    package var influence: Influence {
        form == "before-101"
            ? Influence(.connection, [.success, .greetingDeadline, .deadline, .completion, .ending])
            : Influence(.handshake, [.greetingDeadline, .deadline])
    }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        let until = scene.now.advanced(by: hold)
        switch parcel {
        case .responseHead where form == "per-byte":
            return .effects(
                [.forward(parcel, at: until), .gather(Gathering(frames: frames, gap: gap, bytes: bytes))],
                detail: "101 waits for \(counted), then leaves byte by byte")
        case .responseHead:
            return .effects(
                [.forward(parcel, at: until), .gather(Gathering(frames: frames))], detail: "101 waits for \(counted)")
        case .requestHead(let head):
            guard let request = try? RequestHead(head.bytes) else { return .notApplied("the request cannot be read") }
            // The client is told of no extension, so the server must not be asked for one.
            let asked = UpgradeHead(bytes: request.removingAll("sec-websocket-extensions"), tail: head.tail)
            return .effects(
                [.accept(acceptance(of: request, in: scene)), .forward(.requestHead(asked), at: until),
                 .gather(Gathering(frames: frames))],
                detail: "accepted in the server's stead, the request waits for \(counted)")
        case .accept, .message, .stream: return .pass
        }
    }

    private var counted: String { frames == 1 ? "a frame" : "\(frames) frames" }

    /// The 101 that a server would give (RFC 6455 section 4.2.2), with the first subprotocol offered that is no credential.
    private func acceptance(of request: RequestHead, in scene: Scene) -> UpgradeHead {
        var text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        text += "Sec-WebSocket-Accept: \(AcceptKey.compute(request.value("sec-websocket-key") ?? ""))\r\n"
        let plain = request.subprotocols.first { offer in
            !scene.credentials.contains { $0.range.overlaps(offer.valueRange) }
        }
        if let plain { text += "Sec-WebSocket-Protocol: \(plain.value)\r\n" }
        return UpgradeHead(bytes: ByteBuffer(string: text + "\r\n"))
    }
}
