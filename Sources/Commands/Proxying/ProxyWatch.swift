import ControlServer
import Peers
import ProxyRuntime
import Reporting
import Wire

/// What goes out from a running proxy beside its own lines: webhook, metrics, health.
struct ProxyWatch: Sendable {
    private let webhook: Webhook?
    private let signs: Bool
    private let place: String
    private let metrics: MetricsServer?
    private let health: HealthRunner?
    private let every: String
    /// Sentences.
    let warnings: [String]

    /// Refuses what cannot be before the proxy listens.
    init(_ arguments: MonitorArguments, _ options: ProxyOptions, _ form: ProxyForm) async throws {
        if arguments.healthCredential != nil, arguments.healthRun == nil {
            throw Complaint("--health-credential is for --health-run", details: [("remedy", "add --health-run 60s")], exit: .usage)
        }
        health = try arguments.healthRun.map { try HealthRunner(options, every: $0.duration, credential: arguments.healthCredential) }
        every = arguments.healthRun?.description ?? ""
        let wanted = try arguments.webhookOptions(run: "", allowLinkLocal: options.allowLinkLocalUpstream)
        (place, signs) = (wanted?.address.place ?? "", wanted?.key != nil)
        webhook = try arguments.makeWebhook(options) { [weak form] why in form?.webhookTrouble(why) }
        warnings = arguments.warnings + (health?.warnings ?? [])
        metrics = try await arguments.listen(options.limits)
        if let webhook { form.tell(by: webhook) }
    }

    var metricsAddress: HostPort? { metrics?.address }

    /// Of the banner.
    var words: [String] {
        var lines: [String] = []
        if let metrics { lines.append("  metrics   http://\(metrics.address)/metrics, health at /health\(Self.reach(metrics.address))") }
        if let health { lines.append("  health    the flow \(SafeText.show(health.flow)) is run every \(every) as \(MonitorArguments.healthUser)") }
        if webhook != nil {
            lines.append("  webhook   \(SafeText.show(place)), \(signs ? "signed" : "not signed (\(MonitorArguments.keyVariable) is not set)")")
        }
        return lines
    }

    private static func reach(_ address: HostPort) -> String {
        address.host.hasPrefix("127.") || address.host == "::1" ? "" : ", for whoever reaches \(address)"
    }

    func note(_ event: RuntimeEvent) { health?.note(event) }

    func begin(_ server: ProxyServer) -> [Task<Void, Never>] {
        let (webhook, health) = (webhook, health)
        metrics?.answer { path in
            let gauges = await server.gauges()
            switch path {
            case "/metrics":
                guard let gauges else { return .init(status: 503, type: "text/plain; charset=utf-8", body: "the run is over\n") }
                let text = Exposition(gauges, webhook: webhook?.counts, run: health?.last, program: Miswire.number).text
                return .init(status: 200, type: Exposition.contentType, body: text)
            default:
                let answer = HealthAnswer(gauges, run: health?.last)
                return .init(status: answer.status, type: "application/json", body: answer.json.text + "\n")
            }
        }
        guard let health else { return [] }
        let host = ["0.0.0.0": "127.0.0.1", "::": "::1"][server.address.host] ?? server.address.host
        let endpoint = Endpoint(host: host, port: server.address.port)
        return [Task { await health.run(at: endpoint) { await server.gauges()?.lag } }]
    }

    /// What waits for the webhook is sent for a few seconds more.
    func end() async -> Webhook.Counts? {
        await metrics?.stop()
        return await webhook?.finish(within: .seconds(3))
    }
}
