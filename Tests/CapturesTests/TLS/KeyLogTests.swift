import NIOCore
import Testing

@testable import Captures

@Suite struct KeyLogTests {
    static let random = String(repeating: "0123456789abcdef", count: 4)
    static let master = String(repeating: "aB", count: 48)
    static let traffic = String(repeating: "7e", count: 32)

    static func log(_ text: String) -> KeyLog {
        var log = KeyLog()
        log.add(ByteBuffer(string: text))
        return log
    }

    static var key: ClientRandom {
        get throws {
            try #require(ClientRandom((0..<4).flatMap { _ in [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef] }))
        }
    }

    @Test func linesGiveSecrets() throws {
        let log = Self.log(
            "# a comment\n\nCLIENT_RANDOM \(Self.random) \(Self.master)\r\n"
                + "SERVER_TRAFFIC_SECRET_0 \(Self.random.uppercased()) \(Self.traffic) \n"
                + "EXPORTER_SECRET \(Self.random) \(Self.traffic)\nCLIENT_EARLY_TRAFFIC_SECRET 12 34\nRSA 0011 2233\n"
                + "CLIENT_TRAFFIC_SECRET_0 \(Self.random) \(Self.traffic + String(repeating: "0", count: 32))")
        #expect(try log.secret(.master, of: Self.key) == [UInt8](repeating: 0xab, count: 48))
        #expect(try log.secret(.serverTraffic, of: Self.key) == [UInt8](repeating: 0x7e, count: 32))
        #expect(try log.secret(.clientTraffic, of: Self.key)?.count == 48)
        #expect(try log.secret(.clientHandshake, of: Self.key) == nil)
        #expect(log.count == 1)
        #expect(log.problems == [])
        #expect(try Self.key.hex == Self.random)
    }

    @Test func wrongLinesAreToldAndTolerated() throws {
        let lines = [
            ("CLIENT_RANDOM \(Self.random)", "2 words after splitting at spaces, not 3"),
            ("CLIENT_RANDOM \(Self.random.dropLast()) \(Self.master)", "the client random is not 64 hex digits"),
            ("CLIENT_RANDOM \(Self.random) \(Self.traffic)", "the secret is not 96 hex digits"),
            ("CLIENT_TRAFFIC_SECRET_0 \(Self.random) \(Self.traffic)0", "the secret is not 64 or 96 hex digits"),
            (
                "CLIENT_TRAFFIC_SECRET_0 \(Self.random) \(Self.traffic.dropLast(2))zz",
                "the secret is not 64 or 96 hex digits"
            ),
            ("CLIENT_RANDOM \(Self.random) \(Self.master) more", "4 words after splitting at spaces, not 3"),
            ("not a label", "begins with no label"), ("\u{0}\u{1}\u{ff}", "begins with no label"),
            (String(repeating: "A", count: 5000), "longer than 4096 bytes"),
        ]
        for (line, reason) in lines {
            let log = Self.log("# one\n\(line)\nCLIENT_RANDOM \(Self.random) \(Self.master)\n")
            #expect(log.problems == [KeyLog.Problem(line: 2, reason: reason)])
            #expect(try log.secret(.master, of: Self.key) != nil)
            #expect(log.complaints(place: "k.log") == ["k.log line 2: \(reason)"])
        }
    }

    @Test func everySplitGivesTheSame() throws {
        let text = Array("# c\r\nCLIENT_RANDOM \(Self.random) \(Self.master)\r\nbad line\nCLIENT_RANDOM x y".utf8)
        for split in 0...text.count {
            var log = KeyLog()
            log.feed(ByteBuffer(bytes: text.prefix(split)))
            log.feed(ByteBuffer(bytes: text.dropFirst(split)))
            log.finish()
            #expect(log.problems.map(\.line) == [3, 4])
            #expect(try log.secret(.master, of: Self.key) != nil)
        }
        var byBytes = KeyLog()
        for byte in text { byBytes.feed(ByteBuffer(bytes: [byte])) }
        byBytes.finish()
        #expect(byBytes.problems.map(\.line) == [3, 4])
    }

    @Test func textsAreJoinedAndLinesCountedAnew() throws {
        var log = Self.log("CLIENT_RANDOM \(Self.random) \(Self.master)")
        log.add(ByteBuffer(string: "CLIENT_TRAFFIC_SECRET_0 \(Self.random) \(Self.traffic)\nCLIENT_RANDOM"))
        #expect(try log.secret(.master, of: Self.key) != nil)
        #expect(try log.secret(.clientTraffic, of: Self.key) != nil)
        #expect(log.problems.map(\.line) == [2])
    }

    @Test func theFirstOfTwoSecretsIsKept() throws {
        let line = "CLIENT_RANDOM \(Self.random) \(Self.master)\n"
        let other = "CLIENT_RANDOM \(Self.random) \(Self.master.dropLast(2))00\n"
        #expect(Self.log(line + line).problems == [])
        let log = Self.log(line + other)
        #expect(log.problems.count == 1)
        #expect(try log.secret(.master, of: Self.key)?.last == 0xab)
    }

    @Test func memoryIsBounded() {
        var bounds = KeyLog.Bounds()
        bounds.connections = 10
        bounds.problems = 3
        var log = KeyLog(bounds: bounds)
        for number in 0..<20 {
            let tail = "\(number)".count == 1 ? "0\(number)" : "\(number)"
            log.feed(ByteBuffer(string: "CLIENT_RANDOM \(Self.random.dropLast(2))\(tail) \(Self.master)\n"))
        }
        for _ in 0..<1000 { log.feed(ByteBuffer(repeating: 0x41, count: 10_000)) }
        log.finish()
        #expect(log.count == 10)
        #expect(log.problems.count == 3)
        #expect(log.problemCount == 11)
        #expect(log.complaints(place: "k").last == "k: 8 more wrong lines")
    }

    /// A log that goes on would otherwise be of no use from some day on.
    @Test func theOldestMakeRoomWhereTheNewestCount() throws {
        var bounds = KeyLog.Bounds()
        (bounds.connections, bounds.keepsNewest) = (10, true)
        var log = KeyLog(bounds: bounds)
        let randoms = (10..<30).map { "\(Self.random.dropLast(2))\($0)" }
        for random in randoms {
            log.feed(ByteBuffer(string: "CLIENT_RANDOM \(random) \(Self.master)\n"))
            log.feed(ByteBuffer(string: "CLIENT_TRAFFIC_SECRET_0 \(randoms[0]) \(Self.traffic)\n"))
        }
        #expect(log.count == 10 && log.problemCount == 0)
        for (index, random) in randoms.enumerated() {
            let key = try #require(ClientRandom(TLSExchange.bytes(random)))
            #expect((log.secret(.master, of: key) != nil) == (index > 10), "\(index)")
        }
    }

    @Test func filesAreReadOrNamed() throws {
        let folder = try Folder()
        try folder.write("keys.log", "# keys\nCLIENT_RANDOM \(Self.random) \(Self.master)\n")
        #expect(try KeyLog.read(folder["keys.log"]).count == 1)
        let error = #expect(throws: ImportError.self) { try KeyLog.read(folder["none.log"]) }
        #expect(error?.place == folder["none.log"])
        #expect(error?.sentence == "the key log cannot be read")
        #expect(error?.remedy?.contains("SSLKEYLOGFILE") == true)
    }
}
