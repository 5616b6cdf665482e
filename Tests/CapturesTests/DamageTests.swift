import Captures
import Journaling
import NIOCore
import Testing

/// Damaged recordings: what can be read is read, what is missing is said, what is wrong is named with its place.
@Suite struct DamageTests {
    /// Lines with their newlines.
    private func lines(_ bytes: [UInt8]) -> [[UInt8]] { bytes.split(separator: 0x0a).map { Array($0) + [0x0a] } }

    private func refusal(_ path: String, limits: Limits = .standard) -> RecordingError? {
        do throws(RecordingError) {
            _ = try Sample.read(path, limits: limits)
            return nil
        } catch {
            return error
        }
    }

    @Test func everyCutOfTheLastLineLosesThatLineAlone() throws {
        let folder = try Folder()
        try Sample.write(folder["rec"], Sample.entries(1...5), isFinished: false)
        let whole = try folder.read("rec/0001.ndjson")
        let last = try #require(lines(whole).last).count
        for cut in 1..<last {
            try folder.write("cut.ndjson", whole.dropLast(cut))
            let read = try Sample.read(folder["cut.ndjson"])
            #expect(read.entries == Sample.entries(1...4), "\(cut) bytes cut")
            #expect(
                read.warnings == ["\(folder["cut.ndjson"]):6: the last line is cut off; at most 1 entry is lost"],
                "\(cut) bytes cut")
            #expect(!read.isComplete)
        }
        try folder.write("cut.ndjson", whole.dropLast(last))
        let read = try Sample.read(folder["cut.ndjson"])
        #expect(read.entries == Sample.entries(1...4) && !read.isComplete)
        #expect(read.warnings.count == 1 && read.warnings[0].contains("has no end line"))
    }

    /// The same in the last of several segments, its header and the end line included.
    @Test func everyCutOfTheLastSegmentIsReadUpToIt() throws {
        let folder = try Folder()
        var limits = Limits.standard
        limits.segmentBytes = 2_000
        let entries = Sample.entries(1...60)
        try Sample.write(folder["rec"], entries, limits: limits)
        let name = try #require(folder.names("rec").last)
        let whole = try folder.read("rec/" + name)
        let before = entries.count - (lines(whole).count - 2)
        for length in 0..<whole.count {
            try folder.write("rec/" + name, whole.prefix(length))
            let complete = whole.prefix(length).count { $0 == 0x0a }
            let read = try Sample.read(folder["rec"])
            #expect(read.entries == Array(entries.prefix(before + max(0, complete - 1))), "\(length) bytes left")
            #expect(read.warnings.count == 1 && !read.isComplete, "\(length) bytes left: \(read.warnings)")
        }
    }

    @Test func everyCutOfAnOnlySegmentIsReadOrNamed() throws {
        let folder = try Folder()
        try Sample.write(folder["rec"], Sample.entries(1...3))
        let whole = try folder.read("rec/0001.ndjson")
        for length in 0..<whole.count {
            try folder.write("cut.ndjson", whole.prefix(length))
            let complete = whole.prefix(length).count { $0 == 0x0a }
            if complete == 0 {
                #expect(refusal(folder["cut.ndjson"])?.sentence == "the recording has no header")
            } else {
                #expect(try Sample.read(folder["cut.ndjson"]).entries.count == min(3, complete - 1))
            }
        }
    }

    /// A byte changed anywhere gives another value or a typed error with the place, never anything else.
    @Test func anyFlippedByteIsAValueOrAnErrorWithItsPlace() throws {
        let folder = try Folder()
        try Sample.write(folder["rec"], Sample.entries(1...3))
        let whole = try folder.read("rec/0001.ndjson")
        for index in whole.indices {
            for mask in [0x01, 0x20, 0x80] as [UInt8] {
                var bytes = whole
                bytes[index] ^= mask
                try folder.write("bad.ndjson", bytes)
                guard let error = refusal(folder["bad.ndjson"]) else { continue }
                let line = whole[..<index].count { $0 == 0x0a } + 1
                #expect(error.place.hasPrefix(folder["bad.ndjson"] + ":"))
                let named = error.place.split(separator: ":").last.flatMap { Int($0) } ?? 0
                #expect((line...(line + 1)).contains(named), "\(error)")
                #expect(!error.sentence.isEmpty && !error.found.isEmpty && !error.remedy.isEmpty, "\(error)")
            }
        }
    }

    @Test(arguments: [
        ("nonsense", "the line is no JSON"), ("", "the line is no JSON"), ("[1]", "the line is no entry"),
        (#"{"n":4,"t":0,"seq":0,"kind":"tock"}"#, #"field "kind" is wrong"#),
        (#"{"n":4,"t":0,"kind":"tick"}"#, #"field "seq" is missing"#),
        (#"{"n":2,"t":0,"seq":0,"kind":"tick"}"#, "the entries are out of order"),
        (#"{"n":3,"t":0,"seq":0,"kind":"tick"}"#, "the entries are out of order"),
        ("\u{0}\u{0}\u{0}", "the line is no JSON"),
        (String(repeating: "[", count: 100_000), "the line is no JSON"),
    ])
    func aCorruptLineInTheMiddleIsNamed(text: String, sentence: String) throws {
        let folder = try Folder()
        try Sample.write(folder["rec"], Sample.entries(1...6))
        var all = try lines(folder.read("rec/0001.ndjson"))
        all[4] = Array(text.utf8) + [0x0a]
        try folder.write("rec/0001.ndjson", all.joined())
        var reader = try RecordingReader(folder["rec"])
        for number in 1...3 { #expect(try reader.next() == Sample.entry(UInt64(number))) }
        let error = #expect(throws: RecordingError.self) { try reader.next() }
        #expect(error?.place == folder["rec"] + "/0001.ndjson:5")
        #expect(error?.sentence.hasPrefix(sentence) == true, "\(error?.description ?? "")")
        #expect(error?.expected.isEmpty == false && error?.found.isEmpty == false && error?.remedy.isEmpty == false)
        #expect(!reader.isComplete)
    }

    @Test func aSegmentThatIsMissingIsNamed() throws {
        let folder = try Folder()
        var limits = Limits.standard
        limits.segmentBytes = 2_000
        try Sample.write(folder["rec"], Sample.entries(1...120), limits: limits)
        let names = folder.names("rec")
        try #require(names.count >= 5)
        let lost = try [1, 2].flatMap { try lines(folder.read("rec/" + names[$0])).dropFirst() }.count
        folder.remove("rec/" + names[1])
        folder.remove("rec/" + names[2])
        let read = try Sample.read(folder["rec"])
        let place = folder["rec/0004.ndjson"]
        #expect(
            read.warnings == [
                "\(place): segments 2 to 3 are missing before this file",
                "\(place):2: \(lost) entries are missing before this line",
            ])
        #expect(read.entries.count == 120 - lost && !read.isComplete)
        folder.remove("rec/" + names[names.count - 1])
        #expect(try Sample.read(folder["rec"]).warnings.last?.contains("has no end line") == true)
    }

    @Test func segmentsInTheWrongPlaceAreRefused() throws {
        let folder = try Folder()
        var limits = Limits.standard
        limits.segmentBytes = 2_000
        try Sample.write(folder["rec"], Sample.entries(1...120), limits: limits)
        let (second, third) = (try folder.read("rec/0002.ndjson"), try folder.read("rec/0003.ndjson"))
        try folder.write("rec/0002.ndjson", third)
        try folder.write("rec/0003.ndjson", second)
        #expect(refusal(folder["rec"])?.sentence == "the segments are out of order")
        try folder.write("rec/0002.ndjson", second.dropLast())
        try folder.write("rec/0003.ndjson", third)
        #expect(refusal(folder["rec"])?.sentence == "the line is cut off")
        try folder.write("rec/0002.ndjson", "")
        #expect(refusal(folder["rec"])?.sentence == "the recording has no header")
        var other = Sample.header
        other.seed = 1
        try Sample.write(folder["other"], Sample.entries(1...3), header: other)
        try folder.write("rec/0002.ndjson", folder.read("other/0001.ndjson"))
        #expect(refusal(folder["rec"])?.sentence == "the segment belongs to another recording")
    }

    @Test(arguments: [
        (#"{"miswire-recording":2,"program":"9.0.0","shape":[]}"#, "the recording is of another version"),
        (#"{"miswire-recording":0,"program":"0"}"#, "the recording is of another version"),
        (#"{"miswire-recording":"1"}"#, #"field "miswire-recording" is wrong"#),
        (#"{"miswire-recording":99999999999999999999}"#, #"field "miswire-recording" is wrong"#),
        (#"{"miswire-recording":1}"#, #"field "program" is missing"#),
        (#"{"n":1,"t":0,"seq":0,"kind":"tick"}"#, "the recording has no header"),
        ("x", "the line is no JSON"),
    ])
    func aHeaderThatIsNotOursIsRefused(line: String, sentence: String) throws {
        let folder = try Folder()
        try folder.write("0001.ndjson", line + "\n")
        let error = refusal(folder.path)
        #expect(error?.place == folder["0001.ndjson"] + ":1")
        #expect(error?.sentence.hasPrefix(sentence) == true, "\(error?.description ?? "read")")
    }

    @Test func whatStandsBehindTheEndIsRefused() throws {
        let folder = try Folder()
        try Sample.write(folder["rec"], Sample.entries(1...2))
        let whole = try folder.read("rec/0001.ndjson")
        let all = lines(whole)
        try folder.write("a.ndjson", whole + all[1])
        #expect(refusal(folder["a.ndjson"])?.sentence == "an entry stands behind the end of the recording")
        try folder.write("a.ndjson", whole + all[0])
        #expect(refusal(folder["a.ndjson"])?.sentence == "a header stands in the middle of a segment")
        try folder.write("rec/0002.ndjson", all[0])
        #expect(refusal(folder["rec"])?.sentence == "a segment stands behind the end of the recording")
    }

    @Test func entriesTakenOutAreSaid() throws {
        let folder = try Folder()
        try Sample.write(folder["rec"], Sample.entries(1...9))
        var all = try lines(folder.read("rec/0001.ndjson"))
        all.remove(at: 4)
        try folder.write("a.ndjson", all.joined())
        let read = try Sample.read(folder["a.ndjson"])
        #expect(read.warnings == ["\(folder["a.ndjson"]):5: 1 entry is missing before this line"])
        #expect(read.entries.count == 8 && !read.isComplete)
        all.remove(at: 8)
        try folder.write("b.ndjson", all.joined())
        #expect(try !Sample.read(folder["b.ndjson"]).isComplete)
    }

    /// However much is missing, the list of it stays short.
    @Test func warningsAreBounded() throws {
        let folder = try Folder()
        try Sample.write(folder["rec"], (1...300).map { Sample.entry($0 * 2) }, isFinished: false)
        let read = try Sample.read(folder["rec"])
        #expect(read.entries.count == 300 && read.warnings.count == 101)
        #expect(read.warnings.last == "\(folder["rec"])/0001.ndjson: 201 more places are not listed")
    }

    @Test(arguments: [-1, 0, 1]) func aLineOverTheLimitIsAnError(over: Int) throws {
        let folder = try Folder()
        var limits = Limits.standard
        limits.messageBytes = 1 << 10
        limits.documentBytes = 1 << 10
        let longest = EntryCodec.longestLine(limits)
        try Sample.write(folder["rec"], Sample.entries(1...1))
        let header = try lines(folder.read("rec/0001.ndjson"))[0]
        let shell = #"{"n":1,"t":0,"seq":0,"kind":"note","note":""}"#
        let note = String(repeating: "x", count: longest - shell.utf8.count + over)
        try folder.write("a.ndjson", header + Array("\(shell.dropLast(2))\(note)\"}\n".utf8))
        if over <= 0 {
            #expect(try Sample.read(folder["a.ndjson"], limits: limits).entries.count == 1)
        } else {
            let error = refusal(folder["a.ndjson"], limits: limits)
            #expect(error?.place == folder["a.ndjson"] + ":2")
            #expect(error?.sentence == "the line is too long" && error?.expected == "at most \(longest) bytes")
        }
    }

    /// A line without end is given up at the limit: the file is larger than what is ever held of it.
    @Test func anEndlessLineIsGivenUp() throws {
        let folder = try Folder()
        var limits = Limits.standard
        limits.messageBytes = 1 << 10
        limits.documentBytes = 1 << 10
        try Sample.write(folder["rec"], [], isFinished: false)
        let header = try folder.read("rec/0001.ndjson")
        try folder.write("rec/0001.ndjson", header + [UInt8](repeating: 0x5b, count: 8 << 20))
        #expect(refusal(folder["rec"], limits: limits)?.sentence == "the line is too long")
        try folder.write("rec/0001.ndjson", [UInt8](repeating: 0x20, count: 8 << 20))
        #expect(refusal(folder["rec"], limits: limits)?.sentence == "the line is too long")
    }
}
