package import Journaling
import NIOCore
import Wire

/// Plain messages, one a line:
/// `{"session":"s1","user":"alice","direction":"toServer","opcode":1,"time":"2026-09-21T14:02:16.014Z","data":"…"}`.
/// The first line of a session has its `path` as well. What is no UTF-8 stands as base64 in `data64`. With `--frames` control frames are lines as well, and each line has
/// `frames`: of every frame its FIN and reserved bits, opcode, masking key, length, and the form of that length.
package enum NDJSONExporter: Exporter {
    package static let name = "ndjson"
    package static let summary = "messages, one JSON object a line"

    package static func write(
        _ source: ExportSource, options: ExportOptions, to output: any ExportOutput
    ) throws(RecordingError) -> ExportSummary {
        var summary = ExportSummary()
        var reader: ExportReader?
        var sessions = Set<SessionID>()
        let read = try source.read(limits: options.limits) { (entry, header) throws(RecordingError) in
            if reader == nil { reader = ExportReader(header) }
            switch reader?.take(entry) {
            case .message(let message):
                guard options.frames || !message.opcode.isControl else { return }
                summary.messages += 1
                let session = reader?.sessions[message.session]
                let isFirst = sessions.insert(message.session).inserted
                let target = isFirst ? session?.request.flatMap { try? RequestHead($0.head) }?.target : nil
                try output.write(line(message, user: session?.user, target: target, frames: options.frames))
            default: break
            }
        }
        summary.sessions = sessions.count
        summary.left = reader?.left ?? []
        summary.take(read)
        return summary
    }

    static func line(_ message: ExportedMessage, user: String?, target: String?, frames: Bool) -> [UInt8] {
        var text = ExportText()
        text.object { line in
            line.write("session", message.session.description)
            if let user { line.write("user", user) }
            if let target { line.write("path", target) }
            line.write("direction", message.direction.rawValue)
            line.write("opcode", message.opcode.rawValue)
            line.write("time", WallClockText.isoText(message.time))
            payload(message.payload, &line)
            guard frames else { return }
            line.array("frames") { list in
                for frame in message.frames {
                    list.element()
                    list.object { bits(frame, &$0) }
                }
            }
        }
        text.raw("\n")
        return text.bytes
    }

    private static func payload(_ payload: ByteBuffer, _ line: inout ExportText) {
        if UTF8Validator.isValid(payload) {
            line.key("data")
            line.quote(payload.readableBytesView)
        } else {
            line.write("data64", AcceptKey.base64(Array(payload.readableBytesView)))
        }
    }

    private static func bits(_ frame: Frame, _ line: inout ExportText) {
        line.write("fin", literal: frame.fin ? "true" : "false")
        if frame.rsv != 0 { line.write("rsv", frame.rsv) }
        line.write("opcode", frame.opcode.rawValue)
        if let key = frame.maskKey {
            let digits = String(key, radix: 16)
            line.write("mask", String(repeating: "0", count: 8 - digits.count) + digits)
        }
        line.write("length", frame.declaredLength)
        line.write("form", frame.lengthForm.rawValue)
    }
}
