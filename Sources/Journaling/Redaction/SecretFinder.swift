package import NIOCore
package import Wire

/// Knows where an application's secrets stand. Journaling cannot read contracts: a contract is made to conform, and
/// `StandardSecrets` serves where there is none. What it does not find, the redactor still does when it has the shape
/// of a JWT or stands in a field that always holds credentials (trust.md T34).
package protocol SecretFinder: Sendable {
    /// Secrets in a request head, credentials first and in the contract's order of places.
    func secrets(inRequest head: HeadView) -> [FoundSecret]
    /// Secrets in a response head.
    func secrets(inResponse head: HeadView) -> [FoundSecret]
    /// Secrets in a whole message (joined, inflated). Called for every message: to be quick where there are none.
    func secrets(inMessage payload: ByteBuffer, opcode: Opcode, _ direction: Direction) -> [FoundSecret]
    /// The principal's name, by the contract's `identity.user`; `credential` is the one found, when one is. All names that a
    /// server may read there, the likeliest first: a place may stand twice in a head.
    func users(inRequest head: HeadView, credential: FoundSecret?) -> [String]
    /// The principal's name, for a message that carried `credential`.
    func user(inMessage payload: ByteBuffer, credential: FoundSecret) -> String?
    /// A message of the client may say who the user is, where its head does not.
    var learnsUsers: Bool { get }
    /// The names that a message of the client says, the likeliest first.
    func users(inMessage payload: ByteBuffer, opcode: Opcode) -> [String]
    /// The key with which credentials are signed (HS256, HS384, HS512), when it is known.
    var verificationKey: [UInt8]? { get }
    /// The key is a guess: that of the demo, where nobody named one. Until a credential signed with it was let in it says
    /// nothing about those of others.
    var isKeyPresumed: Bool { get }
    /// Whoever runs this handed over that credential, so that ours need not be the key that signed it.
    func isGiven(_ credential: String) -> Bool
    /// The contract reads claims from credentials (`|jwt`), so that one which is no JWT is corrupt.
    var expectsJWT: Bool { get }
}

extension SecretFinder {
    package var learnsUsers: Bool { false }
    package var isKeyPresumed: Bool { false }
    package func isGiven(_ credential: String) -> Bool { false }
    package func users(inMessage payload: ByteBuffer, opcode: Opcode) -> [String] { [] }

    package func user(inRequest head: HeadView, credential: FoundSecret?) -> String? {
        users(inRequest: head, credential: credential).first
    }
}

/// One secret and where its bytes stand.
package struct FoundSecret: Sendable, Hashable {
    /// The contract's words for the place: `header authorization`, `request auth token`.
    package var place: String
    /// The secret as the application sees it: scheme word cut off, escapes resolved.
    package var value: String
    /// Its bytes in the head or message, to be replaced: without quotes, with escapes as they stand.
    package var range: Range<Int>
    /// It says who the user is (`identity.credential`), and facts are to be written down.
    package var isCredential: Bool
    /// It says the same as a name of the contract, which everybody may read.
    package var isWord = false
    /// A number: what stands for it needs quotes, or the message were no JSON any more.
    package var isBare = false
    /// It stands for all of the message, which holds more secrets than anybody cuts out one by one: nobody may read any of it.
    package var withholds = false
    /// How it is cut out.
    var span: Redactor.Span { Redactor.Span(range: range, secret: Array(value.utf8), isBare: isBare) }
    package init(place: String, value: String, range: Range<Int>, isCredential: Bool) {
        self.place = place
        self.value = value
        self.range = range
        self.isCredential = isCredential
    }
    /// - Parameter size: of the message, in bytes.
    package static func withheld(_ place: String, _ size: Int) -> FoundSecret {
        var found = FoundSecret(place: place, value: "", range: 0..<size, isCredential: false)
        found.withholds = true
        return found
    }
}
