/// Bounds of one head in bytes and fields (trust.md L1).
package struct HeadLimits: Sendable, Hashable {
    package var total: Int
    package var field: Int
    package var startLine: Int
    package var fields: Int
    package init(total: Int = 65_536, field: Int = 16_384, startLine: Int = 8_192, fields: Int = 256) {
        self.total = total
        self.field = field
        self.startLine = startLine
        self.fields = fields
    }
}

/// Why a head is not passed on: two readers could take it for two different things (trust.md T22), or it is too large.
package struct HeadRefusal: Error, Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case bareLF, bareCR, nul, folded, control, startLine, fieldName, noColon
        case severalHosts, lengthWithEncoding, contentLength, encoding
        case headTooLong(Int), fieldTooLong(Int), startLineTooLong(Int), tooManyFields(Int)
    }
    package var kind: Kind
    /// Bytes from the start of the head.
    package var offset: Int

    package init(_ kind: Kind, at offset: Int) {
        self.kind = kind
        self.offset = offset
    }

    /// A limit of ours (L1), not a fault of the head.
    package var isLimit: Bool {
        switch kind {
        case .headTooLong, .fieldTooLong, .startLineTooLong, .tooManyFields: true
        default: false
        }
    }

    /// What a client is answered. A server's head that is refused is 502 towards the client, whatever the reason.
    package var status: Int { isLimit ? 431 : 400 }

    package var detail: String {
        switch kind {
        case .bareLF: "a line ends with LF alone"
        case .bareCR: "a CR without LF"
        case .nul: "a NUL byte"
        case .folded: "a folded field"
        case .control: "a control character"
        case .startLine: "the first line is malformed"
        case .fieldName: "a field name is no token"
        case .noColon: "a field without a colon"
        case .severalHosts: "more than one Host"
        case .lengthWithEncoding: "Content-Length together with Transfer-Encoding"
        case .contentLength: "Content-Length is repeated or no number"
        case .encoding: "Transfer-Encoding does not end with one chunked"
        case .headTooLong(let limit): "longer than \(limit) bytes"
        case .fieldTooLong(let limit): "a field longer than \(limit) bytes"
        case .startLineTooLong(let limit): "a first line longer than \(limit) bytes"
        case .tooManyFields(let limit): "more than \(limit) fields"
        }
    }
}
