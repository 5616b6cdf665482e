import NIOCore
import NIOHTTP2

/// The library's errors: which of them end a connection, and what they are called.
enum HTTP2Trouble {
    /// RFC 9113 section 5.4.1: nothing that follows can be read. What concerns one stream is told to that stream.
    static func endsConnection(_ error: any Error) -> Bool {
        switch error {
        case is NIOHTTP2Errors.NoSuchStream, is NIOHTTP2Errors.StreamClosed, is NIOHTTP2Errors.BadStreamStateTransition,
            is NIOHTTP2Errors.FlowControlViolation, is NIOHTTP2Errors.StreamError, is NIOHTTP2Errors.MaxStreamsViolation,
            is NIOHTTP2Errors.PriorityCycle, is NIOHTTP2Errors.InvalidWindowIncrementSize,
            is NIOHTTP2Errors.TrailersWithoutEndStream, is NIOHTTP2Errors.CreatedStreamAfterGoaway:
            false
        case is NIOHTTP2Errors.MissingPseudoHeader, is NIOHTTP2Errors.DuplicatePseudoHeader,
            is NIOHTTP2Errors.PseudoHeaderAfterRegularHeader, is NIOHTTP2Errors.UnknownPseudoHeader,
            is NIOHTTP2Errors.UnsupportedPseudoHeader, is NIOHTTP2Errors.InvalidPseudoHeaders,
            is NIOHTTP2Errors.MissingHostHeader, is NIOHTTP2Errors.DuplicateHostHeader, is NIOHTTP2Errors.EmptyPathHeader,
            is NIOHTTP2Errors.InvalidStatusValue, is NIOHTTP2Errors.InvalidHTTP2HeaderFieldName,
            is NIOHTTP2Errors.InvalidHTTP2HeaderFieldValue, is NIOHTTP2Errors.ForbiddenHeaderField,
            is NIOHTTP2Errors.InvalidPseudoHeaderValue:
            false
        default: true
        }
    }

    /// One phrase whose subject is the server.
    static func phrase(_ error: any Error) -> String {
        switch error {
        case is NIOHTTP2Errors.ExcessiveRSTFrames, is NIOHTTP2Errors.ExcessiveControlFrames,
            is NIOHTTP2Errors.ExcessiveContinuationFrames, is NIOHTTP2Errors.ExcessiveEmptyDataFrames,
            is NIOHTTP2Errors.ExcessiveNumberOfGlitches, is NIOHTTP2Errors.ExcessiveStreamErrors:
            "sent more of HTTP/2's control than is allowed here"
        case is NIOHTTP2Errors.ExcessivelyLargeHeaderBlock: "sent a larger head than is allowed here"
        case let error as IOError: SocketTuning.words(for: error.errnoCode)
        default: "does not speak HTTP/2"
        }
    }
}
