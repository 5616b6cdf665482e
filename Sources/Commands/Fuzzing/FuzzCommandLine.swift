import Fuzzing
import Plans
import Reporting

/// Command lines that can be pasted: the one that repeats a run, every derived option spelt out, and the end of the one
/// that replays a finding. No secret stands in either.
struct FuzzCommandLine {
    let request: FuzzRequest
    let url: String?
    let places: [String]
    let options: CampaignOptions
    /// `alice=@alice.token`
    let credentials: [String]

    var again: String {
        var words = [OwnName.command, "fuzz"] + (url.map { [$0] } ?? []) + places
        func add(_ option: String, _ value: String?) { if let value { words += [option, value] } }
        add("--contract", request.contract)
        add("--profile", request.profile)
        add("--users", "\(options.users)")
        add("--seed", "\(options.seed)")
        add("--workers", "\(options.workers)")
        add("--runs", request.runs)
        add("--max-total-time", request.maxTotalTime)
        for file in request.dictionaries { add("--dict", file) }
        add("--exec", request.exec)
        for credential in credentials { add("--credential", credential) }
        add("--rate-limit", options.ratePerSecond.map { Figures.fixed($0, digits: $0 == $0.rounded() ? 0 : 2) + "/s" })
        add("--authorised-target", request.authorised)
        if !request.phases.isEmpty { add("--phases", request.phases.joined(separator: ",")) }
        if !request.checks.isEmpty { add("--checks", request.checks.joined(separator: ",")) }
        if !request.excluded.isEmpty { add("--exclude-checks", request.excluded.joined(separator: ",")) }
        add("--max-failures", request.maxFailures)
        if !request.shrinks { words.append("--no-shrink") }
        if request.merges { words.append("--merge") }
        if request.minimizes { words.append("--minimize") }
        if request.findings != "findings" { add("--findings", request.findings) }
        if !request.reports.isEmpty { add("--report", request.reports.joined(separator: ",")) }
        return words.map(Self.quoted).joined(separator: " ")
    }

    /// ` ws://127.0.0.1:8080/ws` or ` --exec 'CMD {port}'`, and what else the replay must be told.
    var replay: String {
        var words = request.exec == nil ? (url.map { [$0] } ?? []) : ["--exec", request.exec ?? ""]
        // A finding names its contract; a file is not found by that name.
        if request.contract.contains("/") || request.contract.hasSuffix(".yaml") || request.contract.hasSuffix(".yml") {
            words += ["--contract", request.contract]
        }
        for credential in credentials { words += ["--credential", credential] }
        if let host = request.authorised { words += ["--authorised-target", host] }
        return words.map { " " + Self.quoted($0) }.joined()
    }

    /// A word for a POSIX shell.
    static func quoted(_ word: String) -> String {
        let plain = word.unicodeScalars.allSatisfy { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "-", "_", ".", "/", ":", "=", "@", ",", "+", "%": true
            default: false
            }
        }
        if plain, !word.isEmpty { return word }
        return "'" + SafeText.show(word).replacing("'", with: #"'\''"#) + "'"
    }
}
