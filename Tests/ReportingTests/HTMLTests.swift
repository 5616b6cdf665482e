import Foundation
import Journaling
import NIOCore
import Testing
import Wire

@testable import Reporting

@Suite struct HTMLTests {
    private static func entry(_ number: Int, _ text: String, _ direction: Direction = .toClient) -> Entry {
        Example.frame(UInt64(number), UInt32(number % 50 + 1), direction, at: Int64(number), text)
    }

    private static func page(_ timeline: HTMLTimeline) -> String {
        HTMLReport(title: "3 messages of 2 users", mood: .plain, timeline: timeline, version: "0.1.0").text()
    }

    /// The parts of a page that a browser would run or style.
    private static func elements(_ page: String) throws -> (policy: String, style: String, script: String, data: String) {
        func between(_ begin: String, _ end: String) throws -> String {
            let start = try #require(page.range(of: begin))
            let stop = try #require(page.range(of: end, range: start.upperBound..<page.endIndex))
            return String(page[start.upperBound..<stop.lowerBound])
        }
        return (
            try between("Content-Security-Policy\" content=\"", "\">"), try between("<style>", "</style>"),
            try between("<script>", "</script>"), try between("<script type=\"application/json\" id=\"data\">", "</script>")
        )
    }

    @Test func onlyOurOwnScriptAndStyleMayRun() throws {
        let page = Self.page(HTMLTimeline())
        let (policy, style, script, _) = try Self.elements(page)
        #expect(policy == "default-src 'none'; script-src \(HTMLText.hash(script)); style-src \(HTMLText.hash(style)); base-uri 'none'; form-action 'none'")
        for word in ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "new Function", "fetch(", "XMLHttp", "import(", "http://", "https://", "//cdn"] {
            #expect(!page.contains(word), "\(word)")
        }
        #expect(!page.contains(" style=\"") && !page.contains(" onclick") && !page.contains("src="))
    }

    /// Whatever a peer says stays text: there are as many elements as on a harmless page.
    @Test func hostileTextAddsNoMarkup() throws {
        func count(_ page: String) -> Int { page.filter { $0 == "<" }.count }
        func build(_ text: String) -> String {
            var timeline = HTMLTimeline()
            timeline.take(Self.entry(1, #"{"type":"x"}"#), user: text)
            timeline.take(Self.entry(2, text), user: "bob")
            var report = HTMLReport(title: text, mood: .fail, timeline: timeline, version: text)
            report.cautions = [text]
            report.runLine = [text]
            report.figures = [.init(text, text)]
            report.faults = [.init(id: text, kind: text, acted: 1, applied: 1, users: [text], excuses: text)]
            report.run = [(text, text)]
            return report.text()
        }
        let hostile = build(Sample.hostile)
        #expect(count(hostile) == count(build("harmless")))
        let run = HTMLReport(Sample.hostileReport()).text()
        for page in [hostile, run] {
            for word in ["<script>alert", "<img", "<!ENTITY", "onerror=y>"] { #expect(!page.contains(word), "\(word)") }
            #expect(!page.unicodeScalars.contains { !SafeText.isHarmless($0) && $0 != "\n" })
        }
    }

    @Test func dataCannotEndItsElement() throws {
        var timeline = HTMLTimeline()
        timeline.take(Self.entry(1, "x"), user: "</script><script>alert(1)</script><!--\u{2028}&")
        let data = try Self.elements(Self.page(timeline)).data
        #expect(!data.contains { "<>&\u{2028}".contains($0) })
        let json = try JSON.parse(data)
        #expect(json["lanes"]?[0]?["name"]?.string?.hasPrefix("</script><script>") == true)
    }

    /// The rows unpack to what went in, as a browser's DecompressionStream does it.
    @Test func rowsUnpack() throws {
        var timeline = HTMLTimeline()
        timeline.take(Self.entry(1, #"{"type":"agent_started","a":"ü"}"#, .toServer), user: "alice")
        timeline.take(Self.entry(2, #"{"type":"error"}"#), user: "bob")
        timeline.take(Self.entry(3, String(repeating: "é", count: 5_000)), user: "bob")
        let json = try JSON.parse(try Self.elements(Self.page(timeline)).data)
        let packed = Array(try #require(Data(base64Encoded: json["rows"]?.string ?? "")))
        #expect(packed.prefix(3) == [0x1f, 0x8b, 8])
        let inflater = try Inflater()
        let plain = try inflater.inflate(ByteBuffer(bytes: packed[10..<packed.count - 14]))
        let rows = try String(buffer: plain).split(separator: "\n").map { try JSON.parse(String($0)) }
        #expect(rows.count == 3 && rows[0]["y"]?.string == "agent_started" && rows[0]["p"]?.string == #"{"type":"agent_started","a":"ü"}"#)
        #expect(rows[1]["e"]?.integer == 1 && timeline.errors == 1)
        #expect(rows[2]["c"]?.integer == 10_000 - 4_096 && rows[2]["p"]?.string?.utf8.count == 4_096)
    }

    @Test func tenThousandMessagesFitIntoThreeMegabytes() {
        var timeline = HTMLTimeline()
        for number in 1...10_000 {
            timeline.take(
                Self.entry(number, #"{"type":"text_delta","run_id":"r-\#(number % 97)","text":"some words of an answer \#(number &* 7_919)"}"#),
                user: "user\(number % 50)")
        }
        let page = Self.page(timeline)
        #expect(page.utf8.count < 3 << 20 && timeline.lanes.count == 50 && timeline.omitted == 0)
        #expect(page.contains("10,000 messages, 50 users"))
    }

    /// Of very long recordings the marks and what is around them stay.
    @Test func marksSurviveThinning() {
        var timeline = HTMLTimeline()
        let marks = [20_000, 60_000, 60_100, 79_999]
        for number in 1...80_000 {
            timeline.take(Self.entry(number, marks.contains(number) ? #"{"type":"error"}"# : "x"), user: "a")
        }
        #expect(timeline.messages == 80_000 && timeline.errors == 4)
        let rows = String(decoding: timeline.data, as: UTF8.self)
        let kept = Set(rows.split(separator: "\n").compactMap { try? JSON.parse(String($0))["n"]?.integer })
        for mark in marks { #expect(Set((mark - 500)...min(80_000, mark + 500)).isSubset(of: kept), "\(mark)") }
        #expect(kept.isSuperset(of: 1...1_000) && kept.count < 6_000)
        #expect(kept.count + timeline.omitted == 80_000)
    }

    @Test func aRunHasItsSections() throws {
        let page = HTMLReport(Sample.report(), began: "21 Sep 2026, 14:02 UTC").text()
        #expect(page.contains("<span class=\"glyph fail\">✗</span>2 violations: "))
        for id in ["violations", "timeline", "properties", "users", "run"] { #expect(page.contains("<section id=\"\(id)\">"), "\(id)") }
        #expect(page.contains("<svg class=\"sketch\"") && page.contains("miswire replay findings/"))
        let order = ["E3", "I2", "R1", "E1", "H1"].compactMap { page.range(of: "<td class=\"id\">\($0)</td>")?.lowerBound }
        #expect(order.count == 5 && order == order.sorted())
        var clean = Sample.report()
        clean.findings = []
        clean.exit = .pass
        let passed = HTMLReport(clean).text()
        #expect(passed.contains("<span class=\"glyph pass\">✓</span>No violation in 209,806 executions"))
        #expect(!passed.contains("id=\"violations\""))
    }

    /// Taps, message and plan stand behind every finding, without script; the line that is the point is marked.
    @Test func evidenceStandsBehindEachFinding() throws {
        let page = HTMLReport(Sample.report()).text()
        #expect(page.contains("<label for=") && page.contains(">Taps</label>") && page.contains(">Message</label>"))
        #expect(page.contains("<th>Cin</th><th>Sout</th><th>Sin</th><th>Cout</th>"))
        #expect(page.contains("<th>FIN</th>") && page.contains("aria-label=\"bytes\""))
        let lines = JSONLines.lines(of: try JSON.parse(#"{"a":{"b":[1,{}]},"c":"x"}"#), most: 20)
        #expect(lines == ["{", "  \"a\": {", "    \"b\": [", "      1,", "      {}", "    ]", "  },", "  \"c\": \"x\"", "}"])
        let long = JSONLines.lines(of: .array(Array(repeating: .number("1"), count: 1_000)), most: 20)
        #expect(long.count == 21 && long.last == "…")
    }

    @Test func numbersTellPercentiles() {
        var spread = Spread()
        for value in 1...1_000 { spread.take(.milliseconds(value)) }
        let middle = spread.percentile(0.5).map { Double($0.nanoseconds) / 1e6 } ?? 0
        let high = spread.percentile(0.99).map { Double($0.nanoseconds) / 1e6 } ?? 0
        #expect((500...555).contains(middle) && (985...1_000).contains(high) && spread.longest == .milliseconds(1_000))
        #expect(Spread().percentile(0.5) == nil && Spread().bars(24).isEmpty && spread.bars(24).max() == 1)
        spread.take(.seconds(9_000_000_000))
        spread.take(.zero - .seconds(1))
        #expect(spread.count == 1_002 && spread.bars(24).count == 24)
    }

    /// looks.md section 6: text on its grounds has at least 4.5:1, control borders 3:1.
    @Test func contrastIsEnough() throws {
        for isDark in [false, true] {
            var colours: [String: String] = [:]
            for token in HTMLStyle.tokens { colours[token.name] = isDark ? token.dark : token.light }
            func ratio(_ a: String, _ b: String) throws -> Double {
                let left = try Self.luminance(try #require(colours[a])), right = try Self.luminance(try #require(colours[b]))
                return (max(left, right) + 0.05) / (min(left, right) + 0.05)
            }
            let text = ["ink", "ink2", "ink3", "accent", "fail", "fault", "pass", "excused", "inconclusive", "tool"]
            for name in text { for ground in ["bg", "surface", "inset", "sel"] { #expect(try ratio(name, ground) >= 4.5, "\(name) on \(ground)") } }
            for name in ["fail", "fault", "pass", "excused", "inconclusive", "tool"] { #expect(try ratio(name, name + "-bg") >= 4.5, "\(name)") }
            for number in 1...6 { #expect(try ratio("u\(number)", "bg") >= 4.5) }
            for ground in ["bg", "surface", "inset"] { #expect(try ratio("edge", ground) >= 3.0) }
        }
    }

    private static func luminance(_ colour: String) throws -> Double {
        let value = try #require(UInt32(colour.dropFirst(), radix: 16))
        let channels = [value >> 16 & 255, value >> 8 & 255, value & 255].map { channel in
            let share = Double(channel) / 255
            return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]
    }
}
