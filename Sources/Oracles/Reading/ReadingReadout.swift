import Contracts
package import Journaling
import NIOCore
package import Wire

/// How one message was read, for people who ask how their contract takes their traffic (`miswire check --messages`).
package struct MessageReading: Sendable, Equatable {
    /// `#4413`
    package var number: UInt64
    package var at: Instant
    package var session: SessionID
    package var user: String
    package var direction: Direction
    /// The declared name, or the type value of what is declared nowhere, or `<malformed>`.
    package var name: String
    /// What its shape lacks, or why it could not be decoded.
    package var problem: String?
    /// Requests: `must-reject by rule 3`, `must-accept`; nil = may-accept.
    package var label: String?
    /// Events: the request that this one settled. Both: the run that it names or starts.
    package var answers: UInt64?
    package var run: String?
}

extension Reader {
    /// What is open before a message is read, so that it shows what the message changed.
    struct Standpoint {
        var open: [UInt64]
        var lastRequest: UInt64
    }

    func standpoint(_ id: SessionID) -> Standpoint? {
        guard readout != nil, let user = sessions[id]?.user else { return nil }
        return Standpoint(open: openRequests(of: user), lastRequest: lastRequest)
    }

    /// Never called unless somebody asked: reading a message twice costs as much as judging it.
    mutating func tellReadout(
        _ payload: ByteBuffer, _ message: MessageRecord, _ direction: Direction, _ entry: Entry, _ id: SessionID, at: Instant,
        since before: Standpoint
    ) {
        guard let contract, let recognizer, let session = sessions[id] else { return }
        let recognition = recognizer.recognise(payload, opcode: message.opcode, direction: direction)
        var reading = MessageReading(
            number: entry.number, at: at, session: id, user: session.user.label, direction: direction,
            name: Self.name(of: recognition), problem: Self.problem(of: recognition))
        reading.run = contract.runs.lazy.compactMap { rule -> String? in
            guard let value = recognition.value, let key = contract.key(of: rule, in: value) else { return nil }
            return "\(rule.name) \(Terminal.plain(Identifiers.text(key)))"
        }.first
        if direction == .toServer {
            if lastRequest > before.lastRequest, let request = requests[lastRequest] { label(&reading, request, contract) }
        } else {
            let settled = before.open.first { requests[$0] == nil }
            reading.answers = settled.flatMap { standings[$0] }
        }
        readout?.append(reading)
        noteStandings(id, since: before)
    }

    /// Entry numbers of the requests that are open, by their own number.
    private mutating func noteStandings(_ id: SessionID, since before: Standpoint) {
        for number in before.open where requests[number] == nil { standings[number] = nil }
        guard lastRequest > before.lastRequest, let request = requests[lastRequest] else { return }
        if standings.count < capacity.requests { standings[lastRequest] = request.entry.number }
    }

    private func label(_ reading: inout MessageReading, _ request: Request, _ contract: Terms) {
        switch request.waits {
        case .refusal(let rule, _): reading.label = "must-reject by rule \(rule + 1)"
        case .start(let number):
            if let run = runs[number] { reading.run = reading.run ?? "\(contract.runs[run.rule].name), started" }
        case .answer, .nothing: break
        }
        if request.isFromFlow { reading.label = "must-accept" }
        if request.isIndeterminate { reading.label = (reading.label.map { $0 + ", " } ?? "") + "undecided" }
    }

    private static func name(of recognition: Recognition) -> String {
        switch recognition.outcome {
        case .malformed: "<malformed>"
        case .ignored: "<ignored>"
        case .unreadable: "<unreadable>"
        case .unknown: "<unknown>" + (recognition.type.map { " " + Terminal.plain($0) } ?? "")
        case .valid, .invalid: Terminal.plain(recognition.name ?? recognition.type ?? "<unknown>")
        }
    }

    private static func problem(of recognition: Recognition) -> String? {
        switch recognition.outcome {
        case .invalid(let why): "needs " + Terminal.plain(why, limit: 200)
        case .malformed(let why), .unreadable(let why): Terminal.plain(why, limit: 200)
        case .valid, .unknown, .ignored: nil
        }
    }
}
