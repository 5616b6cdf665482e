import Journaling

extension ContractReader {
    mutating func readMonitors(_ document: Document?) {
        guard let document else { return }
        if let isOn = Self.isOn(document) {
            contract.monitors = isOn ? MonitorRules() : .off
            contract.monitors.line = line(document.mark)
            return
        }
        let fields = mapping(document, .monitors)
        var rules = MonitorRules()
        rules.line = line(document.mark)
        threshold(fields, "silent-failure", &rules.silentFailure)
        threshold(fields, "stuck-authentication", &rules.stuckAuthentication)
        threshold(fields, "event-flow-breakdown", &rules.eventFlowBreakdown)
        threshold(fields, "connect-time", &rules.connectTime)
        threshold(fields, "event-rate", "a rate such as 10/min", &rules.eventRate) { Rate($0) }
        threshold(fields, "auth-failures", "a share such as 5%", &rules.authFailures) { Share($0) }
        threshold(fields, "connect-success", "a share such as 99%", &rules.connectSuccess) { Share($0) }
        flag(fields, "unpaired-events", &rules.unpairedEvents)
        flag(fields, "invalid-transition", &rules.invalidTransition)
        contract.monitors = rules
    }

    /// `on` and `off`; nil = something else. YAML 1.2 has no such booleans: they are words.
    private static func isOn(_ document: Document) -> Bool? {
        switch document.scalar?.text {
        case "on": true
        case "off": false
        default: document.scalar?.bool
        }
    }

    private mutating func flag(_ fields: [String: Document], _ key: String, _ value: inout Bool) {
        guard let document = fields[key] else { return }
        guard let isOn = Self.isOn(document) else {
            return fail(document.mark, "monitors.\(key) needs on or off", remedy: "found \(document.found)")
        }
        value = isOn
    }

    private mutating func threshold(_ fields: [String: Document], _ key: String, _ value: inout Duration?) {
        guard let document = fields[key] else { return }
        if document.scalar?.text == "never" {
            return fail(document.mark, "monitors.\(key) cannot be never", remedy: "write off")
        }
        if let isOn = Self.isOn(document) {
            if !isOn { value = nil }
        } else if let found = duration(document, "monitors.\(key)") {
            value = found
        }
    }

    private mutating func threshold<Value>(
        _ fields: [String: Document], _ key: String, _ form: String, _ value: inout Value?, _ read: (String) -> Value?
    ) {
        guard let document = fields[key] else { return }
        if let isOn = Self.isOn(document) {
            if !isOn { value = nil }
        } else if let found = document.scalar.flatMap({ read($0.text) }) {
            value = found
        } else {
            fail(document.mark, "monitors.\(key) needs \(form), or off", remedy: "found \(document.found)")
        }
    }
}
