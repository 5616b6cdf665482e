import Journaling
import NIOCore
import Synchronization
import Wire

/// Values of variables that profiles name (`${NAME}`), those of a profile that was changed since as well: known to the
/// redactor wherever they pass, and to nobody else.
package final class SecretWords: Sendable {
    private let words = Mutex<[[UInt8]]>([])

    package init(_ texts: [String] = []) { learn(texts) }

    package func learn(_ texts: [String]) {
        words.withLock { words in
            for text in texts where !text.isEmpty && !words.contains(Array(text.utf8)) { words.append(Array(text.utf8)) }
        }
    }

    fileprivate func found(in bytes: @autoclosure () -> [UInt8]) -> [FoundSecret] {
        let known = words.withLock { $0 }
        guard !known.isEmpty else { return [] }
        return Redactor.occurrences(of: known, in: bytes()).map { span in
            FoundSecret(place: "environment", value: String(decoding: span.secret, as: UTF8.self), range: span.range, isCredential: false)
        }
    }
}

/// A finder that knows these words beside what it knows anyway.
struct ProfileSecrets: SecretFinder {
    let base: any SecretFinder
    let words: SecretWords

    func secrets(inRequest head: HeadView) -> [FoundSecret] { base.secrets(inRequest: head) + words.found(in: Array(head.bytes)) }
    func secrets(inResponse head: HeadView) -> [FoundSecret] { base.secrets(inResponse: head) + words.found(in: Array(head.bytes)) }
    func secrets(inMessage payload: ByteBuffer, opcode: Opcode, _ direction: Direction) -> [FoundSecret] {
        base.secrets(inMessage: payload, opcode: opcode, direction) + words.found(in: Array(payload.readableBytesView))
    }
    func users(inRequest head: HeadView, credential: FoundSecret?) -> [String] { base.users(inRequest: head, credential: credential) }
    func user(inMessage payload: ByteBuffer, credential: FoundSecret) -> String? { base.user(inMessage: payload, credential: credential) }
    func users(inMessage payload: ByteBuffer, opcode: Opcode) -> [String] { base.users(inMessage: payload, opcode: opcode) }
    var learnsUsers: Bool { base.learnsUsers }
    var verificationKey: [UInt8]? { base.verificationKey }
    var expectsJWT: Bool { base.expectsJWT }
}
