import Captures
import Contracts
import Foundation
import Journaling
import Oracles
import Profiles
import Testing

@testable import Commands

/// The corpus without some of its sessions: what is not there makes nobody guilty.
@Suite struct OmissionTests {
    @Test(arguments: CorpusTests.expectations.keys.sorted()) func theRestAccusesNobodyElse(_ name: String) throws {
        let path = CorpusTests.directory.appendingPathComponent(name).path
        var reader = try RecordingReader(path)
        let text = try #require(reader.header.contract)
        let contract = try ContractLoader.parse(text: text.text, file: text.name)
        var entries: [Entry] = []
        while let entry = try reader.next() { entries.append(entry) }
        let whole = try OfflineJudge(path, contract: nil).run { _ in }.judgement
        let known = Set(whole.findings.flatMap { [$0.property] + $0.also })
        let sessions = Set(entries.compactMap(\.session)).sorted()
        var users: [String: Set<SessionID>] = [:]
        for entry in entries {
            if let id = entry.session, case .facts(let facts) = entry.body, let user = facts.user { users[user, default: []].insert(id) }
        }
        for omitted in sessions.map({ [$0] }) + users.values {
            var judge = Judge(contract: contract)
            for entry in entries where entry.session.map({ !omitted.contains($0) }) ?? true { judge.observe(entry) }
            let judgement = judge.conclude(at: entries.last?.instant ?? .zero)
            #expect(Set(judgement.findings.map(\.property)).isSubset(of: known), "without \(omitted)")
            #expect(judgement.toolErrors.isEmpty, "without \(omitted)")
        }
        // One session alone, as `check RECORDING/SESSION` reads it. What is left out is nobody's who is there.
        var alone: Set<String> = []
        for session in sessions {
            let judgement = try OfflineJudge("\(path)/\(session)", contract: nil).run { _ in }.judgement
            alone.formUnion(judgement.findings.map(\.property))
            #expect(judgement.undecided.isEmpty || whole.undecided.isSuperset(of: judgement.undecided), "\(session) alone")
            #expect(Set(judgement.findings.map(\.property)).isSubset(of: known), "\(session) alone")
            #expect(judgement.toolErrors.isEmpty, "\(session) alone")
        }
        // What the corpus shows stands on one connection, and is found on that alone.
        #expect(alone == Set(whole.findings.map(\.property)))
    }
}

extension Judgement {
    fileprivate var undecided: Set<String> { Set(properties.filter { $0.inconclusive > 0 }.map(\.id)) }
}
