package import Faults

/// One way in: where clients connect, and where what they bring goes.
package struct Route: Sendable {
    package enum Way: Sendable, Equatable {
        /// Everything goes to this one.
        case reverse(Upstream)
        /// Each client names its own by CONNECT, or in the absolute form of a request (RFC 9110 section 7.3.2).
        case forward(AllowList)
    }
    /// For the journal and for people; empty when it is the only one.
    package var name: String
    package var listen: HostPort
    package var way: Way
    /// Nil: every byte passes unchanged.
    package var profile: Profile?
    package var tls = TLSOptions()
    package var http2 = HTTP2Options()

    package init(name: String = "", listen: HostPort, way: Way, profile: Profile? = nil) {
        self.name = name
        self.listen = listen
        self.way = way
        self.profile = profile
    }

    package var upstream: Upstream? { if case .reverse(let upstream) = way { upstream } else { nil } }

    /// TLS inside the tunnels of a forward proxy is ended here and begun anew towards the server.
    package var opensTunnels: Bool { upstream == nil && tls.listener != nil }

    package var speaksTLSToServer: Bool { upstream?.isSecure ?? opensTunnels }

    /// The target's certificate is taken as it is (trust.md T6): said wherever the run is told of.
    package var isUnverified: Bool { speaksTLSToServer && tls.upstream.isInsecure }

    /// Where its traffic goes: a URL, or whom a forward proxy may dial.
    package var target: String {
        switch way {
        case .reverse(let upstream): upstream.url
        case .forward(let allowed): "forward \(allowed)"
        }
    }
}
