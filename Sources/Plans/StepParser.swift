/// Reads one step: `N USER[.CONNECTION] VERB …` or `N together 5,7`.
struct StepParser {
    var cursor: LineCursor
    let users: [Plan.User]
    /// Texts with references, and where they stand, to be checked once all users are known.
    private(set) var templates: [(template: PlanTemplate, start: Int)] = []

    init(cursor: LineCursor, users: [Plan.User]) {
        self.cursor = cursor
        self.users = users
    }

    static let verbs = [
        "connect", "send", "until", "quiet", "pause", "cut", "close", "reconnect", "frames", "together",
    ]

    mutating func parse() throws(PlanError) -> Plan.Step {
        let label = try cursor.need("the step's label", "write `1 alice connect /ws`")
        guard label.text.utf8.allSatisfy(isDigit), let number = Int(label.text), number <= 1_000_000_000 else {
            throw cursor.error(
                label, "`\(label.text)` is no step's label", "a step begins with a number: `1 alice connect /ws`")
        }
        let actor = try cursor.need("the user", "write `\(number) alice connect /ws`")
        if actor.text == "together" {
            return Plan.Step(number: number, user: nil, verb: .together(try labels()))
        }
        let parts = actor.text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard users.contains(where: { $0.name == name }) else {
            let known = users.map(\.name).joined(separator: ", ")
            throw cursor.error(
                actor, "no user is called `\(name)`",
                known.isEmpty ? "declare it with `user \(name) credential header`" : "the plan has \(known)")
        }
        if parts.count == 2, !isName(String(parts[1])) {
            throw cursor.error(actor, "`\(parts[1])` cannot be a connection's name", "use letters, digits, `_` and `-`")
        }
        let verb = try verb()
        return Plan.Step(
            number: number, user: name, connection: parts.count == 2 ? String(parts[1]) : nil, verb: verb)
    }

    private mutating func verb() throws(PlanError) -> Plan.Verb {
        let word = try cursor.need("the verb", "one of \(Self.verbs.dropLast().joined(separator: ", "))")
        switch word.text {
        case "connect": return try connect()
        case "send": return try send()
        case "until": return try until()
        case "quiet":
            try keyword("for", "write `quiet for 500ms`")
            return .quiet(try duration())
        case "pause":
            try keyword("reading", "write `pause reading`")
            return .pauseReading
        case "cut":
            let style = try cursor.need("how to cut", "expected reset, half or silent")
            guard ["reset", "half", "silent"].contains(style.text) else {
                throw cursor.error(style, "no cut is called `\(style.text)`", "expected reset, half or silent")
            }
            return .cut(style.text)
        case "close": return try close()
        case "reconnect": return try reconnect()
        case "frames": return .frames(try frames())
        case "together":
            throw cursor.error(word, "a barrier belongs to no user", "write the label, then `together 5,7`")
        default:
            throw cursor.error(
                word, "no verb is called `\(word.text)`",
                "write one of \(Self.verbs.dropLast().joined(separator: ", "))")
        }
    }

    private mutating func labels() throws(PlanError) -> [Int] {
        var labels: [Int] = []
        while let word = cursor.word() {
            for part in word.text.split(separator: ",", omittingEmptySubsequences: true) {
                guard let number = Int(part), number >= 0 else {
                    throw cursor.error(word, "`\(part)` is no step's label", "write `together 5,7`")
                }
                labels.append(number)
            }
        }
        guard labels.count >= 2 else {
            throw cursor.error(at: cursor.index, "a barrier needs two steps or more", "write `together 5,7`")
        }
        return labels
    }

    private mutating func connect() throws(PlanError) -> Plan.Verb {
        let path = try cursor.need("the path", "write `connect /ws`")
        guard path.text.hasPrefix("/") else {
            throw cursor.error(path, "`\(path.text)` is no path", "a path begins with `/`; the host is the target's")
        }
        note(path.text, path.start)
        var name: String?
        var headers: [Plan.Header] = []
        while let word = cursor.word() {
            switch word.text {
            case "as" where name == nil && headers.isEmpty:
                let connection = try cursor.need("the connection's name", "write `connect /ws as phone`")
                guard isName(connection.text) else {
                    throw cursor.error(
                        connection, "`\(connection.text)` cannot be a connection's name",
                        "use letters, digits, `_` and `-`")
                }
                name = connection.text
            case "header": headers.append(try header())
            default:
                throw cursor.error(word, "`\(word.text)` is not expected here", "write `as NAME` or `header K: V`")
            }
        }
        return .connect(path: path.text, as: name, headers: headers)
    }

    private mutating func header() throws(PlanError) -> Plan.Header {
        let name = try cursor.need("the header's name", "write `header Origin: http://example.com`")
        guard name.text.hasSuffix(":"), name.text.count > 1,
            name.text.utf8.dropLast().allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") })
        else {
            throw cursor.error(name, "`\(name.text)` is no header's name", "write the name, a colon, then its value")
        }
        cursor.skipBlanks()
        let start = cursor.index
        let value = cursor.peek == "\"" ? try cursor.quoted() : bareValue()
        guard value.unicodeScalars.allSatisfy({ $0 != "\r" && $0 != "\n" && $0 != "\0" }) else {
            throw cursor.error(at: start, "a header's value holds a line break", "write it on one line")
        }
        note(value, start)
        return Plan.Header(name: String(name.text.dropLast()), value: value)
    }

