/// What permessage-deflate was negotiated to be (RFC 7692 section 7.1).
package struct DeflateParameters: Sendable, Hashable {
    package static let name = "permessage-deflate"

    package var serverNoContextTakeover = false
    package var clientNoContextTakeover = false
    /// 8 to 15; nil when not named, which means 15.
    package var serverMaxWindowBits: Int?
    package var clientMaxWindowBits: Int?
    /// An offer's `client_max_window_bits` without a value: the client lets the server choose.
    package var clientMayLimitWindow = false

    package init() {}

    /// Why an element is no permessage-deflate that may be used.
    package struct Problem: Error, Sendable, Hashable {
        package var detail: String
    }

    /// `isOffer`: from the request, where `client_max_window_bits` may stand without a value.
    package init(_ item: ExtensionItem, isOffer: Bool) throws(Problem) {
        guard ASCII.equal(item.name, Self.name) else { throw Problem(detail: "\(item.name) is not \(Self.name)") }
        var seen: [String] = []
        for parameter in item.parameters {
            if seen.contains(parameter.name) { throw Problem(detail: "\(parameter.name) stands twice") }
            seen.append(parameter.name)
            switch parameter.name {
            case "server_no_context_takeover":
                serverNoContextTakeover = try Self.flag(parameter)
            case "client_no_context_takeover":
                clientNoContextTakeover = try Self.flag(parameter)
            case "server_max_window_bits":
                serverMaxWindowBits = try Self.bits(parameter)
            case "client_max_window_bits" where parameter.value == nil && isOffer:
                clientMayLimitWindow = true
            case "client_max_window_bits":
                clientMaxWindowBits = try Self.bits(parameter)
            default:
                throw Problem(detail: "\(parameter.name) is no parameter of \(Self.name)")
            }
        }
    }

    private static func flag(_ parameter: ExtensionItem.Parameter) throws(Problem) -> Bool {
        guard parameter.value == nil else { throw Problem(detail: "\(parameter.name) takes no value") }
        return true
    }

    /// RFC 7692 section 7.1.2: a decimal integer without leading zeros from 8 to 15.
    private static func bits(_ parameter: ExtensionItem.Parameter) throws(Problem) -> Int {
        guard let text = parameter.value, let bits = Int(text), (8...15).contains(bits), text == "\(bits)" else {
            throw Problem(detail: "\(parameter.name)=\(parameter.value ?? ""), expected 8 to 15")
        }
        return bits
    }

    /// The element of the header field.
    package var item: ExtensionItem {
        var item = ExtensionItem(Self.name)
        if serverNoContextTakeover { item.parameters.append(.init("server_no_context_takeover")) }
        if clientNoContextTakeover { item.parameters.append(.init("client_no_context_takeover")) }
        if let bits = serverMaxWindowBits { item.parameters.append(.init("server_max_window_bits", "\(bits)")) }
        if let bits = clientMaxWindowBits {
            item.parameters.append(.init("client_max_window_bits", "\(bits)"))
        } else if clientMayLimitWindow {
            item.parameters.append(.init("client_max_window_bits"))
        }
        return item
    }

    package var text: String { item.text }

    package func takeover(_ direction: Direction) -> Bool {
        direction == .toServer ? !clientNoContextTakeover : !serverNoContextTakeover
    }

    package func windowBits(_ direction: Direction) -> Int {
        (direction == .toServer ? clientMaxWindowBits : serverMaxWindowBits) ?? 15
    }

    /// Reads what the sender of that direction deflates, and any window it may have used.
    package func inflater(_ direction: Direction) throws(DeflateError) -> Inflater {
        try Inflater(windowBits: 15, takeover: takeover(direction))
    }

    package func deflater(_ direction: Direction) throws(DeflateError) -> Deflater {
        try Deflater(windowBits: windowBits(direction), takeover: takeover(direction))
    }
}

/// What the server's answer made of the extensions offered.
package enum ExtensionOutcome: Sendable, Hashable {
    case none
    case deflate(DeflateParameters)
    /// Something that is not understood, so that frames may mean anything: messages cannot be lifted. One phrase.
    case unknown(String)

    package var deflate: DeflateParameters? {
        if case .deflate(let parameters) = self { parameters } else { nil }
    }
}

extension ExtensionOutcome {
    /// - Parameter accepted: the values of all `Sec-WebSocket-Extensions` fields of a 101.
    package init(accepted: [String]) {
        var found: DeflateParameters?
        self = .none
        for value in accepted {
            guard let items = ExtensionItem.parse(value) else {
                self = .unknown("Sec-WebSocket-Extensions is malformed")
                return
            }
            for item in items {
                guard ASCII.equal(item.name, DeflateParameters.name) else {
                    self = .unknown("extension \(item.name)")
                    return
                }
                guard found == nil else {
                    self = .unknown("permessage-deflate is accepted twice")
                    return
                }
                do throws(DeflateParameters.Problem) {
                    found = try DeflateParameters(item, isOffer: false)
                } catch {
                    self = .unknown(error.detail)
                    return
                }
            }
        }
        if let found { self = .deflate(found) }
    }

    /// What holds for a direction when the two sides were told this; nil when they cannot mean the same by a compressed
    /// message.
    package static func common(
        _ direction: Direction, server: ExtensionOutcome, client: ExtensionOutcome
    ) -> ExtensionOutcome? {
        if server == client { return server }
        // What the server may do then, nobody but itself knows.
        if case .unknown = server { return server }
        guard let one = server.deflate, let other = client.deflate, one.takeover(direction) == other.takeover(direction),
            one.windowBits(direction) == other.windowBits(direction)
        else { return nil }
        return server
    }
}

extension ResponseHead {
    package var extensions: ExtensionOutcome { ExtensionOutcome(accepted: all("sec-websocket-extensions").map(\.value)) }
}

extension RequestHead {
    /// The elements offered, well-formed or not; nil when the grammar is violated.
    package var extensionOffers: [ExtensionItem]? {
        var out: [ExtensionItem] = []
        for field in all("sec-websocket-extensions") {
            guard let items = ExtensionItem.parse(field.value) else { return nil }
            out += items
        }
        return out
    }
}
