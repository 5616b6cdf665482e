/// A table whose columns have the widths of the mock-ups, grow with what they hold, and never run together: what does
/// not fit its column goes on in the next line of that column (looks.md section 0, "Width").
package struct Columns: Sendable {
    package struct Column: Sendable {
        /// Width with its gap, and the width from which on cells are broken at spaces.
        package var least: Int
        package var most: Int
        package init(_ least: Int, most: Int? = nil) {
            self.least = least
            self.most = max(least, most ?? 60)
        }
    }
    /// All columns but the last, which takes what is left of the line.
    package var columns: [Column]
    package var rows: [[String]] = []
    private let indent = 2

    package init(_ columns: [Column]) { self.columns = columns }

    package mutating func add(_ cells: String...) { rows.append(cells) }

    /// - Parameter role: how the first cell of each row but the first is painted; nil = not at all.
    package func text(_ style: Style, head: Bool = true, role: Style.Role? = .name) -> String {
        let widths = columns.indices.map { index -> Int in
            let longest = rows.compactMap { $0.indices.contains(index) ? $0[index].count : nil }.max() ?? 0
            return min(max(columns[index].least, longest + 2), columns[index].most)
        }
        let rest = max(20, style.width - indent - widths.reduce(0, +))
        var lines: [String] = []
        for (number, row) in rows.enumerated() {
            let cells = row.enumerated().map { index, cell in
                Self.broken(cell, to: widths.indices.contains(index) ? widths[index] - 2 : rest)
            }
            for line in 0..<(cells.map(\.count).max() ?? 0) {
                var text = String(repeating: " ", count: indent)
                for (index, cell) in cells.enumerated() {
                    let part = cell.indices.contains(line) ? cell[line] : ""
                    guard widths.indices.contains(index) else { text += part; continue }
                    let gap = String(repeating: " ", count: max(2, widths[index] - part.count))
                    let painted = index == 0 && (number > 0 || !head) ? role.map { style.paint(part, $0) } ?? part : part
                    text += painted + gap
                }
                lines.append(text.trimmed)
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// A label and what stands behind it, going on below itself.
    package static func wrapped(_ text: String, label: String, width: Int) -> String {
        let parts = broken(text, to: max(20, width - label.count))
        return parts.enumerated().map { ($0 == 0 ? label : "".left(label.count)) + $1 }.joined(separator: "\n")
    }

    /// Broken at spaces; a word that is longer than the line stands alone and is never cut.
    static func broken(_ text: String, to width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = String(word)
            } else {
                line = line.isEmpty && lines.isEmpty && word.isEmpty ? "" : line.isEmpty ? String(word) : line + " " + word
            }
        }
        return lines + [line]
    }
}

extension String {
    /// Without spaces at its end.
    package var trimmed: String {
        var text = self
        while text.hasSuffix(" ") { text.removeLast() }
        return text
    }

    /// Cut at its end as `agent_star…`; for labels, whose whole text stands elsewhere.
    package func shortened(to width: Int) -> String { count <= width ? self : String(prefix(max(0, width - 1))) + "…" }
}
