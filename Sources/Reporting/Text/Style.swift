/// How text looks on one stream: colour, glyphs and width. Decided once a stream; no form computes anything of its own.
package struct Style: Sendable, Equatable {
    package var colour: Bool
    /// No UTF-8 locale, or `--ascii`.
    package var ascii: Bool
    package var width: Int
    /// A terminal that can redraw a line.
    package var live: Bool

    package init(colour: Bool = false, ascii: Bool = false, width: Int = 100, live: Bool = false) {
        self.colour = colour
        self.ascii = ascii
        self.width = width
        self.live = live
    }

    /// The meanings are fixed (looks.md section 0); never colour alone, each has a glyph or a word as well.
    package enum Role: Sendable {
        case fail, fault, pass, excused, paste, name, time, failName
    }

    package func paint(_ text: String, _ role: Role) -> String {
        guard colour, !text.isEmpty else { return text }
        let code =
            switch role {
            case .fail: "31"
            case .fault: "33"
            case .pass: "32"
            case .excused: "35"
            case .paste: "36"
            case .name: "1"
            case .time: "90"
            case .failName: "1;31"
            }
        return "\u{1b}[\(code)m\(text)\u{1b}[0m"
    }

    package enum Glyph: Sendable, CaseIterable {
        case pass, inconclusive, excused, fail, tool, fault, toServer, toClient
    }

    package func glyph(_ glyph: Glyph) -> String {
        switch glyph {
        case .pass: ascii ? "+" : "✓"
        case .inconclusive: "?"
        case .excused: "~"
        case .fail: ascii ? "x" : "✗"
        case .tool: ascii ? "!" : "‼"
        case .fault: ascii ? "*" : "◆"
        case .toServer: ascii ? ">" : "▸"
        case .toClient: ascii ? "<" : "◂"
        }
    }

    /// Everything but the glyphs that has an ASCII stand-in: lane lines, dashes and arrows.
    package func plainly(_ text: String) -> String {
        guard ascii else { return text }
        let stand: [Character: String] = [
            "│": "|", "─": "-", "┼": "+", "▸": ">", "◂": "<", "◆": "*", "✗": "x", "✓": "+", "‼": "!", "…": "...",
            "–": "-", "→": "->", "×": "x", "▴": "^", "█": "#", "▌": "=", "░": ".",
        ]
        return text.reduce(into: "") { shown, character in
            shown += stand[character] ?? (character.isASCII ? String(character) : Self.escaped(character))
        }
    }
}

extension Style {
    /// A foreign character that such a stream cannot show.
    private static func escaped(_ character: Character) -> String {
        character.unicodeScalars.map { $0.isASCII ? String($0) : "\\u{\(String($0.value, radix: 16))}" }.joined()
    }
}

extension String {
    /// Padded with spaces on the right to `width` columns; never cut.
    package func left(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
    package func right(_ width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
