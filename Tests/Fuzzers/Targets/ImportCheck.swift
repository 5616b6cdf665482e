import Captures
import Journaling
import NIOCore
import Wire

/// Imports what it is given as `miswire import --format` does, and compares what was told with what was written, and with
/// a second reading in small pieces that goes past all but the importer.
struct ImportCheck {
    let importer: any Importer.Type
    let input: FuzzInput
    private let folder = Folder.shared
    private static let smallChunk = 61

    init(_ importer: any Importer.Type, _ bytes: [UInt8]) {
        self.importer = importer
        input = FuzzInput(bytes)
    }

    func run() {
        folder.clear()
        if let first = input.files.first {
            _ = importer.recognizes(ByteBuffer(bytes: first.prefix(ImporterRegistry.headBytes)), name: "input")
        }
        let paths = writeFiles()
        if let keys = input.keyLog { folder.write("keys.log", keys) }
        guard let result = imported(paths) else { return }
        checkRecording(result)
        checkSecondReading(result)
    }

    /// A directory for those who take one, a file each for all others.
    private func writeFiles() -> [String] {
        let names = input.files.indices.map { "id:00000\($0)" }
        let takesFolders = importer.recognizes(directory: names)
        let place = takesFolders ? folder.makeFolder("input") : folder
        for (name, bytes) in zip(names, input.files) { place.write(name, bytes) }
        return takesFolders ? [place.path] : names.map { place[$0] }
    }

    private func options(chunk: Int? = nil) -> ImportOptions {
        var options = ImportOptions(keyLog: input.keyLog == nil ? nil : folder["keys.log"])
        if let chunk { options.chunk = chunk }
        return options
    }

    // MARK: As the verb does it

    /// Nil: no importer knows the files. That a source failed is part of the result; that the recording cannot be written
    /// is nobody's input's doing.
    private func imported(_ paths: [String]) -> ImportRun.Result? {
        do throws(ImportError) { _ = try ImportRun(paths, options: options()) } catch { check(error) }
        do throws(ImportError) {
            let run = try ImportRun(paths, kind: importer.name, options: options())
            let header = RecordingHeader(program: "0", started: "", seed: 1, purpose: run.purpose)
            let weaver = try SessionWeaver(
                SessionWeaver.Settings(directory: folder["recording"], header: header, redactionKey: Array(0..<32)))
            let result = try run.run(into: weaver, scratch: folder.path)
            for failure in result.failures { check(failure) }
            demand(result.sources.count == run.sources.count, "a source is not told of")
            demand(result.counts.notes.count <= ImportCounts.mostNotes, "the list of notes is not bounded")
            return result
        } catch {
            fail("the import ends with \(error)")
        }
    }

    private func check(_ error: ImportError) {
        demand(!error.place.isEmpty && !error.sentence.isEmpty, "an error does not say where or what: \(error)")
        demand(!(error.found ?? "…").isEmpty && !(error.remedy ?? "…").isEmpty, "an error says nothing behind a label: \(error)")
    }

    // MARK: What was told and what was written

    private func checkRecording(_ result: ImportRun.Result) {
        let counts = result.counts
        demand(counts.accepted + counts.refused <= counts.sessions, "more answers than sessions")
        demand(counts.torn <= counts.sessions && counts.sessions <= counts.connections, "more sessions than connections")
        demand(result.hasRecording == (counts.sessions > 0), "\(counts.sessions) sessions, recording: \(result.hasRecording)")
        guard result.hasRecording else { return demand(counts.entries == 0, "entries that nobody wrote") }
        var read = ImportCounts()
        var sessions: Set<SessionID> = []
        do throws(RecordingError) {
            var reader = try RecordingReader(folder["recording"])
            var last = Instant.zero
            while let entry = try reader.next() {
                demand(entry.instant >= last, "entry \(entry.number) goes back in time")
                last = entry.instant
                if let session = entry.session { sessions.insert(session) }
                read.tally(entry)
            }
            demand(reader.isComplete && reader.warnings.isEmpty, "the recording is not whole: \(reader.warnings)")
        } catch { fail("the recording cannot be read: \(error)") }
        demand(read.entries == counts.entries, "\(counts.entries) entries told, \(read.entries) written")
        demand(sessions.count == counts.sessions, "\(counts.sessions) sessions told, \(sessions.count) written")
        demand(read.accepted == counts.accepted, "\(counts.accepted) sessions accepted told, \(read.accepted) written")
        demand(read.refused == counts.refused, "\(counts.refused) sessions refused told, \(read.refused) written")
        demand(read.messagesToServer == counts.messagesToServer, "messages to the server: \(counts.messagesToServer), \(read.messagesToServer)")
        demand(read.messagesToClient == counts.messagesToClient, "messages to the client: \(counts.messagesToClient), \(read.messagesToClient)")
    }

    // MARK: What was told and what the importer handed on

    private func checkSecondReading(_ result: ImportRun.Result) {
        let sink = WatchingSink()
        for told in result.sources {
            var summary = ImportSummary()
            var failure: ImportError?
            do throws(ImportError) {
                summary = try importer.read(told.source.paths, options: options(chunk: Self.smallChunk), into: sink)
                failure = summary.failure
                demand(summary == told.summary, "read in small pieces: \(summary), at once: \(told.summary)")
            } catch { failure = error }
            demand(failure == told.failure, "read in small pieces: \(String(describing: failure)), at once: \(String(describing: told.failure))")
            demand(summary.unreadable <= summary.records, "\(summary.unreadable) of \(summary.records) records are unreadable")
            sink.conclude()
        }
        let counts = result.counts
        demand(counts.connections == sink.connections, "\(counts.connections) connections told, \(sink.connections) handed on")
        demand(counts.begunBefore == sink.begunBefore, "\(counts.begunBefore) begun before told, \(sink.begunBefore) handed on")
        demand(counts.gaps == sink.gaps, "\(counts.gaps) gaps told, \(sink.gaps) handed on")
        demand(counts.missingBytes == sink.missingBytes, "\(counts.missingBytes) missing bytes told, \(sink.missingBytes) handed on")
    }
}

extension ImportCounts {
    /// As the import itself counts, from what can be read back.
    fileprivate mutating func tally(_ entry: Entry) {
        entries += 1
        switch entry.body {
        case .became(.accepted): accepted += 1
        case .became(.refused): refused += 1
        case .frame(let frame):
            guard let message = frame.message, !message.opcode.isControl else { return }
            if frame.passage.direction == .toServer { messagesToServer += 1 } else { messagesToClient += 1 }
        default: break
        }
    }
}
