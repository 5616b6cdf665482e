import Captures
import Contracts
import Faults
import Foundation
import Journaling
import Oracles
import Peers
import Plans
import Profiles
import ProxyRuntime
import ReferenceBackend
import Testing

@testable import Commands

/// A profile's `scope.users` limits the recording (trust.md T37): nothing of others reaches the disk.
@Suite(.timeLimit(.minutes(5))) struct RecordedUsersTests {
    static let plan = """
        miswire plan 1
        ---
        user alice credential header
        user bob credential query
        1 alice connect /ws
        2 bob connect /ws
        3 alice until connected within 60s
        4 bob until connected within 60s
        5 alice send {"type":"agent_started","agent_name":"assistant","user_id":"alice","message":"say mwc-alicealiceal","request_id":"a-1"}
        6 bob send {"type":"agent_started","agent_name":"assistant","user_id":"bob","message":"say mwc-bobbobbobbob","request_id":"b-1"}
        7 alice until agent_completed within 60s
        8 bob until agent_completed within 60s
        9 bob send text "{"
        10 bob until error within 60s
        11 alice close 1000 "bye"
        12 bob close 1000 "bye"
        faults none

        """

    struct Recorded {
        var path: String
        var result: RunResult
        /// What lies in its files.
        var bytes: [UInt8]
    }

    static func record(
        _ mode: RecordingHeader.Mode, users: [String], profile name: String = "transparent", in folder: String
    ) async throws -> Recorded {
        let server = try await BackendServer.start()
        var profile = try ProfileLoader().load(name)
        profile.scope.users = users.map { Glob($0) }
        let contract = try ContractLoader().load("agent-chat")
        var options = ProxyOptions(
            listen: HostPort(host: "127.0.0.1", port: 0),
            upstream: Upstream(url: "ws://127.0.0.1:\(server.port)", address: HostPort(host: "127.0.0.1", port: server.port)))
        options.profile = profile
        options.contract = contract
        options.judge = true
        options.seed = 1
        options.loops = 2
        options.record = folder + "/rec"
        options.recordMode = mode
        options.mintKey = BackendServer.developmentKey
        let proxy = try await ProxyServer.start(options)
        var playing = Player.Options(contract: contract)
        playing.key = Array(BackendServer.developmentKey.utf8)
        let performance = Player(options: playing).begin(
            try PlanText.parse(plan), at: Endpoint(host: "127.0.0.1", port: proxy.address.port))
        let steps = await performance.played()
        await performance.finish()
        let result = await proxy.stop(grace: .seconds(5))
        await server.stop()
        if name == "transparent" { #expect(steps.filter { !$0.isOK }.map(\.number) == []) }
        var bytes: [UInt8] = []
        for file in try FileManager.default.contentsOfDirectory(atPath: folder + "/rec").sorted() {
            bytes += [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/rec/" + file)))
        }
        return Recorded(path: folder + "/rec", result: result, bytes: bytes)
    }

    static let modes: [RecordingHeader.Mode] = [.redacted, .raw, .meta]

    @Test(arguments: modes) func nothingOfOthersReachesTheDisk(mode: RecordingHeader.Mode) async throws {
        try await Program.inDirectory { folder in
            let recorded = try await Self.record(mode, users: ["al*"], in: folder)
            // The live oracle saw both, and the ledger of all sessions is right.
            #expect(recorded.result.judgement?.sessions == 2)
            #expect(recorded.result.judgement?.checked("E3") == 1, "only bob was refused anything")
            #expect(recorded.result.judgement?.findings.map(\.sentence) == [] && recorded.result.ledgerDifferences == [])
            #expect(recorded.result.unrecorded == 1 && recorded.result.recordingComplete)

            for secret in ["mwc-bobbobbobbob", "bobbobbob", "b-1", "\"bob\""] {
                for form in Self.forms(secret) { #expect(!Self.holds(recorded.bytes, form), "\(secret) as \(String(decoding: form, as: UTF8.self))") }
            }
            if mode != .meta { #expect(Self.holds(recorded.bytes, Array("mwc-alicealiceal".utf8))) }

            var reader = try RecordingReader(recorded.path)
            #expect(reader.header.users == ["al*"])
            var sessions: Set<SessionID> = []
            var notes: [String] = []
            while let entry = try reader.next() {
                if let id = entry.session { sessions.insert(id) }
                if case .note(let text) = entry.body { notes.append(text) }
            }
            #expect(reader.isComplete && reader.warnings.isEmpty)
            #expect(sessions.count == 1)
            #expect(notes == ["1 session outside the users of the scope was not recorded"])
            let summary = ProxySummary(recorded.result).text(Self.console.out, reason: .pass)
            #expect(summary.contains(", 1 session, 1 outside the scope not recorded, complete"), "\(summary)")
        }
    }

    @Test(arguments: [.redacted, .raw] as [RecordingHeader.Mode]) func checkSaysThatItIsLimited(mode: RecordingHeader.Mode) async throws {
        try await Program.inDirectory { folder in
            let recorded = try await Self.record(mode, users: ["al*"], in: folder)
            let read = try OfflineJudge(recorded.path, contract: nil).run { _ in }
            #expect(read.reason == .pass && read.warnings.isEmpty && read.judgement.toolErrors.isEmpty)
            #expect(read.judgement.sessions == 1 && read.judgement.checked("E1") == 1)
            let text = CheckForm(console: Self.console, recording: "rec", verbose: false)
                .text(read, took: .milliseconds(100), reason: read.reason)
            #expect(text.hasPrefix("limited to sessions of al* only: live verdicts, which saw everybody, may differ\ncheck  1 session,"), "\(text)")

            // A line that gets lost shows, as in any recording.
            let file = recorded.path + "/0001.ndjson"
            var lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
            lines.remove(at: lines.count / 2)
            try lines.joined(separator: "\n").write(toFile: file, atomically: false, encoding: .utf8)
            #expect(try OfflineJudge(recorded.path, contract: nil).run { _ in }.reason != .pass)
        }
    }

    /// Of a crossing alice's entries hold what was delivered to her, and nobody's name.
    @Test func ofACrossingStaysWhatWasDelivered() async throws {
        try await Program.inDirectory { folder in
            let recorded = try await Self.record(.redacted, users: ["alice"], profile: "crossed-streams", in: folder)
            #expect(recorded.result.ledgerDifferences == [])
            #expect(recorded.result.statistics.faultsActed > 0)
            let read = try OfflineJudge(recorded.path, contract: nil).run { _ in }
            #expect(read.judgement.findings.map(\.sentence) == [] && read.judgement.toolErrors.isEmpty && read.isComplete)
            var reader = try RecordingReader(recorded.path)
            #expect(reader.header.purpose == "holds words of other users where a fault delivered them to these")
            var sessions: Set<SessionID> = []
            while let entry = try reader.next() {
                if let id = entry.session { sessions.insert(id) }
                if case .fault(let fault) = entry.body { #expect(fault.partner == nil && !fault.detail.contains("bob")) }
                guard case .frame(let frame) = entry.body, let payload = frame.message?.payload,
                    Self.holds(Array(payload.readableBytesView), Array("bob".utf8))
                else { continue }
                #expect(frame.passage.out != nil && frame.passage.in == nil, "delivered, and not hers")
            }
            #expect(sessions.count == 1)
        }
    }

    /// Everybody is whom `*` covers, and without a name nobody could be recorded.
    @Test func aScopeThatNamesNobodyIsSaid() async throws {
        try await Program.inDirectory { folder in
            let file = folder + "/some.yaml"
            let text = "miswire: 1\nname: some\nabout: Some users.\nscope:\n  users: [alice]\nfaults: []\n"
            try text.write(toFile: file, atomically: false, encoding: .utf8)
            let told = try await Program.run(["proxy", "ws://127.0.0.1:1", "--profile", file, "--record", folder + "/rec"])
            #expect(told.code == 4 && told.err.contains("nothing would be recorded"), "\(told.err)")
            #expect(!FileManager.default.fileExists(atPath: folder + "/rec"))
            let verb = try #require(try Proxy.parse(["ws://127.0.0.1:1", "--profile", file, "--contract", "agent-chat", "--record", folder + "/rec"]) as Proxy?)
            #expect(try verb.options().recordedUsers?.users.map(\.text) == ["alice"])
            let all = try #require(try Proxy.parse(["ws://127.0.0.1:1", "--profile", "transparent", "--record", folder + "/rec"]) as Proxy?)
            #expect(try all.options().recordedUsers == nil)
        }
    }

    static let console = Console(colour: .never, ascii: false, environment: [:])

    /// As it stands, in hex, and in base64 wherever it may begin.
    static func forms(_ text: String) -> [[UInt8]] {
        let bytes = Array(text.utf8)
        let hex = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        var forms = [bytes, Array(hex.utf8), Array(hex.uppercased().utf8)]
        guard bytes.count > 8 else { return forms }
        for shift in 0..<3 {
            let whole = Data([UInt8](repeating: 0x61, count: shift) + bytes).base64EncodedString()
            // Without the digits that depend on what stands around it.
            forms.append(Array(whole.utf8.dropFirst(shift == 0 ? 0 : 4).dropLast(4)))
        }
        return forms
    }

    static func holds(_ bytes: [UInt8], _ needle: [UInt8]) -> Bool {
        guard let first = needle.first, bytes.count >= needle.count else { return false }
        var from = bytes.startIndex
        while let at = bytes[from...].firstIndex(of: first), at + needle.count <= bytes.count {
            if bytes[at..<(at + needle.count)].elementsEqual(needle) { return true }
            from = at + 1
        }
        return false
    }
}

extension Judgement {
    fileprivate func checked(_ id: String) -> Int? { properties.first { $0.id == id }?.checked }
}
