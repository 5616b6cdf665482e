import Faults
import Foundation
import Journaling
import Testing
import Wire

/// Every kind of fault at real sockets: its effect at the far side, and every other byte as it was sent. The table of the
/// README is made of what is seen here; `MISWIRE_WRITE_TABLE=1 swift test --filter KindTests` writes it.
@Suite(.ownThreads, .timeLimit(.minutes(5))) struct KindTests {
    struct Scene: Sendable, CustomTestStringConvertible {
        let row: KindRow
        let side: Side
        /// It stands in the table.
        let isShown: Bool
        var testDescription: String { "\(row.kind), to \(side.rawValue), \(row.settings)" }
    }

    /// All, or those of the kinds that `MISWIRE_KIND` names.
    static let chosen = ProcessInfo.processInfo.environment["MISWIRE_KIND"].map { $0.split(separator: ",").map(String.init) }
    static let scenes = FaultRegistry.all.map { $0.name }.filter { chosen?.contains($0) ?? true }.flatMap { kind in
        KindRow.of(kind).enumerated().flatMap { index, row in
            row.to.enumerated().map { Scene(row: row, side: $0.element, isShown: index == 0 && $0.offset == 0) }
        }
    }

    /// Kinds that act on a hop with TLS; their harness has its own rows.
    static let elsewhere = Set(FaultRegistry.all.filter { $0.group == .tls }.map { $0.name })

    @Test func everyKindHasARow() {
        for kind in FaultRegistry.all where !Self.elsewhere.contains(kind.name) {
            #expect(!KindRow.of(kind.name).isEmpty, "\(kind.name) has no row in Tests/ProxyRuntimeTests/Kinds/Rows")
        }
        for row in KindRow.all { #expect(FaultRegistry.kind(row.kind) != nil, "\(row.kind) is no kind") }
    }

    @Test(arguments: Self.scenes) func onlyItsEffectIsSeen(_ scene: Scene) async throws {
        let (row, side) = (scene.row, scene.side)
        let stage = try await KindStage(row, to: side)
        let play = try await KindPlay.run(stage)
        let isEndless = row.ends.far == .none || row.ends.near == .none
        let (result, faults, paths) = await stage.conclude(grace: isEndless ? .seconds(1) : .seconds(20))

        // The journal: who acted, on whom, and no byte without its explanation.
        #expect(result.ledgerDifferences == [])
        #expect(result.drained || isEndless)
        #expect(!faults.isEmpty && faults.allSatisfy { $0.applied && $0.kind == row.kind && $0.id == "f1" }, "\(faults)")
        #expect(paths.allSatisfy { $0.hasPrefix(KindStage.inside) }, "\(paths)")

        // The far side: these bytes and no others, this end.
        let (places, wrong) = KindRow.Part.places(row.sees(stage.said), in: play.far.bytes, at: side)
        #expect(wrong == nil)
        #expect(play.far.end == row.ends.far, "at the far side")
        for word in play.wrong { Issue.record("\(word)") }
        // The other direction: what was sent.
        let near = (side == .server ? stage.accepted : stage.request) + Array(stage.back().joined())
        if row.nearSees == nil { #expect(play.near.bytes == near, "at the near side") }
        if let expected = row.nearSees { #expect(play.near.bytes == expected(stage), "at the near side") }
        if row.ends.near != .nobody { #expect(play.near.end == row.ends.near, "at the near side") }

        var lateFrom: Int?
        if let late = row.late, wrong == nil {
            lateFrom = places[late]
            let turn = places[late] < play.far.bytes.count ? play.far.turn(of: places[late]) : play.far.endTurn
            #expect((turn ?? 0) > play.others, "not later than what others sent meanwhile")
        }
        if let pieces = row.pieces {
            #expect(pieces.contains(play.far.reads.count), "\(play.far.reads.count) reads")
        }
        guard scene.isShown, wrong == nil else { return }
        let names = zip(row.words, stage.words).map { (name: $0, bytes: $1) }
        let transcript = KindTranscript(side: side, head: stage.said.head, words: names)
        var told = transcript.told(play.far.bytes, late: lateFrom, end: row.ends.far)
        if let note = row.note { told += (told.hasSuffix("`") || told.hasSuffix(")") ? ", " : " ") + note }
        var taps: [String] = []
        for kind in FaultRegistry.kind(row.kind)?.acts ?? [] where !taps.contains(kind.tap.rawValue) { taps.append(kind.tap.rawValue) }
        #expect(faults.allSatisfy { taps.contains($0.tap.rawValue) })
        try KindTable.keep(
            row.kind, "| `\(row.kind)` | \(row.settings.isEmpty ? "–" : "`\(row.settings)`") | \(taps.joined(separator: " ")) | "
                + "\(told) | \(FaultRegistry.kind(row.kind)?.excuse ?? "") |")
    }

    @Test func theTableNamesEveryKindOnce() throws {
        if KindTable.isWritten { return }
        #expect(try KindTable.kinds() == FaultRegistry.all.map { $0.name }.filter { !Self.elsewhere.contains($0) })
    }
}
