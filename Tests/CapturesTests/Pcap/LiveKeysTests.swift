import Glibc
import Journaling
import NIOCore
import Testing
import Wire

@testable import Captures

/// A capture that begins before its clients do: connections, secrets and the log itself come while it runs.
@Suite(.enabled(if: LiveCaptureTests.isAllowed)) struct LiveKeysTests {
    /// A connection of loopback, both ends of it.
    private final class Talk {
        private(set) var port: UInt16 = 0
        private let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        private var ends: [Side: Int32] = [:]

        init() throws {
            let bound = unsafe call { unsafe bind(listener, $0, $1) }
            try #require(bound == 0 && listen(listener, 1) == 0)
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let told = unsafe withUnsafeMutablePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(listener, $0, &length) }
            }
            try #require(told == 0)
            port = UInt16(bigEndian: address.sin_port)
        }

        deinit { for end in Array(ends.values) + [listener] { close(end) } }

        func begin() throws {
            let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            ends[.client] = client
            let connected = unsafe call { unsafe connect(client, $0, $1) }
            try #require(connected == 0)
            ends[.server] = accept(listener, nil, nil)
        }

        /// Sends it and takes it in at the other end.
        func say(_ side: Side, _ bytes: [UInt8]) throws {
            let (from, to) = (try #require(ends[side]), try #require(ends[side.other]))
            let sent = unsafe send(from, bytes, bytes.count, 0)
            try #require(sent == bytes.count)
            var left = bytes.count
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            while left > 0 {
                let got = unsafe recv(to, &chunk, min(left, chunk.count), 0)
                try #require(got > 0)
                left -= got
            }
        }

        func end() {
            for side in Side.allCases { if let end = ends.removeValue(forKey: side) { close(end) } }
        }

        private func call(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            return unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
            }
        }
    }

    /// Where the log stands at each step, and when its connection ends.
    enum Log: CaseIterable {
        /// In two halves, of lines even, between the flights.
        case halves
        /// All of it when the connection is over, the last line without its end, read when the capture is over.
        case atTheEnd
        /// A log of another connection was there, and is emptied for this one.
        case emptied
        /// The same, and another file takes its name.
        case replaced
    }

    private final class Script {
        let talk: Talk
        var steps: [() throws -> Void] = []
        var failure: (any Error)?
        init(_ talk: Talk) { self.talk = talk }

        /// The next step; true when all are done.
        func go() -> Bool {
            guard failure == nil, !steps.isEmpty else { return true }
            do { try steps.removeFirst()() } catch { failure = error }
            return false
        }
    }

    private func append(_ text: some Sequence<UInt8>, _ path: String) throws {
        guard let file = unsafe fopen(path, "ab") else { throw Folder.Missing(path: path) }
        defer { unsafe fclose(file) }
        let bytes = Array(text)
        let count = unsafe fwrite(bytes, 1, bytes.count, file)
        #expect(count == bytes.count)
    }

    private func script(_ log: Log, _ talk: Talk, _ exchange: TLSExchange, _ folder: Folder) throws -> Script {
        let (path, keys) = (folder["k"], Array(exchange.keys.utf8))
        let other = try Array(TLSExchange.read("12-resumed").keys.utf8)
        let half = keys.count / 2
        let script = Script(talk)
        if log == .emptied || log == .replaced { try folder.write("k", other + Array("half of a li".utf8)) }
        script.steps = [{ try talk.begin() }]
        for (index, flight) in exchange.flights.enumerated() {
            script.steps.append { try talk.say(flight.side, flight.bytes) }
            switch log {
            case .halves:
                if index == 0 { script.steps.append { try self.append(keys[..<half], path) } }
                if index == 2 { script.steps.append { try self.append(keys[half...], path) } }
            case .emptied: if index == 1 { script.steps.append { try folder.write("k", keys) } }
            case .replaced:
                if index == 1 { script.steps.append { try folder.write("new", keys) } }
                if index == 1 { script.steps.append { _ = unsafe rename(folder["new"], path) } }
            case .atTheEnd: break
            }
        }
        script.steps.append { talk.end() }
        for _ in 0..<4 { script.steps.append {} }
        if log == .atTheEnd { script.steps.append { try self.append(keys.dropLast(), path) } }
        // What was sent lies in the kernel by now, and is read in one or two rounds.
        for _ in 0..<8 { script.steps.append {} }
        return script
    }

    @Test(arguments: Log.allCases) func secretsComeWhileItRuns(_ log: Log) throws {
        let (folder, talk) = (try Folder(), try Talk())
        let exchange = try TLSExchange.read("13-aes_128_gcm_sha256")
        let script = try script(log, talk, exchange, folder)
        let options = LiveCapture.Options(
            interface: "lo", filter: "tcp port \(talk.port)", duration: .seconds(30), keyLog: folder["k"])
        let capture = try LiveCapture(options, try CaptureDevice("lo", filter: options.filter))
        #expect((capture.awaitedKeyLog != nil) == (log == .halves || log == .atTheEnd))
        let probe = SinkProbe()
        var warnings: [String] = []
        let summary = try capture.run({ probe }, isAsked: { script.go() }, progress: { _ in }, warn: { warnings.append($0) })
        #expect(script.failure == nil && warnings == [])
        // Half a line is void where the file was emptied, and wrong where another took its place.
        #expect(probe.notes == (log == .replaced ? ["\(folder["k"]) line \(try TLSExchange.read("12-resumed").keys.split(separator: "\n").count + 1): begins with no label"] : []))
        #expect(summary.connections == 1)
        for side in Side.allCases {
            #expect(probe.stream(side) == exchange.said[side], "\(log) \(side)")
            #expect(probe.gapCount(side) == 0 && probe.isEnded(side))
        }
    }

    /// More than a connection may hold while it waits, at once behind the secrets.
    @Test func whatFollowsTheSecretsAtOnceIsOpened() throws {
        let (folder, talk) = (try Folder(), try Talk())
        let exchange = try TLSExchange.read("13-aes_128_gcm_sha256")
        // Without the two that close it.
        let flights = exchange.flights.dropLast(2)
        let last = try #require(flights.last)
        let script = Script(talk)
        // One step and so one round: the packets are all there before the log is looked at again.
        script.steps = [
            { try talk.begin() },
            {
                for flight in flights.dropLast() { try talk.say(flight.side, flight.bytes) }
                try folder.write("k", exchange.keys)
                try talk.say(last.side, last.bytes)
                for _ in 0..<40 { try talk.say(last.side, [UInt8](repeating: 0x17, count: 8_192)) }
            },
            // The end is asked for at once: what was sent before is captured all the same.
            { talk.end() },
        ]
        let options = LiveCapture.Options(
            interface: "lo", filter: "tcp port \(talk.port)", duration: .seconds(30), keyLog: folder["k"])
        let capture = try LiveCapture(options, try CaptureDevice("lo", filter: options.filter))
        let probe = SinkProbe()
        _ = try capture.run({ probe }, isAsked: { script.go() }, progress: { _ in })
        #expect(script.failure == nil)
        // The bytes behind the exchange are no records, so that direction is lost there and not before.
        for side in Side.allCases { #expect(probe.stream(side) == exchange.said[side]) }
        #expect(probe.notes.count == 1 && probe.notes.first?.contains("sent bytes that are no TLS record") == true, "\(probe.notes)")
    }
}
