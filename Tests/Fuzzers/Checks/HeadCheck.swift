import NIOCore
import Wire

/// A head is the same head, or refused for the same reason, however it is cut; its parts are where it says; and what is
/// taken out of it leaves a head.
struct HeadCheck {
    private var choices: Choices
    private let kind: HeadParser.Kind
    private let limits: HeadLimits
    private let cut: (UInt8, UInt8)

    init(_ bytes: [UInt8]) {
        choices = Choices(bytes)
        let first = choices.next()
        kind = first & 1 == 0 ? .request : .response
        limits = first & 2 == 0 ? HeadLimits() : HeadLimits(total: 512, field: 128, startLine: 64, fields: 8)
        cut = (choices.next(), choices.next())
    }

    func run() throws(Broken) {
        var answers: [HeadParser.Result] = []
        for way in choices.cuts(cut.0, cut.1) {
            var parser = HeadParser(kind, limits: limits)
            var fed: [UInt8] = []
            var answer = HeadParser.Result.partial
            for piece in way {
                parser.feed(ByteBuffer(bytes: piece))
                fed += piece
                answer = parser.next()
                if case .partial = answer { continue }
                break
            }
            answers.append(answer)
            try conserves(answer, fed, parser)
        }
        for answer in answers.dropFirst() {
            try demand(answer == answers[0], "in pieces it is \(answer), at once \(answers[0])")
        }
        switch answers[0] {
        case .request(let head): try check(head)
        case .response(let head): try check(head)
        case .partial: try demand(choices.rest.count <= limits.total + 3, "\(choices.rest.count) bytes are no refused head yet")
        case .notHTTP, .refused: break
        }
    }

    private func conserves(_ answer: HeadParser.Result, _ fed: [UInt8], _ parser: HeadParser) throws(Broken) {
        var parser = parser
        let head: [UInt8] =
            switch answer {
            case .request(let head): Array(head.bytes.readableBytesView)
            case .response(let head): Array(head.bytes.readableBytesView)
            case .partial, .notHTTP, .refused: []
            }
        let rest = Array(parser.takeHeld().readableBytesView)
        try demand(head + rest == fed, "\(fed.count) bytes came, \(head.count) and \(rest.count) came out, or others")
    }

    private func check(_ head: RequestHead) throws(Broken) {
        try fields(head)
        _ = (head.path, head.upgradeProblem, head.extensionOffers)
        let parts = head.queryItems + head.cookies + head.subprotocols
        for part in parts {
            let inside = part.removalRange.lowerBound <= part.valueRange.lowerBound && part.valueRange.upperBound <= part.removalRange.upperBound
            try demand(inside, "\(part.name) is not in what would be taken out: \(part)")
            let left = try? RequestHead(head.removing(part.removalRange), limits: HeadLimits())
            try demand(left != nil, "without \(part.name) it is no head: \(part.removalRange)")
        }
        let codings = head.fields.count { $0.isNamed("transfer-encoding") }
        for field in head.fields {
            // What is left of several lines may end with another coding than chunked: no request may (RFC 9112 section 6.3).
            if codings > 1, field.isNamed("transfer-encoding") { continue }
            let bytes = head.removing(field.lineRange)
            let left = try? RequestHead(bytes, limits: HeadLimits())
            try demand(left.map { $0.fields.count == head.fields.count - 1 } == true, "without the line of \(field.name) it is no head")
        }
    }

    private func check(_ head: ResponseHead) throws(Broken) {
        try fields(head)
        _ = (head.isInterim, head.subprotocol, head.extensions)
        try demand((100...999).contains(head.status), "status \(head.status)")
    }

    private func fields(_ head: some HTTPHead) throws(Broken) {
        try demand(head.fields.count <= limits.fields, "\(head.fields.count) fields")
        let text = Array(head.bytes.readableBytesView)
        try demand(text.suffix(4) == [13, 10, 13, 10], "a head does not end with an empty line")
        var end = head.startLineRange.upperBound
        for field in head.fields {
            let isOrdered = field.lineRange.lowerBound >= end && field.lineRange.upperBound <= text.count
            try demand(isOrdered, "\(field.name) stands at \(field.lineRange), behind \(end)")
            end = field.lineRange.upperBound
            let isWithin = field.lineRange.lowerBound <= field.nameRange.lowerBound && field.nameRange.upperBound < field.valueRange.lowerBound
                && field.valueRange.upperBound <= field.lineRange.upperBound
            try demand(isWithin, "the parts of \(field.name) are not in its line")
            try demand(String(decoding: text[field.valueRange], as: UTF8.self) == field.value, "\(field.name) has another value there")
            let isClean = !text[field.valueRange].contains { $0 == 10 || $0 == 13 || $0 == 0 }
            try demand(isClean, "the value of \(field.name) holds the end of a line")
            for part in head.list(field.name) {
                try demand(part.valueRange.upperBound <= text.count, "an element of \(field.name) ends behind the head")
                _ = head.removing(part.removalRange)
            }
        }
    }
}
