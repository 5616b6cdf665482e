package import Journaling
package import NIOCore
package import Wire

/// Brings the events of several sources, or of one that does not keep to time, into one order of time. Within a connection
/// the order stays as it came, whatever its times say. Memory is bounded: sorted runs go to a scratch file and are merged.
package final class TimeSorter: ConnectionSink {
    private struct Place {
        let time: WallTime
        let sequence: UInt64
        let offset: Int
        let length: Int
    }
    /// One sorted run in the scratch file, read window by window.
    private struct Run {
        var next: UInt64
        let end: UInt64
        var window = ByteBuffer()
    }

    private let next: any ConnectionSink
    private let scratch: String
    private let memory: Int
    private var arena = ByteBuffer()
    private var places: [Place] = []
    private var sequence: UInt64 = 0
    private var file: ScratchFile?
    private var runs: [Run] = []
    /// Sources number their connections from 1: each gets a number of its own here.
    private var numbers: [Connection.ID: Connection.ID] = [:]
    private var lastNumber: Connection.ID = 0
    private var lastTimes: [Connection.ID: WallTime] = [:]
    private var last: WallTime = .min

    /// - Parameters:
    ///   - scratch: a directory for what does not fit into memory; nothing with a name is made there.
    ///   - memory: bytes of events kept before they are written out.
    package init(into next: any ConnectionSink, scratch: String, memory: Int = 32 << 20) {
        self.next = next
        self.scratch = scratch
        self.memory = memory
    }

    /// What comes now is another source's.
    package func beginSource() {
        numbers = [:]
        last = .min
    }

    package func opened(_ connection: Connection, at time: WallTime) throws(ImportError) {
        lastNumber += 1
        numbers[connection.id] = lastNumber
        var renumbered = connection
        renumbered.id = lastNumber
        try keep(.opened(renumbered), lastNumber, at: time)
    }

    package func bytes(
        _ id: Connection.ID, from side: Side, _ bytes: ByteBuffer, at time: WallTime
    ) throws(ImportError) {
        if let id = numbers[id] { try keep(.bytes(id, side, bytes), id, at: time) }
    }

    package func gap(_ id: Connection.ID, from side: Side, count: UInt64, at time: WallTime) throws(ImportError) {
        if let id = numbers[id] { try keep(.gap(id, side, count), id, at: time) }
    }

    package func ended(
        _ id: Connection.ID, from side: Side, _ style: EndStyle, at time: WallTime
    ) throws(ImportError) {
        if let id = numbers[id] { try keep(.ended(id, side, style), id, at: time) }
    }

    package func gone(_ id: Connection.ID, at time: WallTime) throws(ImportError) {
        guard let number = numbers.removeValue(forKey: id) else { return }
        try keep(.gone(number), number, at: time)
        lastTimes[number] = nil
    }

    package func note(_ id: Connection.ID?, _ sentence: String) throws(ImportError) {
        guard let id, let number = numbers[id] else { return try next.note(nil, sentence) }
        try keep(.note(number, sentence), number, at: lastTimes[number] ?? last)
    }

    private func keep(_ event: SinkEvent, _ id: Connection.ID, at time: WallTime) throws(ImportError) {
        let time = max(time, lastTimes[id] ?? .min)
        lastTimes[id] = time
        last = time
        sequence += 1
        let offset = arena.writerIndex
        event.write(into: &arena)
        places.append(Place(time: time, sequence: sequence, offset: offset, length: arena.writerIndex - offset))
        if arena.readableBytes + places.count * 32 >= memory { try spill() }
    }

    private func sorted() -> [Place] {
        places.sorted { ($0.time, $0.sequence) < ($1.time, $1.sequence) }
    }

    // MARK: Runs on disk

    /// Of each record before its bytes: length and time.
    private static let headBytes = 12
    private static let windowBytes = 64 << 10

    private func spill() throws(ImportError) {
        guard !places.isEmpty else { return }
        if file == nil { file = try ScratchFile(beside: scratch) }
        guard let file else { return }
        let begin = file.size
        var out = ByteBuffer()
        for place in sorted() {
            out.writeInteger(UInt32(clamping: place.length))
            out.writeInteger(place.time)
            if let bytes = arena.viewBytes(at: place.offset, length: place.length) { out.writeBytes(bytes) }
            if out.readableBytes >= 1 << 20 {
                try file.append(out)
                out.clear(minimumCapacity: 1 << 20)
            }
        }
        try file.append(out)
        runs.append(Run(next: begin, end: file.size))
        arena.clear(minimumCapacity: 0)
        places = []
    }

    /// Passes everything on in order. Last call.
    package func finish() throws(ImportError) {
        if runs.isEmpty {
            for place in sorted() {
                guard let bytes = arena.getSlice(at: place.offset, length: place.length), let event = SinkEvent(bytes) else { continue }
                try event.tell(next, at: place.time)
            }
        } else {
            try spill()
            try merge()
        }
        arena = ByteBuffer()
        places = []
        runs = []
        file = nil
    }

    private func merge() throws(ImportError) {
        // Of equal times the earlier run goes first: its records came first.
        var heap = TimeHeap()
        var heads: [ByteBuffer] = []
        for index in runs.indices {
            let head = try pop(index)
            heads.append(head?.event ?? ByteBuffer())
            if let head { heap.insert(.init(time: head.time, source: index)) }
        }
        while let least = heap.least {
            if let event = SinkEvent(heads[least.source]) { try event.tell(next, at: least.time) }
            if let head = try pop(least.source) {
                heads[least.source] = head.event
                heap.replaceLeast(.init(time: head.time, source: least.source))
            } else {
                heap.removeLeast()
            }
        }
    }

    /// The next record of a run; nil behind its last.
    private func pop(_ index: Int) throws(ImportError) -> (time: WallTime, event: ByteBuffer)? {
        try fill(index, Self.headBytes)
        guard let length = runs[index].window.readInteger(as: UInt32.self),
            let time = runs[index].window.readInteger(as: Int64.self)
        else { return nil }
        try fill(index, Int(length))
        guard let event = runs[index].window.readSlice(length: Int(length)) else { return nil }
        return (time, event)
    }

    private func fill(_ index: Int, _ count: Int) throws(ImportError) {
        let there = runs[index].window.readableBytes
        guard there < count, let file else { return }
        let left = Int(clamping: runs[index].end - runs[index].next)
        let wanted = min(left, max(count - there, Self.windowBytes))
        guard wanted > 0 else { return }
        let more = try file.read(at: runs[index].next, wanted)
        runs[index].next += UInt64(wanted)
        var window = ByteBuffer(bytes: runs[index].window.readableBytesView)
        window.writeImmutableBuffer(more)
        runs[index].window = window
    }
}
