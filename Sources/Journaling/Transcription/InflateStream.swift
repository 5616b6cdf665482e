import NIOCore
import Wire

/// How one direction's messages are compressed.
struct DirectionDeflate: Sendable {
    var direction: Direction
    var parameters: DeflateParameters
    var takeover: Bool { parameters.takeover(direction) }
}

/// One inflate context, or why there is none.
enum InflateStream: Sendable {
    case alive(Inflater)
    case lost(MessageTrack.Unlifted)

    enum Outcome {
        case plain(ByteBuffer)
        case failed(MessageTrack.Unlifted)
    }

    static func lost(_ reason: String, limit: String? = nil) -> InflateStream {
        .lost(MessageTrack.Unlifted(limit: limit, reason: reason))
    }

    static func begun(_ deflate: DirectionDeflate) -> InflateStream {
        do {
            return .alive(try deflate.parameters.inflater(deflate.direction))
        } catch {
            return .lost(error.detail, limit: error.isLimit ? "L5" : nil)
        }
    }

    var isAlive: Bool { if case .alive = self { true } else { false } }

    func copied() -> InflateStream {
        guard case .alive(let inflater) = self else { return self }
        do {
            return .alive(try inflater.copied())
        } catch {
            return .lost(error.detail, limit: error.isLimit ? "L5" : nil)
        }
    }

    func inflate(_ payload: ByteBuffer, limit: Int) -> Outcome {
        switch self {
        case .lost(let unlifted): return .failed(unlifted)
        case .alive(let inflater):
            do {
                return .plain(try inflater.inflate(payload, limit: limit))
            } catch {
                return .failed(MessageTrack.Unlifted(limit: error.isLimit ? "L4" : nil, reason: error.detail))
            }
        }
    }

    /// A message of this context was not inflated.
    func skip() { if case .alive(let inflater) = self { inflater.skip() } }
}
