/// The two forms of an error about a file (looks.md section 4). Foreign text never reaches a terminal raw (trust.md T38).
extension ConfigurationError {
    /// One line of the block form, so that a terminal may paint each kind in its way.
    package struct FormLine: Sendable, Hashable {
        package enum Kind: Sendable, Hashable { case sentence, place, source, pointer }
        package var kind: Kind
        package var text: String
    }

    /// ``profiles/lost.yaml:13:12: error: no fault is called `drop-aut`; write `drop-auth` ``: one line, for editors.
    package var plain: String {
        let place = spot.map { ":\($0.line):\($0.column)" } ?? ""
        let tail = remedy.isEmpty ? "" : "; " + remedy
        return Printable.text(file + place + ": \(severity.rawValue): " + message + tail)
    }

    /// The sentence, its place, and the line of the file with carets under the word that is meant.
    package var block: [FormLine] {
        var lines = [
            FormLine(kind: .sentence, text: Printable.text("\(severity.rawValue): \(message)")),
            FormLine(kind: .place, text: Printable.text("  --> \(file)" + (spot.map { ":\($0.line):\($0.column)" } ?? ""))),
        ]
        let advice = [remedy, hint].filter { !$0.isEmpty }.joined(separator: "; ")
        guard let spot, !spot.source.isEmpty else {
            if !advice.isEmpty { lines.append(FormLine(kind: .pointer, text: Printable.text("  " + advice))) }
            return lines
        }
        let gutter = max("\(spot.line)".count, first.map { "\($0.line)".count } ?? 0)
        if let first { lines += Self.shown(first, gutter, sign: "-", "first here") }
        return lines + Self.shown(spot, gutter, sign: "^", advice)
    }

    private static func shown(_ spot: Spot, _ gutter: Int, sign: Character, _ advice: String) -> [FormLine] {
        let number = "\(spot.line)"
        let pad = String(repeating: " ", count: gutter - number.count)
        var characters = Array(spot.source)
        var column = max(1, min(spot.sourceColumn, characters.count + 1))
        var cut = spot.sourceColumn < spot.column ? "…" : ""
        // A long line is cut on both sides, so that what is meant stays in sight.
        if characters.count > widest, column > widest / 2 {
            let dropped = column - widest / 2
            characters.removeFirst(min(dropped, characters.count))
            column -= dropped
            cut = "…"
        }
        let tail = characters.count > widest ? "…" : ""
        characters = Array(characters.prefix(widest))
        let before = cut + Printable.text(String(characters.prefix(column - 1)))
        let meant = Printable.text(String(characters.dropFirst(column - 1).prefix(max(1, spot.length))))
        let after = Printable.text(String(characters.dropFirst(column - 1 + max(1, spot.length)))) + tail
        let pointer = String(repeating: " ", count: before.count) + String(repeating: sign, count: max(1, meant.count))
        return [
            FormLine(kind: .source, text: pad + number + " | " + before + meant + after),
            FormLine(
                kind: .pointer,
                text: String(repeating: " ", count: gutter) + " | " + pointer + (advice.isEmpty ? "" : " ")
                    + Printable.text(advice)),
        ]
    }

    private static let widest = 160
}

/// Text of files as it may be shown: control, bidirectional and separator characters as `\x1b`, a tab as one space.
enum Printable {
    static func text(_ raw: String) -> String {
        guard raw.unicodeScalars.contains(where: isUnsafe) else { return raw }
        var out = ""
        for scalar in raw.unicodeScalars {
            if scalar == "\t" {
                out += " "
            } else if isUnsafe(scalar) {
                let digits = String(scalar.value, radix: 16)
                out += scalar.value < 0x100 ? "\\x" + (digits.count < 2 ? "0" : "") + digits : "\\u{\(digits)}"
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...0x1f, 0x7f...0x9f, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x2069, 0xfeff, 0xfff9...0xfffb: true
        default: false
        }
    }
}
