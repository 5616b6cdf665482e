package import Contracts
package import Journaling
package import NIOCore
package import Wire

/// The client's side of recorded talks, for whoever plays the server: which recorded request one that comes stands for,
/// and what the recorded answers are called now.
package struct RequestMatcher: Sendable {
    package struct Verdict: Sendable {
        /// Place of the recorded request; nil when nothing of the kind is expected any more.
        package var index: Int?
        /// Nil when it says the same.
        package var difference: Difference?
    }
    private let reader: TalkReader
    private var messages: MessageComparison

    package init(contract: Contract?, recorded talks: [Talk], recordedEpoch: Int64?, nowEpoch: Int64?) {
        reader = TalkReader(contract: contract, at: .client)
        messages = MessageComparison(
            knowledge: FieldKnowledge(contract: contract, recorded: talks, .toServer), binding: Rebinding(),
            recordedEpoch: recordedEpoch, nowEpoch: nowEpoch)
    }

    /// The recorded user of a session is that one now.
    package mutating func learn(user recorded: String?, now: String?) {
        guard let recorded, let now else { return }
        _ = messages.binding.bind(.string(recorded), .string(now), as: "user")
    }

    package func read(_ payload: ByteBuffer, _ opcode: Opcode, number: Int, at: Instant) -> Said {
        var said = reader.read(payload, opcode, .toServer, at: at, order: number)
        said.number = number
        return said
    }

    /// - Parameter open: places of the recorded requests that still wait, in order.
    package mutating func take(_ now: Said, among recorded: [Said], open: [Int]) -> Verdict {
        let said = messages.signature(now, isRecorded: false)
        let same = open.first { messages.signature(recorded[$0], isRecorded: true) == said }
        guard let index = same ?? open.first(where: { recorded[$0].name == now.name }) else {
            var difference = Difference(
                kind: .extra, number: 0, title: now.title, sentence: "nothing of the kind was recorded")
            difference.diff = composer.whole(now, .now)
            return Verdict(index: nil, difference: difference)
        }
        let old = recorded[index]
        let changes = messages.compare(old, now, run: "")
        learn(old, now)
        guard !changes.isEmpty else { return Verdict(index: index) }
        var difference = Difference(
            kind: .changed, number: old.number, title: old.title, sentence: ChangeWords.sentence(old, now, changes))
        difference.diff = composer.diff(old, now, changes)
        return Verdict(index: index, difference: difference)
    }

    private var composer: DiffComposer { DiffComposer(knowledge: messages.knowledge, binding: messages.binding, run: "") }

    private mutating func learn(_ old: Said, _ new: Said) {
        guard let before = old.value, let after = new.value else {
            guard let left = old.payload, let right = new.payload, old.opcode == .text, new.opcode == .text else { return }
            messages.binding.learn(.string(String(buffer: left)), .string(String(buffer: right)), as: "text")
            return
        }
        let values = Dictionary(JSONPlace.leaves(of: after).map { ($0.place, $0.value) }, uniquingKeysWith: { $1 })
        for leaf in JSONPlace.leaves(of: before) {
            guard let value = values[leaf.place] else { continue }
            messages.binding.learn(leaf.value, value, as: FieldKnowledge.short(leaf.place))
        }
    }

    /// A recorded answer with the values that the client made now. From here on the client may say its ids as they are.
    package mutating func rewrite(_ said: Said) -> ByteBuffer {
        guard let payload = said.payload else { return ByteBuffer() }
        guard said.opcode == .text else { return payload }
        let document = JSONDocument(payload)
        guard document.problem == nil, document.root != nil else {
            return ByteBuffer(string: messages.binding.rewritten(String(buffer: payload)))
        }
        var text = ""
        var copied = 0
        for (index, node) in document.nodes.enumerated() {
            guard node.kind == .string || node.kind == .number, node.range.lowerBound >= copied,
                let value = document.value(of: index)
            else { continue }
            let now: JSON
            if let known = messages.binding.now(for: value) {
                now = known
            } else if let words = value.string {
                now = .string(messages.binding.rewritten(words))
                // What only the server can have made the client can only repeat.
                if LiftLeaf.isTelling(value) { _ = messages.binding.bind(value, now, as: "value") }
            } else {
                continue
            }
            guard now != value else { continue }
            text += document.text(copied..<node.range.lowerBound) + now.text
            copied = node.range.upperBound
        }
        return ByteBuffer(string: text + document.text(copied..<document.bytes.count))
    }
}
