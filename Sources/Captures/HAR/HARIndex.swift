import Journaling
import Wire

/// The first reading of a HAR: which entries opened a WebSocket, and where their messages begin. Messages stay in the
/// file, so that memory is bounded by the number of sessions; they are read again in the order of their times.
struct HARIndex {
    var entries: [HAREntry] = []
    /// Entries that opened no WebSocket.
    var skipped = 0
    /// `log.creator.name`
    var creator = ""
    private(set) var unread = Unreadable()
    /// Where the file stops being JSON; what was before it counts.
    var fault: JSONStream.Fault?

    private var file: SourceFile
    private let limits: Limits
    /// Entries read.
    private(set) var count = 0
    /// Whether a `log` with `entries` was seen: without, the file is no HAR.
    private(set) var hasEntries = false
    private let longestField = 1 << 20

    init(_ file: SourceFile, limits: Limits, chunk: Int) {
        self.file = file
        self.limits = limits
        let start: UInt64 = (try? file.read(at: 0, 3)) == [0xef, 0xbb, 0xbf] ? 3 : 0
        var stream = JSONStream(file, from: start, chunk: chunk)
        do throws(JSONStream.Fault) { try read(&stream) } catch { fault = error }
    }

    private mutating func read(_ stream: inout JSONStream) throws(JSONStream.Fault) {
        guard try stream.enterObject() else {
            try stream.skipValue()
            return
        }
        var isFirst = true
        while let key = try stream.nextKey(&isFirst) {
            if key == "log", try stream.enterObject() {
                try log(&stream)
            } else {
                try stream.skipValue()
            }
        }
        try stream.finish()
    }

    private mutating func log(_ stream: inout JSONStream) throws(JSONStream.Fault) {
        var isFirst = true
        while let key = try stream.nextKey(&isFirst) {
            switch key {
            case "creator":
                creator = try field(&stream)?["name"]?.string ?? ""
            case "entries":
                guard try stream.enterArray() else {
                    try stream.skipValue()
                    continue
                }
                hasEntries = true
                var isFirstEntry = true
                while try stream.nextElement(&isFirstEntry) {
                    count += 1
                    try entry(&stream)
                }
            default: try stream.skipValue()
            }
        }
    }

    /// What an entry told, in whatever order its members stand.
    private struct Draft {
        var request: UInt64?
        var response: UInt64?
        var fields: [String: JSON] = [:]
        var messages: UInt64?
        /// A member that is not as HAR has it.
        var odd: String?
    }

    private mutating func entry(_ stream: inout JSONStream) throws(JSONStream.Fault) {
        var draft = Draft()
        guard try stream.enterObject() else {
            try stream.skipValue()
            unread.add(count, "it is no object")
            return
        }
        do throws(JSONStream.Fault) {
            try members(&stream, &draft)
        } catch {
            // The file ends or breaks here; what this entry told before counts.
            keep(draft, isCut: true)
            throw error
        }
        keep(draft, isCut: false)
    }

    /// A value that is wanted; nil when it is too long or wrong, which is told.
    private mutating func field(_ stream: inout JSONStream) throws(JSONStream.Fault) -> JSON? {
        switch try stream.value(most: longestField) {
        case .json(let json): return json
        case .tooLong: unread.add(count, "a field takes more than 1 MiB")
        case .malformed(let error, let start):
            unread.add(count, "wrong JSON in the value at byte \(start + 1): \(error.reason)")
        }
        return nil
    }

    private mutating func members(_ stream: inout JSONStream, _ draft: inout Draft) throws(JSONStream.Fault) {
        var isFirst = true
        while let key = try stream.nextKey(&isFirst) {
            switch key {
            case "request":
                draft.request = stream.offset
                try stream.skipValue()
            case "response":
                draft.response = stream.offset
                try stream.skipValue()
            case "_webSocketMessages":
                var ahead = stream
                guard try ahead.enterArray() else {
                    draft.odd = "its _webSocketMessages are no array"
                    try stream.skipValue()
                    continue
                }
                draft.messages = stream.offset
                try stream.skipValue()
            case "startedDateTime", "_resourceType", "serverIPAddress", "_serverPort", "connection", "_connectionId", "_failureText",
                "_error":
                draft.fields[key] = try field(&stream)
            default: try stream.skipValue()
            }
        }
    }

