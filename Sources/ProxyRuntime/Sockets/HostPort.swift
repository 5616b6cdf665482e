/// A TCP address as people write it: `127.0.0.1:9000`, `[::1]:9000`, `:9000` (every interface), `localhost:0`.
package struct HostPort: Sendable, Hashable, CustomStringConvertible {
    /// A name or a literal, IPv6 without its brackets.
    package var host: String
    /// 0 asks the system for a free one.
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// - Parameter defaultPort: taken when the text ends without `:PORT`; nil makes the port a must.
    package init(_ text: String, defaultPort: Int? = nil) throws(RuntimeError) {
        let malformed = RuntimeError.malformedAddress(text)
        let host: Substring
        let rest: Substring
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { throw malformed }
            host = text[text.index(after: text.startIndex)..<close]
            rest = text[text.index(after: close)...]
        } else {
            let colon = text.firstIndex(of: ":") ?? text.endIndex
            host = text[..<colon]
            rest = text[colon...]
        }
        let port: Int
        if rest.isEmpty {
            guard let defaultPort else { throw malformed }
            port = defaultPort
        } else {
            guard rest.first == ":", rest.dropFirst().utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = UInt16(rest.dropFirst())
            else { throw malformed }
            port = Int(number)
        }
        guard !host.contains(where: { $0.isWhitespace || $0 == "/" || $0 == "@" }) else { throw malformed }
        self.init(host: host.isEmpty ? "0.0.0.0" : String(host), port: port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// Where the proxy sends what it gets: scheme and address of a `ws://HOST:PORT/PATH` or `wss://` URL. The path stands for people
/// only, since every client's own request line passes unchanged.
package struct Upstream: Sendable, Hashable, CustomStringConvertible {
    package var url: String
    package var address: HostPort
    /// It is spoken to by TLS.
    package var isSecure: Bool

    package init(url: String, address: HostPort, isSecure: Bool = false) {
        self.url = url
        self.address = address
        self.isSecure = isSecure
    }

    /// Takes `ws:`, `http:` and `tcp:` URLs, and with TLS `wss:` and `https:`.
    package init(url given: String) throws(RuntimeError) {
        // Neither a query nor a password is of any use here, and both would be printed and recorded (trust.md T44).
        let plain = given.prefix { $0 != "?" && $0 != "#" }
        let authority = plain.range(ofAuthority: ())
        if let authority, let at = plain[authority].lastIndex(of: "@") {
            let bare = String(plain[..<authority.lowerBound] + plain[plain.index(after: at)...])
            throw .malformedURL(bare, "it was given with a user or a password, which a WebSocket URL has not")
        }
        try self.init(bare: String(plain))
    }

    private init(bare url: String) throws(RuntimeError) {
        guard let colon = url.firstIndex(of: ":"), url[colon...].hasPrefix("://") else {
            throw .malformedURL(url, "a target is written ws://HOST:PORT")
        }
        let scheme = url[..<colon].lowercased()
        let rest = url[url.index(colon, offsetBy: 3)...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.isEmpty, authority.first != ":" else {
            throw .malformedURL(url, "it names no host")
        }
        switch scheme {
        case "ws", "http":
            self.init(url: url, address: try HostPort(String(authority), defaultPort: 80))
        case "tcp":
            self.init(url: url, address: try HostPort(String(authority)))
        case "wss", "https":
            self.init(url: url, address: try HostPort(String(authority), defaultPort: 443), isSecure: true)
        default:
            throw .malformedURL(url, "a target begins with ws:// or wss://")
        }
    }

    package var description: String { url }
}

extension Substring {
    /// What stands between `://` and the path.
    fileprivate func range(ofAuthority: Void) -> Range<Index>? {
        guard let colon = firstIndex(of: ":"), self[colon...].hasPrefix("://") else { return nil }
        let start = index(colon, offsetBy: 3)
        return start..<(self[start...].firstIndex(of: "/") ?? endIndex)
    }
}
