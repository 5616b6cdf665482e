/// Why a deflate stream cannot be read or written.
package enum DeflateError: Error, Sendable, Hashable {
    /// Outside of 8 to 15 (RFC 7692 section 7.1.2).
    case windowBits(Int)
    /// The output would be longer than this many bytes (trust.md L4); the context is given up.
    case tooLong(Int)
    /// No deflate data; what zlib says about it.
    case corrupt(String)
    /// The context was given up at an earlier message, and later ones refer to it.
    case contextLost
    case memory

    package var detail: String {
        switch self {
        case .windowBits(let bits): "window bits \(bits), allowed are 8 to 15"
        case .tooLong(let limit): "inflates to more than \(limit) bytes"
        case .corrupt(let reason): "broken deflate data: \(reason)"
        case .contextLost: "an earlier message of this compression context was not inflated"
        case .memory: "no memory for a compression context"
        }
    }

    /// A limit of ours, not a fault of the sender.
    package var isLimit: Bool {
        switch self {
        case .tooLong, .memory: true
        default: false
        }
    }
}
