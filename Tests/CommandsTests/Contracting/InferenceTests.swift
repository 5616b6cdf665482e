import Contracts
import Foundation
import Journaling
import NIOCore
import Oracles
import Profiles
import Testing
import Wire

@testable import Commands

/// What is inferred parses, accuses nobody, and says what there is to see.
@Suite(.timeLimit(.minutes(5))) struct InferenceTests {
    static let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path + "/corpus/recordings/"
    static let recordings = ["three-users", "five-errors", "delayed-accept", "crossed-pair", "error-to-the-wrong-user", "silent-error"]

    private func infer(_ journals: [[Entry]]) throws -> String {
        var inference = Inference()
        for _ in 1...Inference.looks {
            for journal in journals {
                inference.turn()
                for entry in journal { inference.take(entry) }
            }
            inference.next()
        }
        return try #require(inference.draft(name: "inferred", about: "Inferred."))
    }

    /// What the contract adds to what is found without any.
    private func findings(_ journal: [Entry], _ contract: Contract) -> [String] {
        func judged(by contract: Contract?) -> [Finding] {
            var judge = Judge(contract: contract)
            for entry in journal { judge.observe(entry) }
            return judge.conclude(at: journal.last?.instant ?? .zero).findings
        }
        let known = Set(judged(by: nil).map(\.id))
        return judged(by: contract).filter { !known.contains($0.id) }.map { "\($0.property) \($0.sentence)" }
    }

    /// Another day at the same server: what was inferred on one accuses it on neither.
    @Test(arguments: 0..<150) func aHealthyServerIsNeverAccused(server: Int) throws {
        let first = HealthyServer.journal(server: UInt64(server), day: 1, users: 2 + server % 7)
        let text = try infer([first])
        let contract = try ContractLoader.parse(text: text, file: "inferred.yaml")
        #expect(findings(first, contract) == [], "\(text)")
        for day in 2...4 {
            let other = HealthyServer.journal(server: UInt64(server), day: UInt64(day), users: 5)
            #expect(findings(other, contract) == [], "day \(day)\n\(text)")
        }
        let both = try infer([first, HealthyServer.journal(server: UInt64(server), day: 2, users: 5)])
        let second = try ContractLoader.parse(text: both, file: "inferred.yaml")
        #expect(findings(first, second) == [], "\(both)")
    }

    @Test(arguments: 0..<40) func nothingIsMustReject(server: Int) throws {
        let text = try infer([HealthyServer.journal(server: UInt64(server), day: 1, users: 6)])
        let contract = try ContractLoader.parse(text: text, file: "inferred.yaml")
        #expect(contract.reject.allSatisfy { $0.mayAccept })
        #expect(contract.wire.type != nil && !contract.events.isEmpty && !contract.requests.isEmpty)
        // Each line that judges says why it is there.
        for line in text.split(separator: "\n") where line.contains("greeting:") || line.contains("key:") && !line.contains("start:") {
            #expect(line.contains("#"), "\(line)")
        }
    }

    @Test func theSameEntriesGiveTheSameText() throws {
        for server in 0..<10 as Range<UInt64> {
            let journal = HealthyServer.journal(server: server, day: 1, users: 6)
            #expect(try infer([journal]) == infer([journal]))
        }
    }

    @Test(arguments: recordings) func ownRecordingsAccuseNobody(name: String) throws {
        let result = try InferenceRun(recordings: [Self.corpus + name], name: "inferred").run { _ in }
        let contract = try ContractLoader.parse(text: result.text, file: "inferred.yaml")
        let judged = try OfflineJudge(Self.corpus + name, law: .given(contract)).run { _ in }
        #expect(judged.judgement.findings.isEmpty, "\(result.text)")
        #expect(contract.wire.type?.text == "type" && contract.reject.allSatisfy { $0.mayAccept })
    }

    /// What a person sees at once in the recording of three users.
    @Test func threeUsersTellTheirProtocol() throws {
        let result = try InferenceRun(recordings: [Self.corpus + "three-users"], name: "three").run { _ in }
        let contract = try ContractLoader.parse(text: result.text, file: "three.yaml")
        #expect(result.left == [])
        #expect(contract.session?.greeting == "connected")
        #expect(contract.runs.map(\.name) == ["run"] && contract.runs.first?.key.map(\.text) == ["run_id"])
        #expect(contract.requests.first { $0.name == "agent_started" }?.starts == "run")
        #expect(contract.link.map(\.request.text) == ["request_id"])
        // That it is asked for, nothing in it shows.
        #expect(contract.identity.credential.isEmpty && contract.auth?.anonymous == true)
        #expect(result.text.contains("]   candidate: 3 of 3 upgrades carried one, and nobody was refused for want of it"))
        #expect(result.text.contains("user_id") && result.text.contains("of 3 users"))
    }

    /// One who came without a credential, or with a bad one, and was sent away or not.
    private func visitor(_ state: Facts.State, _ became: Became) -> [Entry] {
        let bodies: [Entry.Body] = [
            .opened(Opened(transport: TransportID(900), peer: "127.0.0.1:5000")),
            .facts(Facts(tap: .serverOut, user: nil, place: state == .absent ? nil : "query token", state: state)), .became(became),
        ]
        return bodies.enumerated().map { index, body in
            Entry(
                instant: Instant(nanoseconds: Int64(index)), loop: 0, sequence: UInt64(index),
                ref: EntryRef(session: SessionID(900), ordinal: UInt32(index + 1)), body: body)
        }
    }

    @Test(arguments: [
        (Facts.State.absent, Became.refused(status: 401), true), (.forged, .refused(status: 403), true), (.absent, .refused(status: 404), false), (.intact, .refused(status: 403), false),
        (.absent, .accepted(subprotocol: nil, deflate: false), false),
    ])
    func credentialsAreAskedForWhereSomebodyWasRefused(state: Facts.State, became: Became, isAsked: Bool) throws {
        let journal = HealthyServer.journal(server: 4, day: 1, users: 6)
        let contract = try ContractLoader.parse(text: try infer([visitor(state, became) + journal]), file: "i.yaml")
        #expect(contract.identity.credential.isEmpty != isAsked)
        #expect((contract.auth?.anonymous ?? false) != isAsked)
    }

    /// A version is another one tomorrow, that of JSON-RPC is not.
    @Test func versionsAreNotFrozen() throws {
        let entries = HealthyServer.journal(server: 3, day: 1, users: 6).map { entry in
            guard case .frame(var frame) = entry.body, frame.message?.opcode == .text, let payload = frame.message?.payload,
                case .object(var members)? = try? JSON.parse(String(buffer: payload))
            else { return entry }
            members += [
                .init(key: "version", value: "1.4.2"), .init(key: "clientVersion", value: "7.7.7"), .init(key: "mode", value: "quiet"),
                .init(key: "jsonrpc", value: "2.0"),
            ]
            frame.message?.payload = ByteBuffer(string: JSON.object(members).text)
            var changed = entry
            changed.body = .frame(frame)
            return changed
        }
        let contract = try ContractLoader.parse(text: try infer([entries]), file: "i.yaml")
        let shapes = contract.requests.compactMap(\.shape?.text).joined(), events = contract.events.compactMap(\.shape?.text).joined()
        #expect(shapes.contains("version: <string>") && shapes.contains("clientVersion: <string>") && shapes.contains("is:quiet"), "\(shapes)")
        #expect(!events.contains("1.4.2") && !events.contains("7.7.7"), "\(events)")
        #expect(shapes.contains("is:2.0"))
    }

    /// Values of a peer never become keys, comments or lines of their own.
    @Test func hostileWordsStayQuoted() throws {
        let nasty = "a\"b: c # d\n- { x: *y }\u{202e}\u{1}"
        var entries = HealthyServer.journal(server: 3, day: 1, users: 4)
        entries = entries.map { entry in
            guard case .frame(var frame) = entry.body, frame.message?.opcode == .text, let payload = frame.message?.payload else { return entry }
            guard case .object(var members)? = try? JSON.parse(String(buffer: payload)) else { return entry }
            members.append(.init(key: nasty, value: .string(nasty)))
            members.append(.init(key: "odd.name", value: .string(nasty)))
            frame.message?.payload = ByteBuffer(string: JSON.object(members).text)
            var changed = entry
            changed.body = .frame(frame)
            return changed
        }
        let text = try infer([entries])
        #expect(!text.contains("*y") && !text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || $0.value == 0x202e })
        let contract = try ContractLoader.parse(text: text, file: "inferred.yaml")
        #expect(findings(entries, contract) == [])
        #expect(text.contains("odd.name"))
    }

    @Test func memoryIsBounded() throws {
        var scale = InferenceScale()
        scale.kinds = 8
        scale.paths = 4
        scale.values = 16
        scale.sessions = 3
        var inference = Inference(scale: scale)
        let journal = HealthyServer.journal(server: 5, day: 1, users: 9)
        for _ in 1...Inference.looks {
            for entry in journal { inference.take(entry) }
            inference.next()
        }
        let text = try #require(inference.draft(name: "small", about: "x"))
        let contract = try ContractLoader.parse(text: text, file: "small.yaml")
        #expect(findings(journal, contract) == [], "\(text)")
    }
}
