import Captures
import Journaling
import NIOCore

/// Reads what it is given as segments of a recording, packed or not, at once and in small pieces, and writes each entry
/// again.
struct RecordingCheck {
    private struct Read: Equatable {
        var entries: UInt64 = 0
        var warnings: [String] = []
        var isComplete = false
        var error: RecordingError?
    }
    private let input: FuzzInput
    private let folder = Folder.shared

    init(_ bytes: [UInt8]) { input = FuzzInput(bytes) }

    func run() {
        folder.clear()
        let place = folder.makeFolder("recording")
        for (index, bytes) in input.files.enumerated() {
            place.write("000\(index + 1).ndjson" + (bytes.starts(with: [0x1f, 0x8b]) ? ".gz" : ""), bytes)
        }
        let whole = read(chunk: 256 << 10, isRewritten: true)
        let pieces = read(chunk: 61, isRewritten: false)
        // How much larger the rest is than what was read is asked now and then, so not at the same places.
        let isBomb = [whole, pieces].contains { $0.error?.found.hasSuffix("bytes for one") == true }
        demand(whole == pieces || isBomb, "read in small pieces: \(pieces), at once: \(whole)")
        demand(whole.warnings.count <= 101, "the list of warnings is not bounded")
        if let error = whole.error {
            demand(!error.place.isEmpty && !error.sentence.isEmpty, "an error does not say where or what: \(error)")
            demand(!error.remedy.isEmpty, "an error has no remedy: \(error)")
        } else {
            demand(whole.isComplete || !whole.warnings.isEmpty, "nobody is told why the recording is not whole")
        }
    }

    private func read(chunk: Int, isRewritten: Bool) -> Read {
        var told = Read()
        do throws(RecordingError) {
            var reader = try RecordingReader(folder["recording"], chunk: chunk)
            defer {
                told.warnings = reader.warnings
                told.isComplete = reader.isComplete
                demand(told.entries == reader.entries, "\(reader.entries) entries told, \(told.entries) read")
            }
            while let entry = try reader.next() {
                told.entries += 1
                if isRewritten { rewrite(entry) }
            }
        } catch { told.error = error }
        return told
    }

    /// Reading what was written gives the same value.
    private func rewrite(_ entry: Entry) {
        var line = ByteBuffer()
        EntryCodec.encode(entry, into: &line)
        do throws(RecordingError) {
            let again = try EntryCodec.decode(line.getSlice(at: 0, length: line.readableBytes - 1) ?? line, place: "again")
            demand(again == .entry(entry), "written and read again it is another entry: \(entry), \(again)")
        } catch { fail("written again it cannot be read: \(error) of \(String(buffer: line))") }
    }
}
