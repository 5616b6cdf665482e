import Faults
import NIOSSL
import Wire

/// One kind of fault at real sockets: what is set, what is said, and what the far side must see, byte for byte. Everything
/// that is not said here must come as it was sent: the other direction, the other session, both ends of each.
struct KindRow: Sendable {
    let kind: String
    /// As in a flow mapping of a profile, behind `fault: KIND`.
    var settings = ""
    /// Who is the far side; the fault acts on what goes there.
    var to: [Side] = [.server, .client]
    /// Further conditions of the rule beside `to`; empty where the kind decides once for a connection.
    var when = "message: nth 2"
    /// What the other side of the far side says, one after the other.
    var words = ["one", "two", "three"]
    /// The bytes of one word as sent.
    var frames: @Sendable (_ word: String, _ masked: Bool) -> [UInt8] = Sample.text
    /// Both hops are wss.
    var isSecure = false
    /// Chosen because it is the first connection: what is decided before a path is known.
    var isFirst = false
    /// What the far side's hop speaks; the others speak TLS 1.3.
    var version = TLSVersion.tlsv13
    /// What the far side's TLS library must complain of.
    var complaint: String?
    /// Further lines of the request, and of the 101.
    var requestLines = ""
    var acceptLines = ""
    /// All that the far side gets of its session, its head first.
    var sees: @Sendable (Said) -> [Part] = { [.exact($0.head)] + $0.words.map { .exact($0) } }
    /// From this part of `sees` on, all comes later than everything that another session sends and gets meanwhile. Behind
    /// the last one is the end.
    var late: Int?
    /// How the transports of the session end, whoever began it.
    var ends = Ends()
    /// In how many reads it must come at least or at most.
    var pieces: ClosedRange<Int>?
    /// What the near side gets, where it is not what the far side sent.
    var nearSees: (@Sendable (KindStage) -> [UInt8])?
    /// What else the test has seen, for the table.
    var note: String?
    var play = Play.talk

    struct Ends: Sendable, Equatable {
        var far = End.finished
        var near = End.finished
    }
    enum End: String, Sendable {
        /// FIN.
        case finished = "FIN"
        /// RST.
        case reset = "RST"
        /// FIN without TLS's close_notify.
        case truncated = "FIN without close_notify"
        /// Its TLS library gave up.
        case broken = "TLS breaks"
        /// Not while the proxy ran by itself.
        case none = "no end"
        /// There is no connection.
        case nobody = "no connection"
    }

    /// What happens when.
    enum Play: Sendable {
        /// A greeting to and fro, then the words, then the ends.
        case talk
        /// The near side says all that it has to say without waiting for anything, its end too; then the whole other session
        /// lives, then this one is looked at.
        case ahead
        /// As `ahead`, but the near side ends when the other session is over.
        case aheadOfEnd
        /// As `ahead`, but the near side does not end.
        case aheadOpen
        /// Another order of things.
        case own(@Sendable (KindStage) async throws -> KindPlay)
    }

    /// What was sent towards the far side.
    struct Said: Sendable {
        let side: Side
        let head: [UInt8]
        let words: [[UInt8]]

        /// A text frame of ours in place of a word.
        func text(_ text: String) -> Part { .frame(1, Array(text.utf8)) }
        /// A word's bytes, edited.
        func edited(_ word: Int, _ edit: (inout [UInt8]) -> Void) -> Part {
            var bytes = words[word]
            edit(&bytes)
            return .exact(bytes)
        }
        /// The head with one text in place of another.
        func head(_ old: String, _ new: String) -> Part {
            .exact(Array(String(decoding: head, as: UTF8.self).replacing(old, with: new).utf8))
        }
        /// One word is left out, or others stand in its place.
        func with(_ parts: [Part], at word: Int) -> [Part] {
            var all: [Part] = [.exact(head)] + words.map { .exact($0) }
            all.replaceSubrange(word + 1...word + 1, with: parts)
            return all
        }
    }

    /// A stretch of what the far side sees.
    enum Part: Sendable {
        case exact([UInt8])
        /// A frame that a fault wrote: masked with whatever key where the server gets it.
        case frame(UInt8, [UInt8], fin: Bool = true, rsv: UInt8 = 0)
        /// A frame like this one with another key, or with a key.
        case rekeyed([UInt8])
        /// A frame with one bit of its payload changed.
        case flipped([UInt8])
        /// A compressed text frame whose payload alone inflates to this.
        case deflated(String)
    }

}

extension KindRow {
    static let all: [KindRow] = handshake + transport + frame + message + session + tls

    static func of(_ kind: String) -> [KindRow] { all.filter { $0.kind == kind } }
}
