import Contracts
import Faults
import Profiles
import ProxyRuntime

/// The listeners of a file, as the runtime wants them.
enum Listeners {
    /// What addresses may look like, in words for a file's reader.
    static let words = AddressWords(
        listen: { text in
            (try? HostPort(text)) == nil ? "write HOST:PORT or :PORT, such as 127.0.0.1:9000" : nil
        },
        upstream: { text in
            do throws(RuntimeError) {
                _ = try Upstream(url: text)
                return nil
            } catch {
                guard case .malformedURL(_, let why) = error else { return "write ws://HOST:PORT" }
                return "\(why); write ws://HOST:PORT"
            }
        },
        allow: { text in (try? AllowList.Rule(text)) == nil ? "write HOST or HOST:PORT, with * for any part" : nil })

    /// Those to which the own CA has to give certificates.
    static func minted(by file: ProxyFile) -> Set<String> { Set(file.listeners.filter(\.hops.needsAuthority).map(\.name)) }

    static func routes(of file: ProxyFile) throws(RuntimeError) -> [Route] {
        var routes: [Route] = []
        for listener in file.listeners {
            var rules: [AllowList.Rule] = []
            for rule in listener.allow { rules.append(try AllowList.Rule(rule.text)) }
            let way: Route.Way =
                if let upstream = listener.upstream { .reverse(try Upstream(url: upstream.text)) } else { .forward(AllowList(rules)) }
            var route = Route(name: listener.name, listen: try HostPort(listener.listen.text), way: way, profile: listener.profile)
            if let certificate = listener.hops.certificate, let key = listener.hops.key {
                route.tls.listener = .files(certificate: certificate, key: key)
            }
            route.tls.upstream.authorities = listener.hops.authorities
            route.tls.upstream.isInsecure = listener.hops.isInsecure
            route.http2 = HTTP2Options(fromClients: listener.hops.http2, toServer: listener.hops.upstreamHTTP2)
            routes.append(route)
        }
        return routes
    }
}
