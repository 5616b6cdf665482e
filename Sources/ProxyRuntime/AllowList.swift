import Faults

/// Whom a forward proxy may dial: names and addresses as clients write them, `*` for any part of one, each with or without a
/// port. Nobody else, so that nobody has an open proxy (trust.md T14).
package struct AllowList: Sendable, Hashable, CustomStringConvertible {
    package struct Rule: Sendable, Hashable, CustomStringConvertible {
        package var host: String
        /// Nil: every port.
        package var port: Int?

        /// `chat.staging.example`, `*.staging.example:443`, `[::1]:8080`
        package init(_ text: String) throws(RuntimeError) {
            let hasPort = text.hasPrefix("[") ? text.contains("]:") : text.filter { $0 == ":" }.count == 1
            var plain = text
            if text.hasSuffix(":*") { plain = String(text.dropLast(2)) }
            if hasPort, plain == text {
                let place = try HostPort(text)
                guard place.port > 0 else { throw .malformedAddress(text) }
                (host, port) = (place.host.lowercased(), place.port)
            } else {
                if plain.hasPrefix("["), plain.hasSuffix("]") { plain = String(plain.dropFirst().dropLast()) }
                (host, port) = (plain.lowercased(), nil)
            }
            let isPlain = host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"/@?#".utf8.contains($0) }
            guard !host.isEmpty, host != "0.0.0.0", isPlain else { throw .malformedAddress(text) }
        }

        func allows(_ place: HostPort) -> Bool {
            if let port, port != place.port { return false }
            return AllowList.matches(Array(host.utf8)[...], Array(AllowList.plain(place.host).utf8)[...])
        }

        package var description: String {
            let host = self.host.contains(":") ? "[\(self.host)]" : self.host
            return port.map { "\(host):\($0)" } ?? host
        }
    }

    package var rules: [Rule]

    /// - Parameter rules: beside the names and addresses of this machine itself.
    package init(_ rules: [Rule] = []) { self.rules = rules }

    package func allows(_ place: HostPort) -> Bool { Self.isLoopback(place.host) || rules.contains { $0.allows(place) } }

    /// A rule, and no mere glob, names it: then even what is never dialled otherwise may be.
    func names(_ place: HostPort) -> Bool { rules.contains { !$0.host.contains("*") && $0.allows(place) } }

    package var description: String { (["loopback"] + rules.map(\.description)).joined(separator: ", ") }

    private static func isLoopback(_ host: String) -> Bool {
        let host = plain(host)
        if host == "localhost" || host.hasSuffix(".localhost") || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// Names are equal whatever their case, and with or without the dot of the root.
    private static func plain(_ host: String) -> String {
        let host = host.lowercased()
        return host.hasSuffix(".") ? String(host.dropLast()) : host
    }

    /// `*` stands for any characters; in time linear in pattern and text, by going back to the latest star alone.
    private static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        var (p, t) = (pattern.startIndex, text.startIndex)
        var back: (pattern: Int, text: Int)?
        while t < text.endIndex {
            if p < pattern.endIndex, pattern[p] == UInt8(ascii: "*") {
                back = (p + 1, t)
                p += 1
            } else if p < pattern.endIndex, pattern[p] == text[t] {
                p += 1
                t += 1
            } else if let star = back {
                back = (star.pattern, star.text + 1)
                (p, t) = (star.pattern, star.text + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
