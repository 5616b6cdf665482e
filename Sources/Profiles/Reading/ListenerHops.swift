import Journaling

/// What a file of listeners says of one listener's two hops; what it does not say is as on the command line.
package struct ListenerHops: Sendable, Hashable {
    /// Clients come by TLS, or what those of a forward proxy encrypt is opened.
    package var tls = false
    /// PEM files of what clients are shown; nil = certificates of the own CA.
    package var certificate: String?
    package var key: String?
    /// PEM file of the CAs that a server's certificate may come from.
    package var authorities: String?
    package var isInsecure = false
    package var http2 = false
    package var upstreamHTTP2 = false

    package init() {}

    /// The own CA has to be there.
    package var needsAuthority: Bool { tls && certificate == nil }

    static let keys = ["tls", "cert", "key", "ca-file", "insecure-upstream", "http2", "upstream-http2"]

    init(_ fields: [String: Document], isForward: Bool, upstream: String?, _ values: inout ProfileReader) {
        tls = Self.flag("tls", fields, &values)
        isInsecure = Self.flag("insecure-upstream", fields, &values)
        http2 = Self.flag("http2", fields, &values)
        upstreamHTTP2 = Self.flag("upstream-http2", fields, &values)
        certificate = values.text(fields["cert"], "cert")
        key = values.text(fields["key"], "key")
        authorities = values.text(fields["ca-file"], "ca-file")
        if let alone = fields["cert"] ?? fields["key"], fields["cert"] == nil || fields["key"] == nil {
            values.fail(alone.mark, "a certificate and its key come together", "write both `cert` and `key`")
        }
        if certificate != nil { tls = true }
        if isForward {
            for name in ["http2", "upstream-http2"] {
                guard let field = fields[name], field.scalar?.bool == true else { continue }
                values.fail(field.mark, "a forward proxy does not speak HTTP/2 yet", "leave out `\(name)`")
            }
        }
        let secure = upstream.map { text in ["wss://", "https://"].contains { text.lowercased().hasPrefix($0) } }
        let isSpoken = isForward ? tls : secure ?? true
        for name in ["ca-file", "insecure-upstream"] {
            guard !isSpoken, let field = fields[name] else { continue }
            values.fail(
                field.mark, "`\(name)` says something of a server that is not spoken to by TLS",
                isForward ? "write `tls: true`, or leave it out" : "write `upstream: wss://HOST:PORT`, or leave it out")
        }
    }

    private static func flag(_ name: String, _ fields: [String: Document], _ values: inout ProfileReader) -> Bool {
        guard let field = fields[name] else { return false }
        if let flag = field.scalar?.bool { return flag }
        values.fail(field.mark, "`\(name)` needs true or false", "found \(field.found)")
        return false
    }
}
