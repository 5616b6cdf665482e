/// `miswire fuzz` as it was typed.
struct FuzzRequest: Sendable {
    var places: [String] = []
    var contract = "agent-chat"
    var profile: String?
    var users: String?
    var seed = "1"
    var runs: String?
    var maxTotalTime: String?
    var workers: String?
    var dictionaries: [String] = []
    var exec: String?
    var credentials: [String] = []
    var findings = "findings"
    var reports: [String] = []
    var phases: [String] = []
    var checks: [String] = []
    var excluded: [String] = []
    var maxFailures: String?
    var shrinks = true
    var rateLimit: String?
    var authorised: String?
    var merges = false
    var minimizes = false
}
