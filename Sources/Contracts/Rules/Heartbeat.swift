/// Messages by which the two sides tell each other that they are there (contract.md, `session.heartbeat`). They are
/// recognised, then ignored by everything but this rule.
package struct HeartbeatRule: Sendable, Hashable {
    package enum Asker: String, Sendable, Hashable { case client, server, either }
    /// Declared names; of a request where the client says it, of an event where the server does.
    package var ask: String
    package var answer: String
    package var from: Asker
    /// How often it is asked; nil = whenever it pleases.
    package var every: Duration?
    /// How long the answer may take; nil = the contract's `deadline`.
    package var within: Duration?
    package var line: Line
    package init(ask: String, answer: String, from: Asker, every: Duration?, within: Duration?, line: Line) {
        self.ask = ask
        self.answer = answer
        self.from = from
        self.every = every
        self.within = within
        self.line = line
    }

    package enum Part: Sendable, Hashable { case ask, answer }

    /// What a message is to the heartbeat; nil = no part of it.
    package func part(isRequest: Bool, name: String?) -> Part? {
        guard let name else { return nil }
        let mayAsk = from == .either || (from == .client) == isRequest
        let mayAnswer = from == .either || (from == .server) == isRequest
        if mayAsk, name == ask { return .ask }
        return mayAnswer && name == answer ? .answer : nil
    }
}
