import Contracts
import Journaling
import Testing
import Wire

/// The shipped agent-chat contract as JSON: core tests read no YAML.
enum AgentChat {
    static let contract = read(text)

    static func read(_ text: String) -> Contract {
        let json = (try? JSON.parse(text)) ?? .null
        var reader = ContractReader(Document(json, file: "agent-chat.yaml"))
        let contract = reader.read()
        let errors = reader.problems.filter { $0.severity == .error }
        if !errors.isEmpty { Issue.record("\(errors)") }
        return contract
    }

    static let echo = read(
        """
        {"miswire-contract": 1, "name": "echo", "wire": {"format": "raw"},
         "requests": {"message": {"match": "<any>", "answer": "copy", "within": "2s"}},
         "events": {"copy": {"match": "<any>"}}, "link": ["$"]}
        """)

    /// The contract with some keys replaced.
    static func with(_ changes: String) -> Contract {
        guard let base = try? JSON.parse(text), let other = try? JSON.parse(changes), case .object(var members) = base,
            case .object(let new) = other
        else { return Contract(name: "broken") }
        // The stream of a number is one of the identifiers.
        if new.contains(where: { $0.key == "identity" }), !new.contains(where: { $0.key == "delivery" }) {
            members.removeAll { $0.key == "delivery" }
        }
        for member in new {
            members.removeAll { $0.key == member.key }
            members.append(member)
        }
        return read(JSON.object(members).text)
    }

    static let text = #"""
{
  "miswire-contract": 1,
  "name": "agent-chat",
  "about": "AI-agent chat, one WebSocket per user, JSON text messages.",
  "wire": {"paths": ["/ws", "/ws/**"], "type": "type"},
  "identity": {
    "credential": ["header authorization", "query token", "cookie token", "subprotocol", "request auth token"],
    "user": "credential|jwt.sub",
    "mint": {"alg": "HS256", "key": "env MISWIRE_JWT_KEY", "claims": {"sub": "{user}", "exp": "{now+1h}"}},
    "ids": {"user": {"at": "user_id", "is": "user"}, "thread": {"at": "thread_id", "within": "user"}, "run": {"at": "run_id", "within": "thread"}, "connection": {"at": "connection_id", "is": "connection"}}
  },
  "auth": {"refuse": [401, 403], "close": [1008, 4401, 4403], "within": "2s", "revoked": "5s"},
  "session": {"greeting": "connected", "within": "2s"},
  "requests": {
    "auth": {"shape": {"token": "<text>"}},
    "agent_started": {"shape": {"user_id": "<text>", "agent_name": "<text|absent>", "thread_id": "<text|absent>", "request_id": "<text|absent>", "message": "<string|absent>"}, "starts": "run"},
    "cancel": {"shape": {"run_id": "<text>"}},
    "tool_executing": {"shape": {"tool_name": "<text>"}},
    "connection_test": {"shape": {"action": "<text>"}}
  },
  "events": {
    "connected": {"shape": {"user_id": "<text>", "connection_id": "<text>"}},
    "agent_started": {"shape": {"user_id": "<text>", "thread_id": "<text>", "run_id": "<text>"}},
    "agent_thinking": {"shape": {"user_id": "<text>", "thread_id": "<text>", "run_id": "<text>"}},
    "agent_completed": {"shape": {"user_id": "<text>", "thread_id": "<text>", "run_id": "<text>"}},
    "tool_executing": {"shape": {"user_id": "<text>", "thread_id": "<text>", "run_id": "<text>"}},
    "tool_completed": {"shape": {"user_id": "<text>", "thread_id": "<text>", "run_id": "<text>"}},
    "partial_result": {"shape": {"user_id": "<text>", "thread_id": "<text>", "run_id": "<text>"}},
    "final_report": {"shape": {"user_id": "<text>", "thread_id": "<text>", "run_id": "<text>"}},
    "history_truncated": {"shape": {"user_id": "<text>"}},
    "error": {"shape": {"error": "<text>", "message": "<text>", "timestamp": "<number>"}}
  },
  "link": ["request_id", "run_id", "thread_id"],
  "runs": {
    "run": {"key": "run_id", "states": {"asked": {"agent_started": "running", "error": "done"}, "running": {"agent_thinking": "running", "partial_result": "running", "final_report": "running", "agent_completed": "done", "error": "done"}}, "hot": {"asked": "5s", "running": "60s"}, "kinds": ["agent_execution_error", "tool_execution_error"], "parts": {"tool": {"key": ["tool_call_id", "tool_name"], "start": "tool_executing", "end": "tool_completed", "in": "running", "before": "agent_completed", "within": "30s"}}}
  },
  "errors": {"event": "error", "kind": "error", "kinds": ["connection_error", "message_processing_error", "agent_execution_error", "tool_execution_error", "authentication_error"], "within": "1s", "context": ["user_id", "thread_id"]},
  "reject": [
    {"when": {"type": "connection_test", "action": "force_disconnect"}, "with": "connection_error"},
    {"when": {"type": ["invalid_type", "invalid_operation"]}, "with": "message_processing_error"},
    {"when": {"type": "agent_started", "agent_name": ["non_existent_agent", "nonexistent_agent"]}, "with": "agent_execution_error"},
    {"when": {"type": "tool_executing", "tool_name": "invalid_tool"}, "with": "tool_execution_error"},
    {"when": {"type": "agent_started", "user_id": "<absent|null>"}, "with": "authentication_error"},
    {"when": {"type": "agent_started", "user_id": "<foreign>"}, "with": ["authentication_error", "accepted"]},
    {"when": ["<malformed>", "<unknown>", "<invalid>", {"thread_id": "<foreign>"}]}
  ],
  "delivery": {"sequence": {"at": "seq", "per": "thread"}, "history": {"get": "/threads/{thread}/events", "items": "events[*]"}, "resume": {"by": "query cursor", "from": "seq", "truncated": "history_truncated"}},
  "volatile": ["..timestamp", "..message", "..seq"],
  "flows": {"one-run": [{"send": {"type": "agent_started", "agent_name": "assistant", "user_id": "{user}", "message": "say {canary}"}}, {"await": "agent_completed", "within": "30s"}]}
}
"""#
}
