import Journaling

/// Where one WebSocket flow stands in a dump: all that is held of it until it is its turn.
struct FlowRecord {
    /// From 1, in the file's order.
    var number: Int
    var version: Int
    /// The flow that bears request and response: itself, or up to version 11 the handshake's flow before it.
    var opening: [String: Tnetstring]
    /// The list of messages.
    var messages: Tnetstring?
    var closeCode: UInt16?
    var closeReason: Tnetstring?
    var closedByClient: Bool?
    var ended: WallTime?
    var started: WallTime
}

/// Versions of the format (mitmproxy's `io/compat.py`): up to version 3 tuples such as `(2, 0, 0)`, since then a number.
/// What they differ in, as far as it concerns us:
/// * up to 11 a WebSocket is a flow of its own, whose metadata name the flow of its handshake; from 12 the flow of the
///   handshake holds it;
/// * up to 14 messages lack `injected`; up to 18 addresses are in `address` and `ip_address`, later in `peername`;
/// * up to 2.0 addresses are dictionaries; before 1.0 keys are bytes, and `status_code` is `code`.
struct FlowIndex {
    var records: [FlowRecord] = []
    /// Flows that are no WebSocket.
    var skipped = 0
    private(set) var unread = Unreadable()
    /// Where the file stops being a dump; what was before it counts.
    var fault: TnetstringReader.Fault?
    private(set) var count = 0
    private var reader: TnetstringReader
    private let limits: Limits
    /// Handshakes up to version 11 by their flow's id.
    private var handshakes: [String: [String: Tnetstring]] = [:]
    static let newest = 21

    init(_ file: SourceFile, limits: Limits, chunk: Int) throws(ImportError) {
        reader = TnetstringReader(file, chunk: chunk)
        self.limits = limits
        do throws(TnetstringReader.Fault) {
            var offset: UInt64 = 0
            while let value = try reader.next(&offset, end: reader.size) {
                count += 1
                try flow(value)
            }
        } catch {
            if case .file(let failure) = error { throw failure }
            fault = error
        }
    }

    /// Whatever is wrong inside a flow, the next one begins where its length says.
    private mutating func flow(_ value: Tnetstring) throws(TnetstringReader.Fault) {
        do throws(TnetstringReader.Fault) { try read(value) } catch {
            guard case .form(let offset, let reason) = error else { throw error }
            unread.add(count, "\(reason), at byte \(offset + 1)")
        }
    }

    private mutating func read(_ value: Tnetstring) throws(TnetstringReader.Fault) {
        guard let flow = try reader.dictionary(value) else {
            unread.add(count, "it is no dictionary")
            return
        }
        guard let version = try version(flow["version"]) else {
            unread.add(count, "it has no version")
            return
        }
        let type = try reader.text(flow["type"]) ?? "http"
        if version > FlowIndex.newest, flow["websocket"] == nil || flow["request"] == nil {
            let told = type == "http" ? "its format version \(version) is newer than \(FlowIndex.newest), and" : "version \(version),"
            if type == "http", flow["request"] == nil { unread.add(count, "\(told) it has no request") } else { skipped += 1 }
            return
        }
        let id = try reader.text(flow["id"]) ?? ""
        let metadata = try reader.dictionary(flow["metadata"]) ?? [:]
        if let websocket = try reader.dictionary(flow["websocket"]) {
            try keep(flow, websocket, version, closedByClient: try reader.boolean(websocket["closed_by_client"]))
        } else if type == "websocket" {
            let handshake = try reader.text(metadata["websocket_handshake"]) ?? ""
            let sender = try reader.text(flow["close_sender"])
            let opening = handshakes.removeValue(forKey: handshake)
            if opening == nil { unread.add(count, "the flow of its handshake is missing; the opening is made up") }
            try keep(opening ?? flow, flow, version, closedByClient: sender.map { $0 == "client" })
        } else if metadata["websocket"] != nil, handshakes.count < limits.importFlows {
            handshakes[id] = flow.filter { FlowIndex.kept.contains($0.key) }
        } else {
            skipped += 1
        }
    }

    private mutating func version(_ value: Tnetstring?) throws(TnetstringReader.Fault) -> Int? {
        if let version = try reader.integer(value) { return version }
        return try reader.list(value, most: 3).flatMap { (parts) throws(TnetstringReader.Fault) in
            try reader.integer(parts.first)
        }
    }

    private mutating func keep(
        _ opening: [String: Tnetstring], _ websocket: [String: Tnetstring], _ version: Int, closedByClient: Bool?
    ) throws(TnetstringReader.Fault) {
        guard records.count < limits.importFlows else {
            unread.add(count, "\(limits.importFlows) sessions are read (limit L15)")
            return
        }
        let request = try reader.dictionary(opening["request"]) ?? [:]
        let client = try reader.dictionary(opening["client_conn"]) ?? [:]
        var messages = websocket["messages"]
        if messages?.kind != .list {
            unread.add(count, "its messages are no list")
            messages = nil
        }
        var started = try reader.time(request["timestamp_start"])
        if started == nil { started = try reader.time(client["timestamp_start"]) }
        records.append(
            FlowRecord(
                number: count, version: version, opening: opening.filter { FlowIndex.kept.contains($0.key) },
                messages: messages, closeCode: try reader.integer(websocket["close_code"]).flatMap { UInt16(exactly: $0) },
                closeReason: websocket["close_reason"] ?? websocket["close_message"], closedByClient: closedByClient,
                ended: try reader.time(websocket["timestamp_end"]), started: started ?? 0))
    }

    private static let kept: Set<String> = ["request", "response", "client_conn", "server_conn", "error"]
}
