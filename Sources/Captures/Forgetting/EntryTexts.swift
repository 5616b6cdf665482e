import Journaling
import NIOCore

extension Entry {
    /// The same entry with each mention in it replaced. Frames are left to `forgotten`: a message is kept whole or not at
    /// all.
    func without(_ mentions: Mentions) -> Entry {
        func cut(_ text: String) -> String { mentions.replaced(in: text) }
        func cut(_ bytes: ByteBuffer) -> ByteBuffer {
            let old = Array(bytes.readableBytesView)
            let new = mentions.replaced(in: old)
            return new == old ? bytes : ByteBuffer(bytes: new)
        }
        var entry = self
        switch body {
        case .opened(var opened):
            opened.peer = cut(opened.peer)
            opened.fault = opened.fault.map(cut)
            entry.body = .opened(opened)
        case .head(var head):
            head.bytes = cut(head.bytes)
            head.provenance.faults = head.provenance.faults.map(cut)
            entry.body = .head(head)
        case .facts(var facts):
            facts.user = facts.user.map(cut)
            facts.rivals = facts.rivals.map(cut)
            facts.place = facts.place.map(cut)
            facts.faults = facts.faults.map(cut)
            entry.body = .facts(facts)
        case .became(.accepted(let subprotocol, let deflate)):
            entry.body = .became(.accepted(subprotocol: subprotocol.map(cut), deflate: deflate))
        case .became(.opaque(let reason)): entry.body = .became(.opaque(cut(reason)))
        case .frame(var frame):
            let reason = frame.message?.unlifted.map(cut)
            frame.message?.unlifted = reason
            frame.provenance.faults = frame.provenance.faults.map(cut)
            entry.body = .frame(frame)
        case .bytes(var bytes):
            bytes.provenance.faults = bytes.provenance.faults.map(cut)
            entry.body = .bytes(bytes)
        case .fault(var fault):
            fault.id = cut(fault.id)
            fault.detail = cut(fault.detail)
            fault.partner = fault.partner.map(cut)
            entry.body = .fault(fault)
        case .limit(var limit):
            limit.detail = cut(limit.detail)
            entry.body = .limit(limit)
        case .recoded(var recoded):
            recoded.reason = cut(recoded.reason)
            entry.body = .recoded(recoded)
        case .ended(var end):
            end.cause = cut(end.cause)
            entry.body = .ended(end)
        case .note(let text): entry.body = .note(cut(text))
        case .target(.sentinel(let user)): entry.body = .target(.sentinel(user: cut(user)))
        case .target(.gone(let how)): entry.body = .target(.gone(cut(how)))
        case .became(.refused), .hold, .closed, .target(.usage), .target(.calibrated), .tick: break
        }
        return entry
    }

    /// The same entry without what was said: that something passed, and how much, stays.
    var emptied: Entry { withoutContent(Mentions.replacement, closeBytes: 0) }
}

extension RecordingHeader {
    /// The contract stays: it is the application's, and no traffic.
    func without(_ mentions: Mentions) -> RecordingHeader {
        var header = self
        header.purpose = mentions.replaced(in: purpose)
        header.upstream = mentions.replaced(in: upstream)
        header.users = users.map(mentions.replaced(in:))
        if var source = profile, mentions.isIn(source.text) || mentions.isIn(source.name) {
            source.name = mentions.replaced(in: source.name)
            source.text = mentions.replaced(in: source.text)
            source.hash = Digest.sha256Hex(source.text, digits: 6)
            header.profile = source
        }
        return header
    }
}