    /// Words up to the end, a comment or the next `header`.
    private mutating func bareValue() -> String {
        var words: [String] = []
        while true {
            var ahead = cursor
            guard let word = ahead.word(), word.text != "header" else { break }
            words.append(word.text)
            cursor = ahead
        }
        return words.joined(separator: " ")
    }

    private mutating func send() throws(PlanError) -> Plan.Verb {
        cursor.skipBlanks()
        var ahead = cursor
        let first = ahead.word()
        switch first?.text {
        case "text":
            cursor = ahead
            cursor.skipBlanks()
            let start = cursor.index
            let text = try cursor.quoted()
            note(text, start)
            return .sendText(text)
        case "bytes":
            cursor = ahead
            return .sendBytes(try bytes())
        case nil: throw cursor.error(at: cursor.index, "the message is missing", "write JSON, `text \"…\"` or `bytes 81 00`")
        default: return .send(try json())
        }
    }

    /// Up to the end of the line, a comment or the `;` behind which another frame stands.
    mutating func bytes() throws(PlanError) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            var ahead = cursor
            guard let word = ahead.word(), word.text != ";" else { break }
            cursor = ahead
            var digits = Substring(word.text)
            while !digits.isEmpty {
                guard digits.count >= 2, digits.utf8.prefix(2).allSatisfy({ $0 != UInt8(ascii: "+") }),
                    let byte = UInt8(digits.prefix(2), radix: 16)
                else {
                    throw cursor.error(word, "`\(word.text)` is no byte", "write two hexadecimal digits a byte")
                }
                bytes.append(byte)
                digits = digits.dropFirst(2)
            }
        }
        return bytes
    }

    /// JSON up to the end of the line or a comment outside of its strings.
    private mutating func json() throws(PlanError) -> String {
        let start = cursor.index
        var inString = false
        var position = start
        var before: Unicode.Scalar = " "
        scan: while position < cursor.scalars.count {
            let scalar = cursor.scalars[position]
            switch scalar {
            case "\"": inString.toggle()
            case "\\" where inString: position += 1
            case "#" where !inString && LineCursor.isBlank(before): break scan
            default: break
            }
            before = scalar
            position += 1
        }
        let text = cursor.text(start..<min(position, cursor.scalars.count)).trimmed
        cursor.advance(to: position)
        let template: PlanTemplate
        do { template = try PlanTemplate(json: text) } catch {
            throw cursor.error(
                at: start + error.offset, "the message is not JSON: \(error.reason)",
                "write JSON on one line, or `send text` for what is none")
        }
        templates.append((template, start))
        return text
    }

    private mutating func until() throws(PlanError) -> Plan.Verb {
        let remedy = "write `until agent_completed within 2s`"
        var events: [String] = []
        while true {
            let event = try cursor.need("the event", remedy)
            if event.text == "within" || event.text == "and" {
                throw cursor.error(event, "the event is missing", remedy)
            }
            events.append(event.text)
            let next = try cursor.need("`within`", remedy)
            if next.text == "within" { return .until(events, within: try duration()) }
            guard next.text == "and" else {
                throw cursor.error(next, "`\(next.text)` is not expected here", "write `and EVENT` or `within 2s`")
            }
        }
    }

    private mutating func close() throws(PlanError) -> Plan.Verb {
        let code = try cursor.need("the close code", "write `close 1000`")
        guard code.text.utf8.allSatisfy(isDigit), let number = Int(code.text), number <= 65_535 else {
            throw cursor.error(code, "`\(code.text)` is no close code", "expected a number from 0 to 65535, such as 1000")
        }
        if cursor.atEnd() { return .close(code: number, reason: "") }
        let start = cursor.index
        let reason = try cursor.quoted()
        guard reason.utf8.count <= 123 else {
            throw cursor.error(at: start, "the reason has \(reason.utf8.count) bytes", "a Close frame holds 123")
        }
        return .close(code: number, reason: reason)
    }

    private mutating func reconnect() throws(PlanError) -> Plan.Verb {
        guard let word = cursor.word() else { return .reconnect(cursor: nil) }
        guard word.text == "cursor" else {
            throw cursor.error(word, "`\(word.text)` is not expected here", "write `reconnect cursor $run1.cursor`")
        }
        let value = try cursor.need("the cursor", "write `reconnect cursor $run1.cursor`")
        note(value.text, value.start)
        return .reconnect(cursor: value.text)
    }

    private mutating func keyword(_ text: String, _ remedy: String) throws(PlanError) {
        let word = try cursor.need("`\(text)`", remedy)
        guard word.text == text else { throw cursor.error(word, "`\(word.text)` is not expected here", remedy) }
    }

    private mutating func duration() throws(PlanError) -> Duration {
        let word = try cursor.need("the duration", PlanDuration.remedy)
        guard let duration = PlanDuration.parse(word.text) else {
            throw cursor.error(word, "`\(word.text)` is no duration", PlanDuration.remedy)
        }
        return duration
    }

    mutating func note(_ text: String, _ start: Int) {
        templates.append((PlanTemplate(text: text), start))
    }
}
