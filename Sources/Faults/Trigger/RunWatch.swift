import Contracts
import Wire

/// How many runs this session has open, for `during`: a request that starts one opens it, an event with an edge to
/// `done` ends it. Nothing is judged by this.
struct RunWatch: Sendable {
    private let requests: [MessageRule]
    private let endings: [MessageName]
    private let recognizer: Recognizer
    private(set) var open = 0

    init(_ contract: Contract) {
        requests = contract.requests
        endings = contract.runs.flatMap(\.states).flatMap(\.edges).filter { $0.next == "done" }.map(\.name)
        recognizer = Recognizer(contract)
    }

    var isOpen: Bool { open > 0 }

    mutating func saw(_ message: LiftedMessage, _ direction: Direction) {
        for read in recognizer.recogniseAll(message.payload, opcode: message.opcode, direction: direction) { saw(read, direction) }
    }

    private mutating func saw(_ read: Recognition, _ direction: Direction) {
        if direction == .toServer {
            if let rule = read.rule, requests.indices.contains(rule), requests[rule].starts != nil { open += 1 }
        } else if open > 0, endings.contains(where: { $0.names(isRequest: false, name: read.name, type: read.type) }) {
            open -= 1
        }
    }
}
