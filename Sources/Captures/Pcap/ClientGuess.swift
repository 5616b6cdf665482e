import NIOCore

/// Which side of a connection is the client when the capture does not show who called: by what the sides say, else by
/// their ports.
struct ClientGuess {
    var clientIsLow: Bool
    /// `its first bytes are a request`
    var reason: String

    static func of(_ key: FlowKey, _ held: [HeldSegment]) -> ClientGuess {
        for segment in held {
            let bytes = segment.piece.bytes
            if let (isClient, reason) = speaker(bytes) {
                return ClientGuess(clientIsLow: isClient == segment.fromLow, reason: reason)
            }
        }
        return byPorts(key)
    }

    /// Whether these bytes are a client's (true) or a server's; nil when they tell nothing.
    private static func speaker(_ bytes: ByteBuffer) -> (Bool, String)? {
        let head = Array(bytes.readableBytesView.prefix(12))
        if starts(head, "HTTP/1.") { return (false, "the other side answers with HTTP") }
        if ["GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT "].contains(where: {
            starts(head, $0)
        }) {
            return (true, "it sends a request")
        }
        if head.count >= 6, head[0] == 22, head[1] == 3 {
            if head[5] == 1 { return (true, "it greets first in TLS") }
            if head[5] == 2 { return (false, "the other side answers a greeting of TLS") }
        }
        return frame(head)
    }

    /// A frame's beginning: only clients mask.
    private static func frame(_ head: [UInt8]) -> (Bool, String)? {
        guard head.count >= 2, [0x81, 0x82, 0xc1, 0xc2, 0x88, 0x89, 0x8a].contains(head[0]) else { return nil }
        return head[1] & 0x80 != 0 ? (true, "its frames are masked") : (false, "the other side's frames are not masked")
    }

    private static func starts(_ head: [UInt8], _ word: String) -> Bool { head.starts(with: Array(word.utf8)) }

    private static func byPorts(_ key: FlowKey) -> ClientGuess {
        let low = rank(key.lowPort)
        let high = rank(key.highPort)
        let clientIsLow = low != high ? low > high : key.lowPort > key.highPort
        return ClientGuess(clientIsLow: clientIsLow, reason: "the other port is one that servers listen on")
    }

    /// The lower, the more a server's: well-known ports, then registered ones, then those that systems give to clients.
    private static func rank(_ port: UInt16) -> Int {
        switch port {
        case 80, 443, 8080, 8443, 8000, 8888, 3000, 5000: 0
        case ..<1_024: 1
        case ..<32_768: 2
        default: 3
        }
    }
}
