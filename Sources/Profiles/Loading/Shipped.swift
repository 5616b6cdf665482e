/// The profiles and contracts that are part of the program. A new one is its file and one line here.
enum Shipped {
    static let profiles: [(name: String, bytes: [UInt8])] = [
        ("crossed-requests", PackageResources.crossed_requests_yaml),
        ("crossed-streams", PackageResources.crossed_streams_yaml),
        ("delayed-accept", PackageResources.delayed_accept_yaml),
        ("everything", PackageResources.everything_yaml),
        ("flaky-network", PackageResources.flaky_network_yaml),
        ("forged-credential", PackageResources.forged_credential_yaml),
        ("hostile-deflate", PackageResources.hostile_deflate_yaml),
        ("hostile-frames", PackageResources.hostile_frames_yaml),
        ("interleaved-users", PackageResources.interleaved_users_yaml),
        ("lossy-events", PackageResources.lossy_events_yaml),
        ("lost-credential", PackageResources.lost_credential_yaml),
        ("mobile-3g", PackageResources.mobile_3g_yaml),
        ("mutated-frames", PackageResources.mutated_frames_yaml),
        ("mutated-requests", PackageResources.mutated_requests_yaml),
        ("reconnect-storm", PackageResources.reconnect_storm_yaml),
        ("slow-reader", PackageResources.slow_reader_yaml),
        ("staging-safe", PackageResources.staging_safe_yaml),
        ("transparent", PackageResources.transparent_yaml),
        ("zombie", PackageResources.zombie_yaml),
    ]
    static let contracts: [(name: String, bytes: [UInt8])] = [
        ("agent-chat", PackageResources.agent_chat_yaml),
        ("agent-rooms", PackageResources.agent_rooms_yaml),
        ("demo", PackageResources.demo_yaml),
        ("echo", PackageResources.echo_yaml),
        ("generic", PackageResources.generic_yaml),
        ("graphql-transport-ws", PackageResources.graphql_transport_ws_yaml),
        ("json-rpc", PackageResources.json_rpc_yaml),
        ("openai-realtime", PackageResources.openai_realtime_yaml),
        ("socket.io", PackageResources.socket_io_yaml),
    ]

    static func profile(_ name: String) -> String? { text(name, in: profiles) }
    static func contract(_ name: String) -> String? { text(name, in: contracts) }

    private static func text(_ name: String, in files: [(name: String, bytes: [UInt8])]) -> String? {
        files.first { $0.name == name }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }
}
