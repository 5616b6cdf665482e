/// The word that was probably meant (looks.md section 4): edit distance at most 2, or a shared prefix of 4.
package enum Nearest {
    package static func word(to word: String, among known: [String]) -> String? {
        let target = Array(word.unicodeScalars.prefix(64))
        var best: (word: String, distance: Int)?
        // Nobody chose among more words than this; a hostile file may declare thousands.
        for candidate in known.prefix(1_000) {
            let other = Array(candidate.unicodeScalars.prefix(64))
            let distance = distance(target, other)
            let shares = zip(target, other).prefix { $0 == $1 }.count >= 4
            guard distance <= 2 && distance < max(target.count, other.count) || shares else { continue }
            if best.map({ distance < $0.distance }) ?? true { best = (candidate, distance) }
        }
        return best?.word
    }

    /// `nearest: requests`, or the list, at most 8 of it.
    package static func remedy(for word: String, among known: [String]) -> String {
        if let near = self.word(to: word, among: known) { return "nearest: \(near)" }
        return "known: " + list(known)
    }

    package static func list(_ known: [String]) -> String {
        known.prefix(8).joined(separator: " ") + (known.count > 8 ? " …" : "")
    }

    private static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
        var row = Array(0...b.count)
        for (i, left) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, right) in b.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (left == right ? 0 : 1))
                diagonal = above
            }
        }
        return row[b.count]
    }
}
