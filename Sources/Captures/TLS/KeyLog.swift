package import NIOCore

/// Secrets of TLS connections as programs write them under SSLKEYLOGFILE (the "NSS key log" format): one a line,
/// `LABEL CLIENTRANDOM SECRET` in hex. A file of it, or a Decryption Secrets Block of a pcapng.
package struct KeyLog: Sendable {
    /// What a line can give us. Other labels (early data, exporters, ECH, RSA) are passed over.
    package enum Label: String, Sendable, Hashable, CaseIterable {
        /// The master secret of a TLS 1.2 connection.
        case master = "CLIENT_RANDOM"
        case clientHandshake = "CLIENT_HANDSHAKE_TRAFFIC_SECRET"
        case serverHandshake = "SERVER_HANDSHAKE_TRAFFIC_SECRET"
        case clientTraffic = "CLIENT_TRAFFIC_SECRET_0"
        case serverTraffic = "SERVER_TRAFFIC_SECRET_0"
    }

    /// A line that gives nothing though it should.
    package struct Problem: Sendable, Hashable {
        /// From 1, counted over all bytes fed since the last `finish`.
        package var line: Int
        package var reason: String
    }

    package struct Bounds: Sendable, Hashable {
        /// Bytes of a line; the longest that means anything has 199.
        package var line = 4096
        /// Connections whose secrets are kept; L15 knows as many flows.
        package var connections = 65_536 * 2
        /// When there are more: the oldest are forgotten, for a log that goes on, instead of the newest left out.
        package var keepsNewest = false
        /// Problems kept with their line; the rest is counted.
        package var problems = 20
        package init() {}
    }

    private var secrets: [ClientRandom: [Label: [UInt8]]] = [:]
    private var partial: [UInt8] = []
    private var isTooLong = false
    private var line = 0
    private var learnt: [ClientRandom] = []
    /// Of `secrets`, oldest first, when the oldest may have to go.
    private var order = CircularBuffer<ClientRandom>()
    private let bounds: Bounds

    /// The first lines that were wrong, in order.
    package private(set) var problems: [Problem] = []
    /// All lines that were wrong.
    package private(set) var problemCount = 0

    package init(bounds: Bounds = Bounds()) { self.bounds = bounds }

    /// Connections of which at least one secret is known.
    package var count: Int { secrets.count }

    package func secret(_ label: Label, of random: ClientRandom) -> [UInt8]? { secrets[random]?[label] }

    /// The next bytes of the text; lines may be cut anywhere.
    package mutating func feed(_ bytes: ByteBuffer) {
        var rest = bytes.readableBytesView[...]
        while let newline = rest.firstIndex(of: 0x0a) {
            collect(rest[..<newline])
            endLine()
            rest = rest[(newline + 1)...]
        }
        collect(rest)
    }

    /// The text is over: its last line may lack a newline. The next text counts its lines from 1 again.
    package mutating func finish() {
        if !partial.isEmpty || isTooLong { endLine() }
        line = 0
    }

    /// The text was given up within a line: what there is of the line is void. The next text counts its lines from 1 again.
    mutating func abandon() {
        (partial, isTooLong) = ([], false)
        line = 0
    }

    /// A whole text, such as a Decryption Secrets Block holds.
    package mutating func add(_ text: ByteBuffer) {
        feed(text)
        finish()
    }

    /// The connections that gained a secret since this was last asked.
    mutating func takeLearnt() -> [ClientRandom] {
        defer { learnt = [] }
        return learnt
    }

    private mutating func collect(_ bytes: ByteBufferView.SubSequence) {
        guard !isTooLong else { return }
        guard bytes.count <= bounds.line - min(bounds.line, partial.count) else {
            isTooLong = true
            partial = []
            return
        }
        partial += bytes
    }

    private mutating func endLine() {
        line += 1
        defer {
            partial.removeAll(keepingCapacity: true)
            isTooLong = false
        }
        if isTooLong { return complain("longer than \(bounds.line) bytes") }
        switch KeyLogLine(partial[...]) {
        case .nothing: break
        case .wrong(let reason): complain(reason)
        case .secret(let label, let random, let secret): keep(label, random, secret)
        }
    }

    private mutating func keep(_ label: Label, _ random: ClientRandom, _ secret: [UInt8]) {
        guard let known = secrets[random] else {
            if secrets.count >= bounds.connections {
                guard bounds.keepsNewest, let oldest = order.popFirst() else {
                    return complain("more than \(bounds.connections) connections; this one is left out")
                }
                secrets[oldest] = nil
            }
            if bounds.keepsNewest { order.append(random) }
            secrets[random] = [label: secret]
            return learnt.append(random)
        }
        if known[label] == secret { return }
        // A client and a server that log into one file write the same. Two different ones: nobody knows which is right.
        if known[label] != nil {
            return complain("another secret for the same connection and label; the first is kept")
        }
        secrets[random]?[label] = secret
        learnt.append(random)
    }

    private mutating func complain(_ reason: String) {
        problemCount += 1
        if problems.count < bounds.problems { problems.append(Problem(line: line, reason: reason)) }
    }
}

/// The 32 bytes of a ClientHello by which a key log names a connection.
package struct ClientRandom: Sendable, Hashable {
    private let words: InlineWords

    private struct InlineWords: Sendable, Hashable {
        var first: UInt64, second: UInt64, third: UInt64, fourth: UInt64
    }

    /// Nil unless there are 32 bytes.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        var words = [UInt64](repeating: 0, count: 4)
        for (index, byte) in bytes.enumerated() { words[index / 8] = words[index / 8] << 8 | UInt64(byte) }
        self.words = InlineWords(first: words[0], second: words[1], third: words[2], fourth: words[3])
    }

    package var bytes: [UInt8] {
        [words.first, words.second, words.third, words.fourth].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) }
        }
    }

    /// 64 digits.
    package var hex: String { Hex.text(bytes) }
}
