import Journaling
import Testing

@testable import Reporting

@Suite struct FiguresTests {
    @Test(arguments: [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567"), (-1_000, "-1,000")])
    func counts(value: Int, shown: String) { #expect(Figures.count(value) == shown) }

    @Test func units() {
        #expect(Figures.duration(.milliseconds(412)) == "412 ms")
        #expect(Figures.duration(.milliseconds(1_200)) == "1.2 s")
        #expect(Figures.duration(.nanoseconds(4)) == "<0.01 ms")
        #expect(Figures.duration(.seconds(641)) == "10 min 41 s")
        #expect(Figures.duration(.milliseconds(1_000)) == "1 s")
        #expect(Figures.bytes(156) == "156 B")
        #expect(Figures.bytes(184_000_000) == "184 MB")
        #expect(Figures.cell(0) == "–")
        #expect(Figures.percent(0, of: 0) == "–")
        #expect(Figures.plural(1, "run") == "1 run" && Figures.plural(2, "entry", "entries") == "2 entries")
    }

    @Test func timesAreSecondsSinceTheStageBegan() {
        #expect(Figures.time(Instant(nanoseconds: 1_416_000_000), since: Instant(nanoseconds: 1_000_000_000)) == "0.416")
    }

    @Test func fixedNeverTraps() {
        for value in [Double.nan, .infinity, -.infinity, 1e300, -1e300] { #expect(Figures.fixed(value, digits: 3) == "–") }
        #expect(Figures.fixed(-0.0001, digits: 1) == "0.0")
    }
}

@Suite struct SafeTextTests {
    @Test(arguments: [
        ("\u{1b}[31mred", "\\x1b[31mred"), ("a\nb", "a\\nb"), ("a\u{202e}b", "a\\u{202e}b"), ("\u{7f}", "\\x7f"),
        ("\u{9b}31m", "\\x9b31m"), ("\u{2028}", "\\u{2028}"), ("\0", "\\x00"), ("ünïcode 漢", "ünïcode 漢"),
        ("\u{feff}", "\\u{feff}"), ("\u{e0041}", "\\u{e0041}"),
    ])
    func nothingForeignReachesATerminal(raw: String, shown: String) { #expect(SafeText.show(raw) == shown) }

    @Test func brokenUTF8ShowsItsBytes() {
        #expect(SafeText.show(bytes: [0x61, 0xff, 0x62]) == "a\\xffb")
        #expect(SafeText.show(bytes: [0xe2, 0x82]) == "\\xe2\\x82")
        #expect(SafeText.show(bytes: Array("é".utf8)) == "é")
    }

    @Test func everyByteStringGivesOneHarmlessLine() {
        var state: UInt64 = 7
        for _ in 0..<2_000 {
            let bytes = (0..<24).map { _ -> UInt8 in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: state >> 33)
            }
            let shown = SafeText.show(bytes: bytes)
            #expect(!shown.unicodeScalars.contains { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) })
        }
    }

    @Test func longTextIsCutAtTheEndWithItsRest() {
        let cut = SafeText.cut(String(repeating: "x", count: 2_000), to: 20)
        #expect(cut == "xxxxxxxxx…(+1,991 B)")
        #expect(SafeText.cut("short", to: 20) == "short")
    }
}

@Suite struct ComplaintTests {
    @Test func readsAsInTheMockUp() {
        let complaint = Complaint(
            "the target ws://10.0.0.9:8080 does not answer",
            details: [("tried", "10.0.0.9:8080, connection refused, 3 times in 2.1 s"), ("remedy", "start it")],
            exit: .targetUnreachable)
        let lines = complaint.text(Style()).split(separator: "\n").map(String.init)
        #expect(lines[0] == "error: the target ws://10.0.0.9:8080 does not answer")
        #expect(lines[1] == "  tried     10.0.0.9:8080, connection refused, 3 times in 2.1 s")
        #expect(lines[2].hasPrefix("  remedy    start it") && lines[2].hasSuffix("exit 3 (target unreachable)"))
    }

    @Test func exitCodesAreThoseDocumented() {
        #expect(ExitReason.allCases.map(\.code) == [0, 1, 2, 3, 3, 4, 5, 130])
    }
}

@Suite struct StyleTests {
    @Test func colourIsOnlyThereWhenAskedFor() {
        #expect(Style().paint("x", .fail) == "x")
        #expect(Style(colour: true).paint("x", .fail) == "\u{1b}[31mx\u{1b}[0m")
    }

    @Test func asciiLeavesNoOtherCharacter() {
        let style = Style(ascii: true)
        let drawn = style.plainly("│──▸◂┼ ✓ ✗ ◆ ‼ … – × →")
        #expect(drawn.allSatisfy { $0.isASCII })
        for glyph in Style.Glyph.allCases { #expect(style.glyph(glyph).allSatisfy { $0.isASCII }) }
    }
}