    private mutating func keep(_ draft: Draft, isCut: Bool) {
        var opening = HARExchange(file, request: draft.request, response: nil)
        guard
            draft.messages != nil || draft.odd != nil || draft.fields["_resourceType"]?.string == "websocket"
                || opening.opening?.isUpgrade == true
        else {
            if !isCut { skipped += 1 }
            return
        }
        if let odd = draft.odd { unread.add(count, odd) }
        opening = HARExchange(file, request: draft.request, response: draft.response)
        for phrase in opening.unread { unread.add(count, phrase) }
        guard let request = draft.request, opening.opening != nil else {
            unread.add(count, "it has no request with a ws, wss, http or https URL")
            return
        }
        guard entries.count < limits.importFlows else {
            unread.add(count, "\(limits.importFlows) sessions are read (limit L15)")
            return
        }
        let texts = [draft.fields["_failureText"], draft.fields["_error"]]
        entries.append(
            HAREntry(
                number: count, started: draft.fields["startedDateTime"]?.string.flatMap { WallClockText.iso($0) },
                request: request, response: draft.response,
                serverAddress: draft.fields["serverIPAddress"]?.string.flatMap { $0.isEmpty ? nil : HARField.oneLine($0) },
                serverPort: draft.fields["_serverPort"]?.integer.flatMap { UInt16(exactly: $0) },
                failure: texts.compactMap { $0?.string }.first { !$0.isEmpty },
                messages: draft.messages.map { .embedded($0) } ?? opening.attached.map { .attached($0) } ?? .none))
    }
}

/// Request and response of one entry, read where they stand.
struct HARExchange {
    var opening: HAROpening?
    /// `response.content._file`
    var attached: String?
    /// The first of what could not be read.
    private(set) var unread: [String] = []
    private let longest = 1 << 20
    private static let mostUnread = 20

    init(_ file: SourceFile, request: UInt64?, response: UInt64?, chunk: Int = 4_096) {
        guard let request else { return }
        var first = JSONStream(file, from: request, chunk: chunk)
        guard let asked = try? object(&first, HAROpening.requestFields) else { return }
        var answered: [String: JSON] = [:]
        if let response {
            var second = JSONStream(file, from: response, chunk: chunk)
            answered = (try? object(&second, HAROpening.responseFields)) ?? [:]
        }
        attached = answered["_file"]?.string
        opening = HAROpening(request: asked, response: answered)
    }

    /// Some members of an object; a body among them is never held.
    private mutating func object(
        _ stream: inout JSONStream, _ wanted: Set<String>
    ) throws(JSONStream.Fault) -> [String: JSON] {
        guard try stream.enterObject() else { return [:] }
        var found: [String: JSON] = [:]
        var isFirst = true
        while let key = try stream.nextKey(&isFirst) {
            if key == "content", wanted.contains(key), try stream.enterObject() {
                try file(&stream, &found)
            } else if wanted.contains(key) {
                switch try stream.value(most: longest) {
                case .json(let json): found[key] = json
                case .tooLong: tell("its \(key) take more than 1 MiB")
                case .malformed(let error, let start):
                    tell("wrong JSON in its \(key), at byte \(start + 1): \(error.reason)")
                }
            } else {
                try stream.skipValue()
            }
        }
        return found
    }

    /// Members of one name may stand there as often as the file is long.
    private mutating func tell(_ phrase: String) {
        if unread.count < Self.mostUnread { unread.append(phrase) }
    }

    private func file(_ stream: inout JSONStream, _ found: inout [String: JSON]) throws(JSONStream.Fault) {
        var isFirst = true
        while let key = try stream.nextKey(&isFirst) {
            if key == "_file", case .json(let name) = try stream.value(most: 4_096) {
                found["_file"] = name
            } else if key != "_file" {
                try stream.skipValue()
            }
        }
    }
}
