package import Wire

extension Plan {
    /// One frame of `frames fin=0 rsv=4 op=1 mask=00000000 len=7:200 "…" ; op=a hex 00 ff`, as it goes on the wire. Each
    /// part may be left out: `fin=1 rsv=0 op=1`, a drawn mask, the true length in its shortest form, no payload.
    package struct FrameText: Sendable, Hashable {
        package enum Mask: Sendable, Hashable {
            /// Eight bytes of the play's dice, as for any message.
            case drawn
            /// The mask bit is clear.
            case none
            /// In wire order, first byte = most significant.
            case key(UInt32)
        }
        /// What the length field says, whatever the payload is. Of a value too large for the form its low bits are
        /// written: 7 of `7:`, 16 of `16:`.
        package struct Length: Sendable, Hashable {
            package var form: LengthForm
            package var value: UInt64
            package init(form: LengthForm, value: UInt64) {
                self.form = form
                self.value = value
            }
        }
        package enum Payload: Sendable, Hashable {
            /// With `$run1.thread_id` and `{canary}` as in `send text`.
            case text(String)
            case bytes([UInt8])
        }
        package var fin: Bool
        /// RSV1-3 as a number from 0 to 7; RSV1 is 4.
        package var rsv: UInt8
        package var opcode: Opcode
        package var mask: Mask
        /// Nil = the true one.
        package var length: Length?
        package var payload: Payload

        package init(
            fin: Bool = true, rsv: UInt8 = 0, opcode: Opcode = .text, mask: Mask = .drawn, length: Length? = nil,
            payload: Payload = .text("")
        ) {
            self.fin = fin
            self.rsv = rsv & 0x7
            self.opcode = opcode
            self.mask = mask
            self.length = length
            self.payload = payload
        }

        /// Length of the payload as the plan has it, its references not filled in.
        package var payloadBytes: Int {
            switch payload {
            case .text(let text): text.utf8.count
            case .bytes(let bytes): bytes.count
            }
        }

        /// As in the plan's text; `op` always stands there, other parts where they are not what goes without saying.
        package var text: String {
            var words: [String] = []
            if !fin { words.append("fin=0") }
            if rsv != 0 { words.append("rsv=\(rsv)") }
            words.append("op=" + String(opcode.rawValue, radix: 16))
            switch mask {
            case .drawn: break
            case .none: words.append("mask=none")
            case .key(let key):
                let digits = String(key, radix: 16)
                words.append("mask=" + String(repeating: "0", count: 8 - digits.count) + digits)
            }
            if let length { words.append("len=\(length.form.rawValue):\(length.value)") }
            switch payload {
            case .text(""): break
            case .text(let text): words.append(quote(text))
            case .bytes(let bytes): words.append("hex" + hexWords(bytes))
            }
            return words.joined(separator: " ")
        }
    }
}

/// ` 81 7e`
func hexWords(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(3 * bytes.count)
    for byte in bytes {
        text.append(0x20)
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 0xf)])
    }
    return String(decoding: text, as: UTF8.self)
}
