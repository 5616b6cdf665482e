import Wire

extension LineWriter {
    mutating func write(_ header: RecordingHeader) {
        write("miswire-recording", header.version)
        write("program", header.program)
        write("segment", header.segment)
        write("started", header.started)
        write("seed", header.seed)
        write("mode", word: header.mode.rawValue)
        if let profile = header.profile { object("profile") { $0.write(profile) } }
        if let contract = header.contract { object("contract") { $0.write(contract) } }
        if !header.upstream.isEmpty { write("upstream", header.upstream) }
        if !header.purpose.isEmpty { write("purpose", header.purpose) }
        if let retention = header.retention {
            object("retention") { line in
                if let seconds = retention.seconds { line.write("seconds", seconds) }
                if let bytes = retention.bytes { line.write("bytes", bytes) }
            }
        }
        if !header.users.isEmpty { write("users", header.users) }
        if header.isImported { write("imported", true) }
        if header.forgotten > 0 { write("forgotten", header.forgotten) }
        write("redactions", header.redactions)
    }

    private mutating func write(_ source: RecordingHeader.Source) {
        write("name", source.name)
        write("hash", source.hash)
        write("text", source.text)
    }

    mutating func write(_ end: RecordingEnd) {
        write("end", end.entries)
        write("redactions", end.redactions)
    }
}

extension LineFields {
    /// `version` was taken already.
    mutating func header(version: Int) throws(RecordingError) -> RecordingHeader {
        guard version == RecordingHeader.currentVersion else {
            throw RecordingError(
                place: place.description, sentence: "the recording is of another version",
                expected: "miswire-recording \(RecordingHeader.currentVersion)", found: "\(version)",
                remedy: "read it with the program that wrote it")
        }
        let header = RecordingHeader(
            version: version, program: try string("program"), segment: try integer("segment"),
            started: try string("started"), seed: try integer("seed"), mode: try word("mode"),
            profile: try source("profile"), contract: try source("contract"),
            upstream: try stringIfPresent("upstream") ?? "", purpose: try stringIfPresent("purpose") ?? "",
            retention: try retention(), users: try strings("users"),
            isImported: try flag("imported"), forgotten: try integerIfPresent("forgotten") ?? 0, redactions: try integer("redactions"))
        try finish()
        return header
    }

    private mutating func retention() throws(RecordingError) -> Retention? {
        try objectIfPresent("retention") { fields throws(RecordingError) in
            Retention(seconds: try fields.integerIfPresent("seconds"), bytes: try fields.integerIfPresent("bytes"))
        }
    }

    private mutating func source(_ key: StaticString) throws(RecordingError) -> RecordingHeader.Source? {
        try objectIfPresent(key) { fields throws(RecordingError) in
            RecordingHeader.Source(name: try fields.string("name"), hash: try fields.string("hash"), text: try fields.string("text"))
        }
    }

    /// `entries` was taken already.
    mutating func end(entries: UInt64) throws(RecordingError) -> RecordingEnd {
        let end = RecordingEnd(entries: entries, redactions: try integer("redactions"))
        try finish()
        return end
    }
}
