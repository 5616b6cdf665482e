import Journaling
import Wire

/// One message of a flow: `[opcode, from_client, content, timestamp, dropped, injected]`, the last two since versions 5
/// and 15.
struct FlowMessage: Equatable {
    var side: Side?
    var opcode: Opcode?
    /// Nil: nothing passed on the wire.
    var payload: [UInt8]?
    var time: WallTime?
    /// One phrase for people.
    var remark: String?

    init(remark: String) { self.remark = remark }

    init(_ value: Tnetstring, _ reader: inout TnetstringReader, limits: Limits) throws(TnetstringReader.Fault) {
        guard let parts = try reader.list(value, most: 16), parts.count >= 3 else {
            remark = "it is no list of opcode, sender, content and time"
            return
        }
        time = parts.count > 3 ? try reader.time(parts[3]) : nil
        guard let number = try reader.integer(parts[0]).flatMap({ UInt8(exactly: $0) }), number < 16 else {
            remark = "its opcode is none"
            return
        }
        guard let fromClient = try reader.boolean(parts[1]) else {
            remark = "it does not say who sent it"
            return
        }
        opcode = Opcode(rawValue: number)
        side = fromClient ? .client : .server
        guard let content = try reader.bytes(parts[2], most: limits.importLineBytes) else {
            remark = "its content is no bytes, or more than \(limits.importLineBytes >> 20) MiB (limit L15)"
            return
        }
        payload = content
        if parts.count > 4, try reader.boolean(parts[4]) == true {
            payload = nil
            remark = "mitmproxy dropped it on its way to the \(fromClient ? "server" : "client"); it is left out"
        } else if parts.count > 5, try reader.boolean(parts[5]) == true {
            remark = "mitmproxy injected it; the \(fromClient ? "client" : "server") did not send it"
        }
    }
}
