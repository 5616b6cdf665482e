/// Where a webhook goes. Its path and query are often secrets themselves, so that only `place` is ever shown.
package struct WebhookAddress: Sendable {
    package let isSecure: Bool
    package let host: HostPort
    /// Path and query, as they are sent.
    let target: String

    /// `https://chat.example:443`
    package var place: String { "\(isSecure ? "https" : "http")://\(host)" }

    /// Whoever reads it may post there too.
    package var holdsSecret: Bool { target != "/" }

    package struct Problem: Error, Sendable, Equatable {
        package var found: String
    }

    package init(_ text: String) throws(Problem) {
        guard let colon = text.range(of: "://") else { throw Problem(found: "no scheme") }
        switch text[..<colon.lowerBound].lowercased() {
        case "http": isSecure = false
        case "https": isSecure = true
        default: throw Problem(found: "another scheme than http and https")
        }
        // What is sent as it is must not end a line of the request.
        guard text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else { throw Problem(found: "a blank, or a character that is no ASCII") }
        let rest = text[colon.upperBound...].prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@") else { throw Problem(found: "a user or a password in it") }
        guard !authority.isEmpty, authority.first != ":" else { throw Problem(found: "no host") }
        do { host = try HostPort(String(authority), defaultPort: isSecure ? 443 : 80) } catch { throw Problem(found: "no HOST or HOST:PORT") }
        let path = rest.dropFirst(authority.count)
        target = path.first == "/" ? String(path) : "/" + path
    }

    /// For the Host field: the port only where it is not the scheme's own.
    var field: String {
        let isUsual = host.port == (isSecure ? 443 : 80)
        return isUsual ? String(host.description.dropLast("\(host.port)".count + 1)) : host.description
    }
}
