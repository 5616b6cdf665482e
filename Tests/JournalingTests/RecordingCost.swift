import Journaling
import NIOCore
import Testing
import Wire

/// What recording costs, in nanoseconds an entry and as a ratio to copying the same bytes once (design.md: "encode cost
/// is measured before the format is fixed"). It asserts nothing about time: `MISWIRE_MEASURE=1 swift test -c release
/// --filter RecordingCost` prints it.
@Suite struct RecordingCost {
    @Test(.enabled(if: Environment.isMeasuring)) func prints() {
        for line in Self.report(rounds: 5) { print(line) }
    }

    /// One row a payload size.
    static func report(rounds: Int) -> [String] {
        [("text", 64), ("text", 1_024), ("text", 16_384), ("binary", 1_024)].flatMap { kind, size in
            let load = Load(kind: kind, size: size)
            let best = (0..<max(1, rounds)).map { _ in load.round() }.min { $0.sum < $1.sum }
            return best.map { $0.lines("\(kind) \(size) B", load) } ?? []
        }
    }

    /// Reads of the scan lane, several masked frames each, as 64 KiB reads bring them.
    struct Load {
        let reads: [(bytes: ByteBuffer, ends: [Int32])]
        let frames: Int
        let wireBytes: Int

        init(kind: String, size: Int) {
            let text = #"{"type":"user_message","request_id":"r-1","text":"Hello there, how are you?\n"}"#
            let pattern = kind == "text" ? Array(text.utf8) : (0..<251).map { UInt8($0) }
            let payload = ByteBuffer(bytes: (0..<size).map { pattern[$0 % pattern.count] })
            let frame = FrameWriter.bytes(
                Frame(opcode: kind == "text" ? .text : .binary, maskKey: 0x1234_5678, payload: payload))
            let perRead = max(1, min(16, (64 << 10) / frame.readableBytes))
            frames = max(64, (8 << 20) / frame.readableBytes / perRead * perRead)
            var reads: [(ByteBuffer, [Int32])] = []
            for _ in 0..<(frames / perRead) {
                var bytes = ByteBuffer()
                var ends: [Int32] = []
                for _ in 0..<perRead {
                    bytes.writeImmutableBuffer(frame)
                    ends.append(Int32(clamping: bytes.readableBytes))
                }
                reads.append((bytes, ends))
            }
            self.reads = reads
            wireBytes = reads.reduce(0) { $0 + $1.0.readableBytes }
        }

        func round() -> Result {
            var result = Result()
            var copied = ByteBuffer()
            copied.reserveCapacity(64 << 10)
            result.copy = Self.time {
                for read in reads {
                    copied.clear()
                    copied.writeImmutableBuffer(read.bytes)
                }
            }
            var raw: [RawEntry] = []
            raw.reserveCapacity(reads.count)
            result.scan = Self.time {
                var scanner = FrameScanner(.toServer)
                for read in reads {
                    var ends: [Int32] = []
                    _ = scanner.scan(read.bytes, ends: &ends)
                }
            }
            result.dataPath = Self.time {
                var ordinal: UInt32 = 1
                var now: Int64 = 0
                for read in reads {
                    raw.append(
                        RawEntry(
                            instant: Instant(nanoseconds: now), session: SessionID(1), ordinal: ordinal,
                            body: .read(.toServer, read.bytes, ends: read.ends)))
                    ordinal &+= UInt32(clamping: read.ends.count)
                    now += 1_000
                }
            }
            record(raw, &result)
            return result
        }

        private func record(_ raw: [RawEntry], _ result: inout Result) {
            var entries: [Entry] = []
            entries.reserveCapacity(frames)
            result.transcribe = Self.time {
                var assembler = JournalAssembler(loops: 1, .init(redactionKey: Array(0..<32), epochSeconds: 0))
                assembler.push(raw, loop: 0)
                assembler.finish(loop: 0)
                assembler.drain(into: &entries)
            }
            var lines = ByteBuffer()
            lines.reserveCapacity(1 << 20)
            result.encode = Self.time {
                for entry in entries {
                    if lines.readableBytes > 512 << 10 {
                        result.bytes += lines.readableBytes
                        lines.clear()
                    }
                    EntryCodec.encode(entry, into: &lines)
                }
            }
            result.bytes += lines.readableBytes
            var sample = ByteBuffer()
            for entry in entries.prefix(2_000) { EntryCodec.encode(entry, into: &sample) }
            result.decoded = min(2_000, entries.count)
            result.decode = Self.time {
                while let end = sample.readableBytesView.firstIndex(of: 0x0a),
                    let line = sample.readSlice(length: end - sample.readerIndex)
                {
                    sample.moveReaderIndex(forwardBy: 1)
                    _ = try? EntryCodec.decode(line, place: "")
                }
            }
            #expect(entries.count == frames)
        }

        private static func time(_ body: () -> Void) -> Double {
            let length = ContinuousClock().measure(body).components
            return Double(length.seconds) * 1e9 + Double(length.attoseconds) / 1e9
        }
    }

    /// Nanoseconds of one round.
    struct Result {
        var copy = 0.0
        var scan = 0.0
        var dataPath = 0.0
        var transcribe = 0.0
        var encode = 0.0
        var decode = 0.0
        var decoded = 0
        var bytes = 0

        var sum: Double { dataPath + transcribe + encode }

        func lines(_ name: String, _ load: Load) -> [String] {
            let count = Double(load.frames)
            func row(_ what: String, _ time: Double, _ count: Double) -> String {
                let ratio = time / count / (copy / Double(load.frames))
                return "  \(what): \(Int((time / count).rounded())) ns, \(Double(Int(ratio * 10)) / 10) x the copy"
            }
            return [
                "\(name): \(load.frames) frames of \(load.wireBytes / load.frames) bytes, a line has \(bytes / load.frames)",
                row("copy of the bytes", copy, count), row("frame scan", scan, count),
                row("data path's side (raw entry)", dataPath, count), row("transcribe, merge, redact", transcribe, count),
                row("encode", encode, count), row("decode", decode, Double(max(1, decoded))),
            ]
        }
    }
}
