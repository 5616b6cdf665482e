import Foundation
import Journaling
import NIOCore
import Oracles
import Profiles
import ProxyRuntime
import Reporting
import Testing
import Wire

@testable import Captures
@testable import Commands

/// What the proxy recorded, and an import of the same bytes as a capture would hold them, are judged alike. Only where the
/// proxy could not prove that its own loops were awake may the import, which has none, say more.
@Suite struct ReimportTests {
    static let names = ["three-users", "five-errors", "error-to-the-wrong-user", "silent-error"]

    struct Judged: Equatable {
        var verdicts: [String]
        var findings: [String]
    }

    @Test(arguments: names) func bothAreJudgedAlike(_ name: String) throws {
        let stand = try Stand(name)
        try stand.play { _ in nil }
        let (judged, original) = (try stand.judgeImport(), try stand.judgeOriginal())
        #expect(judged.verdicts.count == original.verdicts.count)
        // What the recording hides is no credential any more that could be looked for.
        for (one, other) in zip(judged.verdicts, original.verdicts) where !other.contains("inconclusive") && !other.hasPrefix("I4") { #expect(one == other) }
        #expect(Set(original.findings).isSubset(of: judged.findings))
    }

    /// Bytes missing anywhere, on either side: nothing fails that did not fail before, and what cannot be known is not
    /// said to hold.
    @Test(arguments: names) func aGapNeverMakesAViolation(_ name: String) throws {
        let original = try Stand(name).judgeOriginal()
        let frames = try Stand(name).frames
        for index in stride(from: 0, to: frames, by: max(1, frames / 12)) {
            let stand = try Stand(name)
            try stand.play { $0 == index ? .lost : nil }
            let judged = try stand.judgeImport()
            let failed = judged.verdicts.filter { $0.hasSuffix("fail") }
            #expect(Set(failed).isSubset(of: original.verdicts), "frame \(index) missing: \(failed)")
        }
    }

    /// The capture ends anywhere: no verdict comes of the silence behind it.
    @Test(arguments: names) func aCaptureThatEndsEarlyProvesNothingMore(_ name: String) throws {
        let original = try Stand(name).judgeOriginal()
        let frames = try Stand(name).frames
        for index in stride(from: 0, to: frames, by: max(1, frames / 12)) {
            let stand = try Stand(name)
            try stand.play { $0 >= index ? .end : nil }
            let failed = try stand.judgeImport().verdicts.filter { $0.hasSuffix("fail") }
            #expect(Set(failed).isSubset(of: original.verdicts), "ends at frame \(index): \(failed)")
        }
    }
}

/// One recording of the corpus, told to a weaver as connections.
private final class Stand {
    enum Damage { case lost, end }
    let source: String
    let target: String
    let weaver: SessionWeaver
    private let entries: [Entry]
    private let contract: RecordingHeader.Source
    private let start: WallTime

    init(_ name: String) throws {
        source = CorpusTests.directory.appendingPathComponent(name).path
        target = FileManager.default.temporaryDirectory.appendingPathComponent("miswire-\(UUID().uuidString)").path
        var reader = try RecordingReader(source)
        contract = try #require(reader.header.contract)
        start = try #require(WallClockText.iso(reader.header.started))
        var entries: [Entry] = []
        while let entry = try reader.next() { entries.append(entry) }
        self.entries = entries
        let promise = try ContractLoader.parse(text: contract.text, file: contract.name)
        weaver = try SessionWeaver(
            .init(
                directory: target, header: RecordingHeader(program: "0", started: "", seed: 1, contract: contract, isImported: true),
                finder: ContractSecrets(promise, key: Array(SigningKey.development.utf8)), redactionKey: Array(0..<32)))
    }

    deinit { try? FileManager.default.removeItem(atPath: target) }

    var frames: Int { entries.count { if case .frame = $0.body { true } else { false } } }

    func judgeOriginal() throws -> ReimportTests.Judged { try Self.judge(source) }
    func judgeImport() throws -> ReimportTests.Judged { try Self.judge(target) }

    private static func judge(_ path: String) throws -> ReimportTests.Judged {
        let judgement = try OfflineJudge(path, contract: nil).run { _ in }.judgement
        return ReimportTests.Judged(
            verdicts: judgement.properties.map { "\($0.id) \(String(describing: $0.verdict))" },
            findings: judgement.findings.map(\.id).sorted())
    }

    /// - Parameter damage: what happens to the frame of that number, from 0.
    func play(_ damage: (Int) -> Damage?) throws {
        var frame = 0
        for entry in entries {
            guard let id = entry.session.map({ UInt64($0.value) }) else { continue }
            let time = start + entry.instant.nanoseconds
            switch entry.body {
            case .opened(let opened): try weaver.opened(Connection(id: id, client: opened.peer, server: "s"), at: time)
            case .head(let head): try weaver.bytes(id, from: head.passage.direction.source, restored(head, id), at: time)
            case .frame(let record):
                let side = record.passage.direction.source
                let bytes = FrameWriter.bytes(record.frame)
                switch damage(frame) {
                case .lost: try weaver.gap(id, from: side, count: UInt64(bytes.readableBytes), at: time)
                case .end: return try weaver.finish()
                case nil: try weaver.bytes(id, from: side, bytes, at: time)
                }
                frame += 1
            case .bytes(let bytes): try weaver.bytes(id, from: bytes.passage.direction.source, bytes.bytes, at: time)
            case .ended(let end): try weaver.ended(id, from: end.side, end.style, at: time)
            case .closed: try weaver.gone(id, at: time)
            default: break
            }
        }
        try weaver.finish()
    }

    /// The head with a credential in the place of its tag, of which the same facts follow.
    private func restored(_ head: HeadRecord, _ id: UInt64) -> ByteBuffer {
        let text = String(buffer: head.bytes)
        guard let from = text.firstIndex(of: "‹"), let to = text.firstIndex(of: "›") else { return head.bytes }
        let facts = entries.lazy.compactMap { entry -> Facts? in
            guard entry.session?.value == UInt32(id), case .facts(let facts) = entry.body else { return nil }
            return facts
        }.first
        let key = facts?.state == .forged ? "another key" : SigningKey.development
        let claims: JSON = .object([
            .init(key: "sub", value: .string(facts?.user ?? "")), .init(key: "exp", value: .number(String(facts?.expires ?? 0))),
        ])
        return ByteBuffer(string: text.replacingCharacters(in: from...to, with: JWT.sign(claims, key: Array(key.utf8))))
    }
}
