import NIOCore
import Wire

extension SessionScene {
    /// Sentences of ours may quote a request or an answer.
    func clean(_ body: Entry.Body, _ shared: inout TranscriptContext) -> Entry.Body {
        switch body {
        case .note(let text): return .note(clean(text, &shared))
        case .became(.opaque(let reason)): return .became(.opaque(clean(reason, &shared)))
        case .became(.accepted(let subprotocol?, let deflate)):
            return .became(.accepted(subprotocol: clean(subprotocol: subprotocol, &shared), deflate: deflate))
        case .fault(var fault):
            fault.detail = clean(fault.detail, &shared)
            return .fault(fault)
        case .limit(var limit):
            limit.detail = clean(limit.detail, &shared)
            return .limit(limit)
        case .recoded(var recoded):
            recoded.reason = clean(recoded.reason, &shared)
            return .recoded(recoded)
        case .ended(var end):
            end.cause = clean(end.cause, &shared)
            return .ended(end)
        case .opened, .head, .facts, .became, .frame, .bytes, .hold, .closed, .target, .tick: return body
        }
    }

    private func clean(_ text: String, _ shared: inout TranscriptContext) -> String {
        shared.redactor.redact(text, known: secrets, hidden: shared.hidden)
    }

    /// What a server chose may be the very element that bore the credential.
    private func clean(subprotocol: String, _ shared: inout TranscriptContext) -> String {
        let head = "HTTP/1.1 101\r\nSec-WebSocket-Protocol: "
        let redacted = shared.redactor.redact(
            head: ByteBuffer(string: head + subprotocol), .toClient, finder: shared.finder, known: secrets,
            hidden: shared.hidden)
        return String(decoding: redacted.bytes.readableBytesView.dropFirst(head.utf8.count), as: UTF8.self)
    }
}
