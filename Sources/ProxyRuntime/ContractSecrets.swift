package import Contracts
package import Journaling
package import NIOCore
package import Wire

/// Where one contract's credentials, names and secrets stand: the bridge from `Contract` to the redactor and the session
/// machine, which know no contract. Everything usual besides is found by the redactor itself.
package struct ContractSecrets: SecretFinder {
    package let verificationKey: [UInt8]?
    package let isKeyPresumed: Bool
    package let expectsJWT: Bool
    private let given: Set<String>
    private let credentials: [Place]
    private let users: [Place]
    private let secrets: [Place]
    /// Those of them that stand in any message, whoever says it, and the names that they end with.
    private let anywhere: [(Place, names: [String])]
    private let recognizer: Recognizer
    /// Names that need not stand in their messages: these are recognised by `match`, or are no texts of their own.
    private let nameless: Set<String>
    /// Names of messages.
    private let words: Set<String>

    /// - Parameters:
    ///   - key: what credentials are signed with; nil = their signatures cannot be checked. A contract without `mint` says
    ///     nothing about them either.
    ///   - isPresumed: nobody named the key.
    ///   - given: credentials that somebody else made.
    package init(_ contract: Contract, key: [UInt8]?, isPresumed: Bool = false, given: Set<String> = []) {
        credentials = contract.identity.credential
        users = contract.identity.user
        secrets = contract.secrets.filter { if case .everyEvent = $0.kind { false } else { true } }
        anywhere = contract.secrets.compactMap { place in
            if case .everyEvent(let path) = place.kind { (place, path.lastNames) } else { nil }
        }
        recognizer = Recognizer(contract)
        let isTyped = contract.wire.type != nil
        nameless = Set((contract.requests + contract.events).filter { !isTyped || $0.match != nil }.map(\.name))
        words = Set((contract.requests + contract.events).map(\.name))
        verificationKey = contract.identity.mint == nil ? nil : key
        isKeyPresumed = isPresumed
        self.given = given
        expectsJWT = (credentials + users).contains(where: \.expectsToken)
    }

    package func isGiven(_ credential: String) -> Bool { given.contains(credential) }

    package func secrets(inRequest head: HeadView) -> [FoundSecret] {
        credentials.flatMap { find($0, in: head, isCredential: true) }
            + secrets.flatMap { find($0, in: head, isCredential: false) }
    }

    /// A header that the contract calls secret is one in answers too.
    package func secrets(inResponse head: HeadView) -> [FoundSecret] {
        secrets.filter { if case .header = $0.kind { true } else { false } }.flatMap { find($0, in: head, isCredential: false) }
    }

    package func secrets(inMessage payload: ByteBuffer, opcode: Opcode, _ direction: Direction) -> [FoundSecret] {
        let places = (credentials.map { ($0, true) } + secrets.map { ($0, false) }).filter { place, _ in
            isPossible(place, in: payload, direction)
        } + anywhere.filter { mayName($0.names, payload) }.map { ($0.0, false) }
        guard !places.isEmpty else { return [] }
        let readings = recognizer.recogniseAll(payload, opcode: opcode, direction: direction)
        let text = MessageText(payload)
        var words = WordSearch()
        var found: [FoundSecret] = []
        for (place, isCredential) in places {
            found += secrets(at: place, isCredential: isCredential, in: text, readings, &words)
            guard found.count <= Self.most, !words.isSpent else {
                return Array(found.filter(\.isCredential).prefix(Self.most)) + [.withheld(place.text, payload.readableBytes)]
            }
        }
        return found
    }

    /// A message with more secrets than this is not kept: nobody cuts them out one by one.
    private static let most = 16_384

    /// What is no string of the message is looked for in all of it, so often and no oftener.
    private struct WordSearch {
        private static let most = 64
        private var count = 0
        var isSpent: Bool { count > Self.most }

        mutating func find(_ wanted: some Sequence<String>, in text: MessageText) -> [(String, Range<Int>)] {
            var found: [(String, Range<Int>)] = []
            for one in wanted {
                count += 1
                if isSpent { break }
                found += text.words(one).map { (one, $0) }
            }
            return found
        }
    }

    /// Everywhere where the place's values stand, in time linear in the message: all messages of a frame are looked for at
    /// once. Of a message that no parser reads alike, every member of the name that the place ends with: too much is better
    /// than too little. What is no text is no credential, and hidden all the same.
    private func secrets(
        at place: Place, isCredential: Bool, in text: MessageText, _ readings: [Recognition], _ search: inout WordSearch
    ) -> [FoundSecret] {
        guard let (path, name) = path(of: place) else { return [] }
        let isMeant = { (reading: Recognition) in name.map { reading.value == nil || isNamed($0, reading) } ?? true }
        let meant = readings.filter(isMeant)
        let values = meant.compactMap(\.value).flatMap { path.values(in: $0) }
        let texts = isCredential ? values.compactMap(\.string) : []
        let others = isCredential ? values.filter { $0.string == nil } : values
        let numbers = Set(others.flatMap(\.numbers))
        let isOpen = !meant.isEmpty && (text.isAmbiguous || meant.contains { $0.value == nil })
        let named = isOpen ? text.members(named: path.lastNames) : []
        let strings = ranges(of: texts, under: path.lastNames, isCredential: true, in: text, &search)
            + (isCredential ? named : [])
        let hidden = ranges(of: others.flatMap(\.strings), under: path.lastNames, isCredential: false, in: text, &search)
            + (isCredential ? [] : named)
        return secrets(strings, at: place, isCredential: true) + secrets(hidden, at: place, isCredential: false)
            + (numbers.isEmpty ? [] : text.numbers(numbers, under: path.lastNames).map { number, range in
                var found = FoundSecret(place: place.text, value: number, range: range, isCredential: false)
                found.isBare = true
                return found
            })
    }

    private func secrets(_ found: [(String, Range<Int>)], at place: Place, isCredential: Bool) -> [FoundSecret] {
        found.map { value, range in
            var found = FoundSecret(place: place.text, value: value, range: range, isCredential: isCredential)
            found.isWord = words.contains(value)
            return found
        }
    }

    /// Of a place in messages, and the name of those, unless all are meant.
    private func path(of place: Place) -> (Path, name: String?)? {
        switch place.kind {
        case .request(let name, let path), .event(let name, let path): (path, name)
        case .everyEvent(let path): (path, nil)
        default: nil
        }
    }

    private func isNamed(_ name: String, _ reading: Recognition) -> Bool {
        let glob = Glob(name)
        return [reading.type, reading.name].compactMap { $0 }.contains(where: glob.matches)
    }

    package func users(inRequest head: HeadView, credential: FoundSecret?) -> [String] {
        for place in users {
            let raw = place.kind == .credential
                ? credential.map { [$0.value] } ?? [] : find(place, in: head, isCredential: false).map(\.value)
            let names = raw.compactMap { place.value(of: $0)?.string }.filter { !$0.isEmpty }
            if !names.isEmpty { return names }
        }
        return []
    }

    package func user(inMessage payload: ByteBuffer, credential: FoundSecret) -> String? {
        for place in users where place.kind == .credential {
            if let name = place.value(of: credential.value)?.string, !name.isEmpty { return name }
        }
        return nil
    }

    package var learnsUsers: Bool {
        users.contains { place in
            if case .request = place.kind { return true }
            return place.kind == .credential && credentials.contains { if case .request = $0.kind { true } else { false } }
        }
    }

    package func users(inMessage payload: ByteBuffer, opcode: Opcode) -> [String] {
        lazy var credential = secrets(inMessage: payload, opcode: opcode, .toServer).first(where: \.isCredential)
        for place in users {
            let raw: [String]
            switch place.kind {
            case .request(let name, let path):
                guard isPossible(place, in: payload, .toServer) else { continue }
                raw = recognizer.recogniseAll(payload, opcode: opcode, direction: .toServer).filter { isNamed(name, $0) }
                    .compactMap(\.value).flatMap { path.values(in: $0).compactMap(\.string) }
            case .credential: raw = credential.map { [$0.value] } ?? []
            default: continue
            }
            let names = raw.compactMap { place.value(of: $0)?.string }.filter { !$0.isEmpty }
            if !names.isEmpty { return names }
        }
        return []
    }

    // MARK: Heads

    private func find(_ place: Place, in head: HeadView, isCredential: Bool) -> [FoundSecret] {
        ranges(of: place, in: head).filter { !$0.isEmpty }.map { range in
            let text = head.text(range)
            var value = text
            if case .query = place.kind { value = HeadView.percentDecoded(text) }
            return FoundSecret(place: place.text, value: value, range: range, isCredential: isCredential)
        }
    }

    private func ranges(of place: Place, in head: HeadView) -> [Range<Int>] {
        switch place.kind {
        case .header(let name):
            return head.values(of: name).map { StandardSecrets.withoutScheme($0, head) }
        case .query(let name):
            return head.query.filter { $0.name == name }.map(\.value)
        case .cookie(let name):
            return head.cookies.filter { $0.name == name }.map(\.value)
        case .subprotocol(nil):
            return StandardSecrets().secrets(inRequest: head).filter { $0.place == "subprotocol" }.map(\.range)
        case .subprotocol(let glob?):
            return head.subprotocols.compactMap { captured(glob, $0, in: head) }
        case .path(let glob):
            return head.path.flatMap { captured(glob, $0, in: head) }.map { [$0] } ?? []
        case .request, .event, .credential, .everyEvent:
            return []
        }
    }

    /// What `*` covers, as a range; the whole without one.
    private func captured(_ glob: Glob, _ range: Range<Int>, in head: HeadView) -> Range<Int>? {
        let text = head.text(range)
        guard glob.matches(text) else { return nil }
        guard let covered = glob.capture(text), !covered.isEmpty else { return glob.isExact ? range : nil }
        return offset(of: Array(covered.utf8), in: head.bytes[range])
    }

    // MARK: Messages

    /// Without parsing: whether the place can be in this message at all.
    private func isPossible(_ place: Place, in payload: ByteBuffer, _ direction: Direction) -> Bool {
        switch (place.kind, direction) {
        case (.request(let name, _), .toServer), (.event(let name, _), .toClient):
            name.contains("*") || nameless.contains(name) || holds(payload, Array(name.utf8))
        case (.everyEvent, .toClient): true
        default: false
        }
    }

    /// A name may be written in escapes.
    private func mayName(_ names: [String], _ payload: ByteBuffer) -> Bool {
        names.isEmpty || names.contains { holds(payload, Array($0.utf8)) } || holds(payload, Array("\\u".utf8))
    }

    private func ranges(
        of values: [String], under names: [String], isCredential: Bool, in text: MessageText, _ search: inout WordSearch
    ) -> [(String, Range<Int>)] {
        // In the order in which they were found.
        var order: [String: Int] = [:]
        for value in values where !value.isEmpty && order[value] == nil { order[value] = order.count }
        if order.isEmpty { return [] }
        var left = Set(order.keys)
        // A word of one letter may be the message's type as well.
        var found: [(String, Range<Int>)] = []
        if !isCredential {
            found = text.strings(left, under: names)
        } else if !words.isDisjoint(with: left) {
            found = text.members(named: names).filter { left.contains($0.0) && words.contains($0.0) }
        }
        left.subtract(found.map(\.0))
        if !left.isEmpty {
            found += text.strings(left)
            left.subtract(found.map(\.0))
        }
        found += search.find(left.sorted { order[$0, default: 0] < order[$1, default: 0] }, in: text)
        return found.enumerated().sorted {
            (order[$0.element.0, default: 0], $0.offset) < (order[$1.element.0, default: 0], $1.offset)
        }.map(\.element)
    }

    /// Asked of every message, however large.
    private func holds(_ payload: ByteBuffer, _ needle: [UInt8]) -> Bool {
        guard let first = needle.first else { return false }
        let view = payload.readableBytesView
        var from = 0
        while let at = ByteScan.first(first, in: payload.readableBytesSpan, from: from), view.count - at >= needle.count {
            let start = view.startIndex + at
            if view[start..<(start + needle.count)].elementsEqual(needle) { return true }
            from = at + 1
        }
        return false
    }

    private func offset<Bytes: RandomAccessCollection<UInt8>>(of needle: [UInt8], in bytes: Bytes) -> Range<Int>?
    where Bytes.Index == Int {
        guard let first = needle.first, bytes.count >= needle.count else { return nil }
        var from = bytes.startIndex
        let last = bytes.endIndex - needle.count
        while from <= last, let at = bytes[from...last].firstIndex(of: first) {
            if bytes[at..<(at + needle.count)].elementsEqual(needle) { return at..<(at + needle.count) }
            from = at + 1
        }
        return nil
    }
}

extension JSON {
    fileprivate var strings: [String] { leaves { if case .string(let text) = $0 { text } else { nil } } }
    fileprivate var numbers: [String] { leaves { if case .number(let text) = $0 { text } else { nil } } }

    private func leaves(_ text: (JSON) -> String?) -> [String] {
        var found: [String] = []
        var open = [self]
        while let next = open.popLast() {
            switch next {
            case .array(let elements): open += elements
            case .object(let members): open += members.map(\.value)
            default: if let one = text(next) { found.append(one) }
            }
        }
        return found
    }
}
