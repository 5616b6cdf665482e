/// The credentials of all sessions, to be found in what anybody says, in time that does not depend on how many there are: a
/// look at every eighth place tells whether eight bytes of any form stand there. Those before the latest 1,024, or 4 MiB with
/// all their forms, are forgotten.
package struct SecretIndex: Sendable {
    /// A credential that stands in some bytes.
    package struct Hit: Sendable, Hashable {
        package var range: Range<Int>
        package var secret: [UInt8]
    }
    private struct Secret: Sendable {
        var bytes: [UInt8]
        /// A client said it as content too, so that a server may repeat it.
        var isSaid: Bool
        /// With all its forms, in bytes.
        var size = 0
    }
    private struct Mark: Sendable {
        var secret: Int
        /// Digits of one form.
        var form: [UInt8]
        /// Where the eight bytes stand in it.
        var offset: Int
    }
    private static let most = 1_024
    /// A longer one is hidden where it stands, and not looked for elsewhere.
    static let longest = 4_096
    /// Of all forms of all credentials.
    static let mostBytes = 4 << 20
    /// Forms that end alike; the latest count.
    private static let mostAlike = 32

    private var secrets: [Secret] = []
    private var places: [[UInt8]: Int] = [:]
    private var marks: [UInt64: [Mark]] = [:]
    /// What all forms take.
    private(set) var bytes = 0
    /// Which eight bytes are worth a look, by a hash of 16 bits.
    private var filter = [UInt64](repeating: 0, count: 1_024)

    package init() {}

    package var isEmpty: Bool { secrets.isEmpty }

    /// Forms shorter than 16 bytes are not kept, nor secrets longer than 4 KiB.
    package mutating func remember(_ secret: [UInt8]) {
        guard places[secret] == nil, (SecretForms.least...Self.longest).contains(secret.count) else { return }
        if secrets.count >= Self.most || bytes >= Self.mostBytes { forget() }
        add(Secret(bytes: secret, isSaid: false))
    }

    /// A client said it where no credential belongs: from now on it is no secret of the server's.
    package mutating func say(_ secret: [UInt8]) {
        if let place = places[secret] { secrets[place].isSaid = true }
    }

    package func isSaid(_ secret: [UInt8]) -> Bool { places[secret].map { secrets[$0].isSaid } ?? false }

    /// The older half goes.
    private mutating func forget() {
        var left = Self.mostBytes / 2
        let kept = secrets.suffix(Self.most / 2).reversed().prefix { secret in
            left -= secret.size
            return left >= 0
        }
        self = SecretIndex()
        for secret in kept.reversed() { add(secret) }
    }

    private mutating func add(_ secret: Secret) {
        let number = secrets.count
        let forms = SecretForms.all(of: secret.bytes)
        var secret = secret
        secret.size = forms.reduce(secret.bytes.count) { $0 + $1.count }
        bytes += secret.size
        secrets.append(secret)
        places[secret.bytes] = number
        for form in forms {
            // Tokens begin alike and end as dice fell. Of fifteen bytes one of every eight places is the first of eight.
            for offset in (form.count - 15)..<(form.count - 7) {
                let word = Self.word(form, offset)
                let bit = Self.bit(word)
                filter[bit >> 6] |= 1 << UInt64(bit & 63)
                if let alike = marks[word]?.count, alike >= Self.mostAlike { marks[word]?.removeFirst() }
                marks[word, default: []].append(Mark(secret: number, form: form, offset: offset))
            }
        }
    }

    private static func word(_ bytes: [UInt8], _ start: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in start..<(start + 8) { word = word << 8 | UInt64(bytes[index]) }
        return word
    }

    private static func bit(_ word: UInt64) -> Int { Int(truncatingIfNeeded: (word &* 0x9e37_79b9_7f4a_7c15) >> 48) }

    func spans(in bytes: [UInt8]) -> [Redactor.Span] { hits(in: bytes).map { Redactor.Span(range: $0.range, secret: $0.secret) } }

    /// In order of place, without repetition: every form stands at a place at most once, and no two forms are alike. Bytes in
    /// which secrets stand in each other over and over are searched until it costs too much.
    package func hits(in bytes: [UInt8]) -> [Hit] {
        guard !secrets.isEmpty, bytes.count >= SecretForms.least else { return [] }
        var hits: [Hit] = []
        var left = 64 * bytes.count + Self.mostBytes
        var place = 0
        while place + 8 <= bytes.count {
            let word = Self.word(bytes, place)
            let bit = Self.bit(word)
            if filter[bit >> 6] & 1 << UInt64(bit & 63) != 0 {
                for mark in marks[word] ?? [] {
                    let start = place - mark.offset
                    guard start >= 0, start + mark.form.count <= bytes.count, left > 0 else { continue }
                    left -= mark.form.count
                    guard bytes[start..<(start + mark.form.count)].elementsEqual(mark.form) else { continue }
                    hits.append(Hit(range: start..<(start + mark.form.count), secret: secrets[mark.secret].bytes))
                }
            }
            place += 8
        }
        return hits.sorted { $0.range.lowerBound < $1.range.lowerBound }
    }
}
