import Wire

/// From where a browser's page may connect (RFC 6455 section 10.2): from this server's own place, or from this machine.
enum OriginRule {
    enum Verdict: Sendable { case allowed, foreign, startsLikeOurs }

    static func verdict(_ head: RequestHead) -> Verdict {
        // No page asks.
        guard let origin = head.value("origin") else { return .allowed }
        // A page opened from a file: somebody at this machine tries something.
        if origin == "null" || origin == "file://" { return .allowed }
        guard let place = place(of: origin), let host = head.value("host") else { return .foreign }
        if ASCII.equal(place, host) || isThisMachine(place) { return .allowed }
        return place.utf8.starts(with: host.utf8) ? .startsLikeOurs : .foreign
    }

    /// Host and port of `https://chat.example:8080`.
    private static func place(of origin: String) -> String? {
        for scheme in ["http://", "https://"] where origin.utf8.starts(with: scheme.utf8) {
            return String(decoding: origin.utf8.dropFirst(scheme.utf8.count), as: UTF8.self)
        }
        return nil
    }

    private static func isThisMachine(_ place: String) -> Bool {
        var host = place
        if let colon = place.lastIndex(of: ":"), !place[colon...].hasSuffix("]") {
            let port = place[place.index(after: colon)...]
            guard !port.isEmpty, port.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
            host = String(place[..<colon])
        }
        return ["localhost", "127.0.0.1", "[::1]"].contains { ASCII.equal($0, host) }
    }
}
