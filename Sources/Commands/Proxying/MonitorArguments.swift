import ArgumentParser
import ControlServer
import Foundation
import Glibc
import Journaling
import NIOCore
import ProxyRuntime
import Reporting

/// How a running proxy tells of what its monitors see, besides its own lines.
struct MonitorArguments: ParsableArguments {
    @Option(
        help: "POST each alert, clear and FAIL there as JSON: an http or https URL, or @FILE that holds it. Signed with MISWIRE_WEBHOOK_KEY.")
    var webhook: String?
    @Option(name: .customLong("webhook-ca"), help: "CAs that the webhook's certificate may come from (PEM). Default: the system's.")
    var webhookAuthorities: String?
    @Option(
        help: "Answer GET /metrics (Prometheus) and GET /health at HOST:PORT, to those who ask for that host, localhost or an address. :PORT is 127.0.0.1 alone.")
    var metrics: String?
    @Option(help: "Drive the contract's flow `health` through the proxy so often, such as 60s, and say in /health what came of it.")
    var healthRun: TimeSpan?
    @Option(help: "The credential of that run's user: @FILE or env:NAME. Default: one made as the contract's `mint` says.")
    var healthCredential: String?

    static let keyVariable = "MISWIRE_WEBHOOK_KEY"
    static let healthUser = "miswire-health"

    /// Nil when nobody asked for one.
    func webhookOptions(run: String, allowLinkLocal: Bool, environment: [String: String] = ProcessInfo.processInfo.environment) throws -> Webhook.Options? {
        guard let given = webhook else {
            guard webhookAuthorities == nil else {
                throw Complaint("--webhook-ca says whom a webhook may trust, and there is none", details: [("remedy", "add --webhook URL")], exit: .usage)
            }
            return nil
        }
        do {
            var options = Webhook.Options(try WebhookAddress(try Self.text(given)), program: Miswire.number, run: run)
            let key = environment[Self.keyVariable] ?? ""
            options.key = key.isEmpty ? nil : Array(key.utf8)
            options.authorities = webhookAuthorities
            options.allowLinkLocal = allowLinkLocal
            return options
        } catch let problem as WebhookAddress.Problem {
            // The address may hold a secret, so it is not repeated.
            throw Complaint(
                "the webhook's address cannot be used",
                details: [("place", "--webhook"), ("expected", "https://HOST/PATH or http://HOST/PATH"), ("found", problem.found)], exit: .usage)
        }
    }

    /// What a command line gives away (trust.md T44).
    var warnings: [String] {
        guard let webhook, !webhook.hasPrefix("@"), let address = try? WebhookAddress(webhook), address.holdsSecret else { return [] }
        return ["a webhook's address on the command line can be read by every user of this machine; give --webhook @FILE"]
    }

    private static func text(_ given: String) throws -> String {
        guard given.hasPrefix("@") else { return given }
        let path = String(given.dropFirst())
        guard let data = FileManager.default.contents(atPath: path), data.count <= 16_384, let text = String(data: data, encoding: .utf8) else {
            throw Complaint(
                "the webhook's address cannot be read", details: [("place", SafeText.show(path)), ("expected", "a file that holds one URL")],
                exit: .usage)
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Refused before anything listens when it cannot be reached by the rules, or is this proxy itself.
    func makeWebhook(_ options: ProxyOptions, _ tell: @escaping @Sendable (String?) -> Void) throws -> Webhook? {
        guard let wanted = try webhookOptions(run: "\(options.seed)-\(getpid())", allowLinkLocal: options.allowLinkLocalUpstream) else { return nil }
        do {
            var own: [SocketAddress] = []
            for route in options.routes where route.listen.port != 0 { own += try Resolver.addresses(of: route.listen) }
            if let metrics { own += try Resolver.addresses(of: try Self.metricsPlace(metrics)) }
            return try Webhook(wanted, own: own, onTrouble: tell)
        } catch let error as RuntimeError {
            let found: String =
                switch error {
                case .forbiddenTarget(_, let why): why
                case .hostNotFound(_, let why): why
                default: "\(error)"
                }
            throw Complaint(
                "the webhook \(SafeText.show(wanted.address.place)) may not, or cannot, be called", details: [("found", SafeText.show(found))], exit: .usage)
        } catch let problem as TLSProblem { throw TLSComplaint.of(problem) }
    }

    /// Nobody but this machine is told anything unless an address says so (trust.md T8).
    static func metricsPlace(_ text: String) throws(RuntimeError) -> HostPort {
        try HostPort(text.hasPrefix(":") ? "127.0.0.1" + text : text)
    }

    func listen(_ limits: Limits) async throws -> MetricsServer? {
        guard let metrics else { return nil }
        let place: HostPort
        do { place = try Self.metricsPlace(metrics) } catch { throw ProxyComplaint.of(error) }
        do { return try await MetricsServer.start(at: place, limits: limits) } catch {
            let why = (error as? IOError).map { unsafe String(cString: strerror($0.errnoCode)) } ?? "\(error)"
            throw Complaint(
                "\(place) cannot be listened on for metrics", details: [("place", "--metrics"), ("found", SafeText.show(why)), ("remedy", "name another port, or :0 for a free one")],
                exit: .usage)
        }
    }
}
