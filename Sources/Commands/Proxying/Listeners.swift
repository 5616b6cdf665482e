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

    static func routes(of file: ProxyFile) throws(RuntimeError) -> [Route] {
        var routes: [Route] = []
        for listener in file.listeners {
            var rules: [AllowList.Rule] = []
            for rule in listener.allow { rules.append(try AllowList.Rule(rule.text)) }
            let way: Route.Way =
                if let upstream = listener.upstream { .reverse(try Upstream(url: upstream.text)) } else { .forward(AllowList(rules)) }
            routes.append(
                Route(name: listener.name, listen: try HostPort(listener.listen.text), way: way, profile: listener.profile))
        }
        return routes
    }
}
