import Wire

/// Takes a message apart by `wire.envelope`: the named groups become its fields, a group called `body` is parsed as JSON
/// when it is JSON (contract.md).
struct Envelope: Sendable {
    private let regex: LinearRegex

    enum Opened: Sendable {
        /// - Parameter tolerated: only some parsers take the body as it is.
        case fields(JSON, tolerated: Bool)
        case misfit
        /// Longer than what an expression is tried on, or of more work: it may be anything.
        case tooLong
    }

    init(_ regex: LinearRegex) { self.regex = regex }

    /// - Parameter text: a text frame, or lower-case hex.
    func open(_ text: String) -> Opened {
        let (found, isDecided) = regex.attempt(text)
        guard let match = found else { return isDecided ? .misfit : .tooLong }
        var members: [JSON.Member] = []
        var tolerated = false
        for case (let name, let found?) in match.values {
            guard name == "body" else {
                members.append(.init(key: name, value: .string(found)))
                continue
            }
            switch JSON.decode(found) {
            case .value(let value, let isOdd):
                tolerated = isOdd
                members.append(.init(key: name, value: value))
            case .malformed(let error):
                tolerated = error.tolerated
                members.append(.init(key: name, value: .string(found)))
            }
        }
        return .fields(.object(members), tolerated: tolerated)
    }
}
