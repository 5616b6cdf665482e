import Journaling
import NIOCore
import NIOHTTP2

/// Which hops speak HTTP/2 (RFC 9113), each WebSocket being a stream of its own (RFC 8441).
package struct HTTP2Options: Sendable, Hashable {
    /// Clients may: by the preface (prior knowledge) and, where the listener has TLS, by ALPN. Others are served as ever.
    package var fromClients = false
    /// The server must.
    package var toServer = false
    package init() {}
    package init(fromClients: Bool, toServer: Bool) {
        self.fromClients = fromClients
        self.toServer = toServer
    }
}

/// What a connection may cost, whoever is at its other end (trust.md section 3). None of it is the library's choice.
enum HTTP2Limits {
    /// Streams at once on a client's connection.
    static let streams = 100
    /// Bytes on their way to us on all streams of a connection.
    static let connectionWindow = 1 << 20
    /// `SETTINGS_MAX_FRAME_SIZE`: the least that the RFC allows, and what others send unasked.
    static let frameBytes = 16_384
    /// Resets, errors of streams, and control frames in 30 s.
    static let eventsPerWindow = 200
    static let glitches = 1_000

    static func connection(_ limits: Limits, isServer: Bool) -> NIOHTTP2Handler.ConnectionConfiguration {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxHeaderListSize, value: limits.headBytes),
            HTTP2Setting(parameter: .maxFrameSize, value: frameBytes),
            HTTP2Setting(parameter: .initialWindowSize, value: limits.pendingHigh),
        ]
        configuration.initialSettings +=
            isServer
            ? [
                HTTP2Setting(parameter: .maxConcurrentStreams, value: streams),
                HTTP2Setting(parameter: .enableConnectProtocol, value: 1),
            ]
            : [HTTP2Setting(parameter: .enablePush, value: 0)]
        // What a tunnel carries is not told by a Content-Length (RFC 9110 section 9.3.6), and what a fault does to one is to
        // arrive.
        configuration.contentLengthValidation = .disabled
        configuration.maximumSequentialEmptyDataFrames = 16
        configuration.maximumBufferedControlFrames = 1_000
        configuration.maximumSequentialContinuationFrames = 5
        configuration.maximumRecentlyResetStreams = 100
        configuration.maximumConnectionGlitches = glitches
        configuration.targetWindowSize = connectionWindow
        configuration.controlFrameRateLimit.maximumCount = eventsPerWindow
        configuration.controlFrameRateLimit.windowLength = .seconds(30)
        return configuration
    }

    static func stream(_ limits: Limits) -> NIOHTTP2Handler.StreamConfiguration {
        var configuration = NIOHTTP2Handler.StreamConfiguration()
        configuration.targetWindowSize = limits.pendingHigh
        configuration.outboundBufferSizeHighWatermark = limits.pendingHigh
        configuration.outboundBufferSizeLowWatermark = limits.pendingLow
        configuration.streamResetFrameRateLimit.maximumCount = eventsPerWindow
        configuration.streamResetFrameRateLimit.windowLength = .seconds(30)
        configuration.streamErrorRateLimit.maximumCount = eventsPerWindow
        configuration.streamErrorRateLimit.windowLength = .seconds(30)
        return configuration
    }
}
