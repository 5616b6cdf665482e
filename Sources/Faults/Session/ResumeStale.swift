import Contracts
package import Journaling
import NIOCore
import Wire

/// Asks for what came after another place than the client did: a server must not lose, repeat or mix up what it sends then.
package struct ResumeStale: Fault {
    package static let name = "resume-stale"
    package static let group = FaultGroup.session
    package static let summary = "puts another cursor in a resume"
    package static let excuse = "D1, D2 as the client sees it"
    package static let acts: [ParcelKind] = [.requestHead, .messageToServer]
    package static let parameters = [
        Parameter(
            "how", .choice(["older", "none", "beyond", "foreign"]), default: "older",
            doc: "one that was current before, none, a number that was never given out, or one of another user"),
        Parameter(
            "at", .text, default: "query cursor",
            doc: "where the cursor stands, as a place of the contract: `query N`, `cookie N`, `header N` or `request NAME PATH`"),
        Parameter("events", .text, default: "seq", doc: "the path at which events of the connection before bore what a cursor says"),
        Parameter("back", .count, default: "5", range: 1...128, doc: "for `older`: how many events before the one that the cursor names, 1 to 128"),
    ]

    private let how: String
    private let place: Place
    private let events: Path
    private let back: Int

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        how = reader.text("how") ?? "older"
        back = reader.count("back") ?? 5
        let at = reader.text("at") ?? ""
        let needs = "query NAME, cookie NAME, header NAME or request NAME PATH"
        do throws(PartError) { place = try Place(at) } catch {
            throw SettingsError(parameter: "at", needs: "a place", expected: needs, found: "\"\(at)\"")
        }
        switch place.kind {
        case .query, .cookie, .header, .request: break
        case .subprotocol, .path, .event, .credential, .everyEvent:
            throw SettingsError(parameter: "at", needs: "a place of a cursor", expected: needs, found: "\"\(at)\"")
        }
        let path = reader.text("events") ?? ""
        do throws(PartError) { events = try Path(path) } catch {
            throw SettingsError(parameter: "events", needs: "a path", expected: "one such as seq or meta.id", found: "\"\(path)\"")
        }
    }

    package var selects: [ParcelKind] { place.isInHead ? [.requestHead] : [.messageToServer] }
    package var joins: [Joining] { [.past] }
    package var influence: Influence { Influence(.connection, [.delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        switch parcel {
        case .requestHead(let head): act(on: head, in: scene)
        case .message(let message): act(on: message, in: scene)
        case .accept, .responseHead, .stream: .pass
        }
    }

    private func act(on head: UpgradeHead, in scene: Scene) -> Action {
        guard let request = try? RequestHead(head.bytes), let part = part(of: request) else {
            return .notApplied("no cursor in \(place.text)")
        }
        let bytes: ByteBuffer
        switch other(than: part.value, in: scene) {
        case .not(let why): return .notApplied(why)
        case .nothing: bytes = request.removing(part.removalRange)
        case .text(let text):
            // In a query everything else is escaped (RFC 3986 section 2.3).
            bytes = request.replacing(part.valueRange, with: Self.escaped(text))
        }
        return .effects([.forward(.requestHead(UpgradeHead(bytes: bytes, tail: head.tail)), at: nil)], detail: detail)
    }

    private func part(of request: RequestHead) -> (value: String, valueRange: Range<Int>, removalRange: Range<Int>)? {
        switch place.kind {
        case .query(let name): request.queryItems(name).first.map { ($0.value, $0.valueRange, $0.removalRange) }
        case .cookie(let name): request.cookies(name).first.map { ($0.value, $0.valueRange, $0.removalRange) }
        case .header(let name): request.first(name).map { ($0.value, $0.valueRange, $0.lineRange) }
        default: nil
        }
    }

    private func act(on message: Message, in scene: Scene) -> Action {
        guard case .request(let name, let path) = place.kind, scene.request == nil || scene.request == name else { return .pass }
        let document = JSONDocument(message.payload)
        guard document.problem == nil, let value = JSON.decode(message.payload).value, let found = path.places(in: value).first,
            let node = Self.node(of: found, in: document)
        else { return .pass }
        let isText = document.nodes[node].kind == .string
        var changed = message
        switch other(than: document.string(of: node) ?? document.text(document.nodes[node].range), in: scene) {
        case .not(let why): return .notApplied(why)
        case .nothing: changed.payload = document.removing(node: node)
        case .text(let text):
            let other = isText || Int(text) == nil ? JSON.string(text) : .number(text)
            changed.payload = document.replacing(node: node, with: other)
        }
        changed.changed = true
        return .effects([.forward(.message(changed), at: nil)], detail: detail)
    }

    private static func node(of place: JSONPlace, in document: JSONDocument) -> Int? {
        place.steps.reduce(document.root) { node, step in
            switch step {
            case .key(let name): node.flatMap { document.member(name, of: $0) }
            case .index(let index): node.flatMap { document.element(index, of: $0) }
            }
        }
    }

    private var detail: String { how == "none" ? "no cursor in \(place.text)" : "\(how) cursor in \(place.text)" }

    // MARK: Cursors

    private enum Other {
        case text(String)
        case nothing
        case not(String)
    }

    private func other(than current: String, in scene: Scene) -> Other {
        switch how {
        case "none": return .nothing
        case "beyond":
            let sum = Int(current)?.addingReportingOverflow(1_000_000)
            return sum.flatMap { $0.overflow ? nil : .text("\($0.partialValue)") } ?? .not("the cursor is no number")
        case "foreign":
            let last = cursors(scene.pastOfOther).last { $0 != current }
            return last.map { .text($0) } ?? .not("no cursor of another user is remembered")
        default:
            let known = cursors(scene.past)
            let place = known.lastIndex(of: current) ?? known.count - 1
            let older = place >= 0 ? known[max(0, place - back)] : current
            return older == current ? .not("no older cursor is remembered") : .text(older)
        }
    }

    /// In the order in which the client was given them.
    private func cursors(_ past: [PastMessage]) -> [String] {
        past.filter { $0.message.direction == .toClient }.compactMap { said in
            guard let value = JSON.decode(said.message.payload).value.flatMap({ events.value(in: $0) }) else { return nil }
            return value.string ?? value.text
        }
    }

    private static func escaped(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            let isPlain = byte >= 0x30 && byte <= 0x39 || byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a || "-._~".utf8.contains(byte)
            let digits = String(byte, radix: 16, uppercase: true)
            out += isPlain ? String(Unicode.Scalar(byte)) : "%" + (digits.count < 2 ? "0" : "") + digits
        }
        return out
    }
}
