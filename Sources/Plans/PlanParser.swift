/// Reads the lines of a plan in the order of the grammar: head, dashes, users, steps, faults. An error in one line does
/// not stop the others from being read, so that all of them are said at once.
struct PlanParser {
    private enum Part: Int { case version, head, users, steps, faults }

    private let text: String
    private let file: String
    private var plan = Plan()
    private var errors: [PlanError] = []
    private var part = Part.version
    /// Comment lines that wait for what they stand above.
    private var above: [String] = []
    private var headKeys: [String] = []
    /// Places of labels and references, for the checks at the end.
    private var labels: [Int: LineCursor] = [:]
    private var barriers: [(steps: [Int], at: LineCursor, start: Int)] = []
    private var references: [(template: PlanTemplate, at: LineCursor, start: Int)] = []

    static let mostErrors = 100
    /// trust.md L6: lines that hold something.
    static let mostLines = 200_000

    init(text: String, file: String) {
        self.text = text
        self.file = file
    }

    mutating func parse() throws(PlanErrors) -> Plan {
        guard text.utf8.count <= PlanText.largest else {
            throw PlanErrors(
                file: file,
                errors: [
                    PlanError(
                        line: 1, column: 1, sentence: "the plan has \(text.utf8.count) bytes",
                        remedy: "at most \(PlanText.largest) are read", source: "")
                ])
        }
        var number = 0
        var end = false
        for line in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            if errors.count >= Self.mostErrors || number > Self.mostLines {
                end = true
                break
            }
            var cursor = LineCursor(String(line), line: number)
            do throws(PlanError) { try read(&cursor) } catch { errors.append(error) }
        }
        if !end { finish(lines: number) }
        if number > Self.mostLines {
            errors.append(
                PlanError(
                    line: number, column: 1, sentence: "the plan has more than \(Self.mostLines) lines",
                    remedy: "split it", source: ""))
        }
        errors.sort { ($0.line, $0.column) < ($1.line, $1.column) }
        if !errors.isEmpty { throw PlanErrors(file: file, errors: errors) }
        return plan
    }

    private mutating func read(_ cursor: inout LineCursor) throws(PlanError) {
        if cursor.atEnd() {
            if let comment = cursor.comment() { above.append(comment) }
            return
        }
        switch part {
        case .version: try version(&cursor)
        case .head: try head(&cursor)
        case .users, .steps: try body(&cursor)
        case .faults: try fault(&cursor)
        }
    }

    private mutating func version(_ cursor: inout LineCursor) throws(PlanError) {
        part = .head
        let words = [cursor.word(), cursor.word(), cursor.word()]
        guard words[0]?.text == "miswire", words[1]?.text == "plan" else {
            throw cursor.error(at: words[0]?.start ?? 0, "this is no plan", "the first line is `miswire plan 1`")
        }
        guard let version = words[2] else {
            throw cursor.error(at: cursor.index, "the version is missing", "write `miswire plan 1`")
        }
        guard version.text == "1" else {
            throw cursor.error(
                version, "plan version \(version.text) is not known to this program", "it reads version 1")
        }
        try end(&cursor)
    }

    private mutating func head(_ cursor: inout LineCursor) throws(PlanError) {
        plan.head.comments += above
        above = []
        let start = cursor.index
        guard let key = cursor.word() else { return }
        if key.text.count >= 3, key.text.allSatisfy({ $0 == "-" }) {
            part = .users
            return try end(&cursor)
        }
        let order = ["finding", "found", "attrib"]
        guard let position = order.firstIndex(of: key.text) else {
            if key.text == "user" || key.text == "faults" || Int(key.text) != nil {
                part = .users
                cursor = LineCursor(cursor.source, line: cursor.line)
                errors.append(
                    cursor.error(at: start, "the line of dashes is missing", "write at least three `-` above"))
                return try body(&cursor)
            }
            throw cursor.error(
                key, "`\(key.text)` is no key of a plan's head", "it has `finding`, `found`, `attrib`, then dashes")
        }
        if headKeys.contains(key.text) { throw cursor.error(key, "`\(key.text)` stands here twice", "keep one") }
        if let last = headKeys.last, let before = order.firstIndex(of: last), before > position {
            throw cursor.error(key, "`\(key.text)` stands behind `\(last)`", "the order is finding, found, attrib")
        }
        headKeys.append(key.text)
        cursor.skipBlanks()
        let value = cursor.text(cursor.index..<cursor.scalars.count).trimmed
        if value.isEmpty { throw cursor.error(key, "`\(key.text)` says nothing", "write its value behind it") }
        switch key.text {
        case "finding": try finding(&cursor)
        case "found": plan.head.found = value
        default: plan.head.attribution = value
        }
    }

    private mutating func finding(_ cursor: inout LineCursor) throws(PlanError) {
        plan.head.finding = try cursor.need("the finding", "write its id, such as I2-7c1e44").text
        guard let also = cursor.word() else { return }
        guard also.text == "also" else {
            throw cursor.error(also, "`\(also.text)` is not expected here", "write `also E3` or nothing")
        }
        while let word = cursor.word() {
            plan.head.also += word.text.split(separator: ",").map { String($0) }
        }
    }

    private mutating func body(_ cursor: inout LineCursor) throws(PlanError) {
        let comments = above
        above = []
        var ahead = cursor
        guard let first = ahead.word() else { return }
        switch first.text {
        case "user":
            if part == .steps {
                throw cursor.error(first, "a user stands behind a step", "users come first, then steps, then faults")
            }
            cursor = ahead
            try user(&cursor, comments)
        case "faults":
            part = .faults
            cursor = ahead
            above = comments
            if let none = cursor.word(), none.text != "none" {
                throw cursor.error(none, "`\(none.text)` is not expected here", "write `faults none` or `faults`")
            }
            plan.tail += above
            above = []
            try end(&cursor)
        default:
            part = .steps
            var steps = StepParser(cursor: cursor, users: plan.users)
            defer { cursor = steps.cursor }
            var step = try steps.parse()
            step.above = comments
            try end(&steps.cursor, comment: &step.comment)
            if labels[step.number] != nil {
                throw cursor.error(first, "label \(step.number) stands here twice", "give each step its own")
            }
            labels[step.number] = cursor
            if case .together(let named) = step.verb { barriers.append((named, cursor, first.start)) }
            references += steps.templates.map { ($0.template, cursor, $0.start) }
            plan.steps.append(step)
        }
    }

    private mutating func user(_ cursor: inout LineCursor, _ comments: [String]) throws(PlanError) {
        let name = try cursor.need("the user's name", "write `user alice credential header`")
        guard isName(name.text), name.text != "together", runNumber(name.text) == nil else {
            throw cursor.error(name, "`\(name.text)` cannot be a user's name", "use letters, digits, `_` and `-`")
        }
        if plan.users.contains(where: { $0.name == name.text }) {
            throw cursor.error(name, "user \(name.text) stands here twice", "keep one")
        }
        // Known from here on even if its credential is wrong, so that its steps are not blamed as well.
        plan.users.append(Plan.User(name: name.text, credential: "none", above: comments))
        let key = try cursor.need("`credential`", "write `user \(name.text)  credential header`")
        guard key.text == "credential" else {
            throw cursor.error(key, "`\(key.text)` is not expected here", "write `credential header`")
        }
        let place = try cursor.need("the credential's place", CredentialPlan.remedy)
        let variant = cursor.word()
        guard let credential = CredentialPlan(place.text, variant: variant?.text) else {
            throw cursor.error(variant ?? place, "no credential is called that", CredentialPlan.remedy)
        }
        plan.users[plan.users.count - 1].credential = credential.text
        try end(&cursor)
    }

    private mutating func fault(_ cursor: inout LineCursor) throws(PlanError) {
        let comments = above
        above = []
        var words: [String] = []
        let start = cursor.index
        while !cursor.atEnd() {
            if cursor.peek == "\"" {
                words.append(try cursor.quoted())
            } else if let word = cursor.word() {
                words.append(word.text)
            }
        }
        guard words.count >= 2 else {
            throw cursor.error(at: start, "a fault line needs an id and a kind", "write `f1 accept-delay delay 400ms`")
        }
        if plan.faults.contains(where: { $0.id == words[0] }) {
            throw cursor.error(at: start, width: words[0].count, "fault \(words[0]) stands here twice", "keep one")
        }
        let fault = Plan.FaultLine(id: words[0], kind: words[1], words: Array(words.dropFirst(2)), above: comments)
        plan.faults.append(fault)
        do throws(FaultLineError) { _ = try fault.rule() } catch {
            let found = error.word.isEmpty ? nil : cursor.find(error.word, from: start)
            throw cursor.error(
                at: found ?? start, width: found == nil ? 1 : error.word.count, error.sentence, error.remedy)
        }
    }

    private func end(_ cursor: inout LineCursor) throws(PlanError) {
        var comment: String?
        try end(&cursor, comment: &comment)
    }

    private func end(_ cursor: inout LineCursor, comment: inout String?) throws(PlanError) {
        guard cursor.atEnd() else {
            let rest = cursor.index
            throw cursor.error(
                at: rest, width: cursor.scalars.count - rest, "something stands behind the end of this line",
                "delete it, or begin a comment with `#`")
        }
        comment = cursor.comment()
    }

    /// What can be judged only when all lines are known.
    private mutating func finish(lines: Int) {
        plan.tail += above
        if part == .version {
            errors.append(
                PlanError(
                    line: 1, column: 1, sentence: "this is no plan", remedy: "the first line is `miswire plan 1`",
                    source: ""))
        } else if part != .faults {
            errors.append(
                PlanError(
                    line: lines, column: 1, sentence: "the plan does not end", remedy: "its last part is `faults none`",
                    source: ""))
        }
        for barrier in barriers {
            if let error = wrong(barrier.steps, barrier.at, barrier.start) { errors.append(error) }
        }
        for reference in references {
            for name in reference.template.names
            where runNumber(name) == nil && !plan.users.contains(where: { $0.name == name }) {
                errors.append(
                    reference.at.error(
                        at: reference.start, "`$\(name)` is no user of this plan",
                        "write `$run1.thread_id` or a user's name; `$$` stands for the sign itself"))
            }
        }
    }

    private func wrong(_ steps: [Int], _ cursor: LineCursor, _ start: Int) -> PlanError? {
        var actors: [String] = []
        for number in steps {
            guard let step = plan.steps.first(where: { $0.number == number }), let user = step.user else {
                return cursor.error(at: start, "no step has the label \(number)", "name steps of users")
            }
            if actors.contains(user) {
                return cursor.error(
                    at: start, "\(user) has two of these steps", "one user's steps follow each other; name one")
            }
            if barriers.filter({ $0.steps.contains(number) }).count > 1 {
                return cursor.error(at: start, "step \(number) is in two barriers", "name it in one")
            }
            actors.append(user)
        }
        return nil
    }
}

extension StringProtocol {
    var trimmed: String {
        var view = Substring(self).unicodeScalars
        while let first = view.first, LineCursor.isBlank(first) { view.removeFirst() }
        while let last = view.last, LineCursor.isBlank(last) { view.removeLast() }
        return String(view)
    }
}

/// Names of users and connections: letters, digits, `_` and `-`, not first a digit or `-`.
func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, isNameStart(first) else { return false }
    return text.utf8.allSatisfy { isNameStart($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
}

func isNameStart(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        || byte == UInt8(ascii: "_")
}

func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

/// 1 for `run1`; nil for what is no run.
func runNumber(_ text: String) -> Int? {
    guard text.hasPrefix("run") else { return nil }
    let digits = text.dropFirst(3)
    guard !digits.isEmpty, digits.utf8.allSatisfy(isDigit), let number = Int(digits), number > 0 else { return nil }
    return number
}
