import Contracts
import Journaling
import NIOCore
import Testing
import Wire

/// A contract from JSON, as the reader sees it behind YAML.
func contract(_ text: String) throws -> Contract {
    var reader = ContractReader(Document(try JSON.parse(text), file: "test.yaml"))
    let contract = reader.read()
    #expect(reader.problems.filter { $0.severity == .error }.map(\.plain) == [])
    return contract
}

let chat = """
    {"miswire-contract": 1, "name": "chat", "wire": {"type": "type"},
     "requests": {
       "start": {"shape": {"user_id": "<text>", "agent": "<text|absent>"}, "starts": "run"},
       "test": {"shape": {"action": "<text>"}}, "adm*": {}},
     "events": {
       "started": {"shape": {"run_id": "<text>"}}, "completed": {}, "error": {"shape": {"error": "<text>"}},
       "tool.*": {}, "odd": {"match": {"kind": "odd"}}},
     "link": ["request_id", "id = ref.id"],
     "runs": {"run": {"key": ["run_id", "run.id"],
       "states": {"asked": {"started": "running", "error": "done"},
                  "running": {"tool.x": "done", "tool.*": "running", "completed": "done", "error": "done"}},
       "hot": {"asked": "5s", "running": "never"}, "kinds": ["agent_error"]}},
     "errors": {"event": "error", "kind": "error", "kinds": ["agent_error", "bad_request", "forbidden", "lonely"]},
     "reject": [
       {"when": {"type": "start", "agent": ["none", "nil"]}, "with": "agent_error"},
       {"when": {"type": "start", "user_id": "<absent|null>"}, "with": "bad_request"},
       {"when": {"type": "start", "user_id": "<foreign>"}, "with": ["forbidden", "accepted"]},
       {"when": {"type": "test", "who.name": "x"}, "with": ["close 1008", "bad_request"]},
       {"when": ["<malformed>", "<unknown>", "<invalid>", {"thread_id": "<foreign>"}]}],
     "flows": {"one": [{"send": {"type": "start", "user_id": "{user}", "message": "say {canary}"}},
                       {"await": "completed", "within": "30s"}]}}
    """

struct Context: LabelContext, Sendable {
    var seen: [String] = []
    var open: [JSON?] = []
    var foreign: [JSON] = []
    var mayBeOpen = false
    var isReady = false
    var user: String?
    func hasSeen(_ name: MessageName) -> Bool {
        seen.contains { name.names(isRequest: name.isRequest, name: $0, type: $0) }
    }
    func isRunOpen(key: JSON?) -> Bool { open.contains { key == nil || $0 == key } }
    func mayRunBeOpen(key: JSON?) -> Bool { mayBeOpen || isRunOpen(key: key) }
    func isForeign(_ path: Path, _ value: JSON) -> Bool { foreign.contains(value) }
}
