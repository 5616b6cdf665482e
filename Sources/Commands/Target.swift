import Contracts
import Foundation
import Peers
import Reporting

/// The server a verb talks to: an address, or a process started for it.
enum Target {
    struct Named: Sendable {
        var source: TargetKeeper.Source
        /// It is neither on this machine nor in a private network.
        var isPublic = false
    }

    /// - Parameter authorised: the host of a target outside of private networks (trust.md T25).
    static func resolve(url: String?, exec: String?, authorised: String?, contract: Contract?) async throws -> Named {
        switch (url, exec) {
        case (let url?, nil):
            let admitted = try await TargetGuard.admit(try endpoint(url), authorised: authorised)
            return Named(source: .address(admitted.endpoint), isPublic: admitted.isPublic)
        case (nil, let command?): return Named(source: .command(command, variables: SigningKey.telling(contract)))
        case (nil, nil):
            throw Complaint(
                "no server is named", details: [("remedy", "add ws://HOST:PORT, or --exec 'CMD {port}'")], exit: .usage)
        case (.some, .some):
            throw Complaint(
                "both a server and --exec are given", details: [("remedy", "keep one of them")], exit: .usage)
        }
    }

    /// `ws://HOST:PORT`, with or without a path.
    static func endpoint(_ url: String) throws -> Endpoint {
        let shown = SafeText.show(url)
        guard let parts = URLComponents(string: url), let host = parts.host, !host.isEmpty else {
            throw wrong("\(shown) is not a WebSocket URL")
        }
        guard parts.scheme == "ws" else {
            if parts.scheme == "wss" { throw wrong("\(shown) asks for TLS, which is not supported yet") }
            throw wrong("\(shown) is not a WebSocket URL")
        }
        guard parts.port.map((1...65_535).contains) ?? true, parts.user == nil, parts.fragment == nil else {
            throw wrong("\(shown) is not a WebSocket URL")
        }
        let plain = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        return Endpoint(host: plain, port: parts.port ?? 80)
    }

    /// Path and query of such a URL, `/` when it has none.
    static func path(_ url: String) throws -> String {
        _ = try endpoint(url)
        let authority = url.dropFirst("ws://".count)
        guard let slash = authority.firstIndex(where: { $0 == "/" || $0 == "?" }) else { return "/" }
        let text = String(authority[slash...])
        return text.hasPrefix("/") ? text : "/" + text
    }

    private static func wrong(_ sentence: String) -> Complaint {
        Complaint(sentence, details: [("expected", "ws://HOST:PORT, such as ws://127.0.0.1:8080")], exit: .usage)
    }

    /// - Parameter place: the address, for a server that is not ours.
    static func complaint(_ error: TargetError, _ command: String?, at place: String) -> Complaint {
        if let command { return complaint(error, command) }
        guard case .gone(let why) = error else { return complaint(error, place) }
        return Complaint(
            "the target \(SafeText.show(place)) does not answer",
            details: [("found", "it \(SafeText.show(why))"), ("remedy", "start it, or name another address")],
            exit: .targetUnreachable)
    }

    private static func complaint(_ error: TargetError, _ command: String) -> Complaint {
        let shown = SafeText.show(command)
        switch error {
        case .badCommand(let why):
            return Complaint("--exec cannot be read: \(SafeText.show(why))", details: [("found", shown)], exit: .usage)
        case .cannotStart(let why):
            return Complaint(
                "the target cannot be started", details: [("tried", shown), ("found", SafeText.show(why))],
                exit: .targetUnreachable)
        case .ended(let how, let said):
            return Complaint(
                "the target ended before it listened", details: [("tried", shown), ("found", SafeText.show(how))] + tail(said),
                exit: .targetUnreachable)
        case .notListening(let within, let said):
            return Complaint(
                "the target does not listen within \(Figures.duration(within))",
                details: [("tried", shown), ("remedy", "let it listen on 127.0.0.1:{port}")] + tail(said),
                exit: .targetUnreachable)
        case .gone(let why):
            return Complaint(
                "the target is gone", details: [("tried", shown), ("found", "it \(SafeText.show(why))")],
                exit: .targetUnreachable)
        }
    }

    private static func tail(_ said: String) -> [(label: String, text: String)] {
        said.split(separator: "\n").suffix(3).map { (label: "said", text: SafeText.cut(SafeText.show(String($0)), to: 88)) }
    }

    static func complaint(_ error: RigError) -> Complaint {
        switch error {
        case .cannotListen(let why):
            Complaint("the proxy cannot listen", details: [("found", SafeText.show(why))], exit: .usage)
        case .cannotRecord(let directory, let why): ProxyComplaint.cannotRecord(directory, why)
        case .unreachable(let why):
            Complaint(
                "the target does not answer",
                details: [("tried", SafeText.show(why)), ("remedy", "start it, or name another address")],
                exit: .targetUnreachable)
        }
    }
}
