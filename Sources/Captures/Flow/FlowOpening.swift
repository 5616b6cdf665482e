/// What a flow says about the opening of its connection.
struct FlowOpening {
    var target = "/"
    var host = "unknown"
    var request: [(name: String, value: String)] = []
    /// Nil when no answer came.
    var status: Int?
    var response: [(name: String, value: String)] = []
    var answered: WallTime?
    /// `10.0.0.7:50412`
    var client = "unknown"
    var server = "unknown"
    /// One phrase a side that spoke TLS.
    var security: [String] = []
    var failure: String?

    init(_ record: FlowRecord, _ reader: inout TnetstringReader) throws(TnetstringReader.Fault) {
        let flow = record.opening
        let request = try reader.dictionary(flow["request"]) ?? [:]
        try read(request: request, &reader)
        if let response = try reader.dictionary(flow["response"]) {
            status = try reader.integer(response["status_code"] ?? response["code"]).flatMap { (100...999).contains($0) ? $0 : nil }
            self.response = try FlowOpening.fields(response["headers"], &reader)
            answered = try reader.time(response["timestamp_start"])
        }
        if let client = try reader.dictionary(flow["client_conn"]) {
            self.client = try FlowOpening.address(client["peername"] ?? client["address"], &reader) ?? self.client
            try tls(client, side: "client", &reader)
        }
        if let server = try reader.dictionary(flow["server_conn"]) {
            var found: String?
            for name in ["peername", "ip_address", "peer_address", "address"] where found == nil {
                found = try FlowOpening.address(server[name], &reader)
            }
            self.server = found ?? self.server
            try tls(server, side: "server", &reader)
        }
        failure = try reader.text(try reader.dictionary(flow["error"])?["msg"])
    }

    private mutating func read(
        request: [String: Tnetstring], _ reader: inout TnetstringReader
    ) throws(TnetstringReader.Fault) {
        let host = try reader.text(request["host"]) ?? ""
        let port = try reader.integer(request["port"]).flatMap { UInt16(exactly: $0) }
        let isSecure = ["https", "wss"].contains(try reader.text(request["scheme"]) ?? "")
        let path = HARField.oneLine(try reader.text(request["path"]) ?? "/")
        let name = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        self.request = try FlowOpening.fields(request["headers"], &reader)
        guard !name.isEmpty else {
            target = path.hasPrefix("/") ? path : "/" + path
            return
        }
        // As a URL, so that what may not stand in a request line is escaped.
        let url = HARURL("\(isSecure ? "https" : "http")://\(name)\(port.map { ":\($0)" } ?? "")\(path.hasPrefix("/") ? path : "/" + path)")
        target = url?.target ?? "/"
        self.host = url?.authority ?? self.host
        server = url.map { "\($0.host):\($0.port)" } ?? server
    }

    private static func fields(
        _ headers: Tnetstring?, _ reader: inout TnetstringReader
    ) throws(TnetstringReader.Fault) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        for pair in try reader.list(headers) ?? [] {
            guard let parts = try reader.list(pair, most: 2), parts.count == 2, let name = try reader.text(parts[0]),
                let value = try reader.text(parts[1]), HARField.isToken(name)
            else { continue }
            fields.append((name, HARField.oneLine(value)))
        }
        return fields
    }

    /// `[host, port, …]`, or up to version 2.0 `{address: [host, port]}`.
    private static func address(
        _ value: Tnetstring?, _ reader: inout TnetstringReader
    ) throws(TnetstringReader.Fault) -> String? {
        let inner = try reader.dictionary(value)?["address"] ?? value
        guard let parts = try reader.list(inner, most: 4), parts.count >= 2, let host = try reader.text(parts[0]), !host.isEmpty,
            let port = try reader.integer(parts[1]).flatMap({ UInt16(exactly: $0) })
        else { return nil }
        return HARField.oneLine(host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
    }

    private mutating func tls(
        _ connection: [String: Tnetstring], side: String, _ reader: inout TnetstringReader
    ) throws(TnetstringReader.Fault) {
        let flag = connection["tls"] ?? connection["tls_established"] ?? connection["ssl_established"]
        guard try reader.boolean(flag) == true else { return }
        var words = [try reader.text(connection["tls_version"]) ?? "TLS"]
        if let cipher = try reader.text(connection["cipher"] ?? connection["cipher_name"]) { words.append(cipher) }
        if let sni = try reader.text(connection["sni"]) { words.append("SNI \(sni)") }
        if let alpn = try reader.text(connection["alpn"] ?? connection["alpn_proto_negotiated"]) { words.append("ALPN \(alpn)") }
        security.append("TLS with the \(side): " + words.map { HARRow.excerpt($0) }.joined(separator: ", "))
    }
}
