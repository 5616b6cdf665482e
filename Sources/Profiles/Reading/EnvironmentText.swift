import Faults
import Journaling

/// `${NAME}` in a setting that is a text: the value of that variable, which is not written anywhere. `$${` is `${` itself.
struct EnvironmentText {
    enum Piece: Equatable {
        case text(String)
        case variable(String)
    }

    /// The text in pieces; nil when what stands between the braces is no name of a variable.
    static func pieces(of text: String) -> [Piece]? {
        var pieces: [Piece] = []
        var plain = ""
        var rest = Substring(text)
        while let character = rest.first {
            if rest.hasPrefix("$${") {
                plain += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else { return nil }
                let name = String(rest[rest.index(rest.startIndex, offsetBy: 2)..<end])
                guard isName(name) else { return nil }
                if !plain.isEmpty { pieces.append(.text(plain)) }
                plain = ""
                pieces.append(.variable(name))
                rest = rest[rest.index(after: end)...]
            } else {
                plain.append(character)
                rest = rest.dropFirst()
            }
        }
        if !plain.isEmpty || pieces.isEmpty { pieces.append(.text(plain)) }
        return pieces
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(first >= 0x30 && first <= 0x39) else { return false }
        return text.utf8.count <= 128
            && text.utf8.allSatisfy { $0 >= 0x41 && $0 <= 0x5a || $0 >= 0x61 && $0 <= 0x7a || $0 >= 0x30 && $0 <= 0x39 || $0 == 0x5f }
    }
}

extension ProfileReader {
    private static let leastSecret = 4

    /// Looks up what a text setting names, so that its fault reads the values and everybody else the names.
    mutating func fill(_ text: String, _ name: String, _ mark: Mark, _ settings: inout Settings) {
        guard text.contains("${") else { return }
        guard let pieces = EnvironmentText.pieces(of: text) else {
            return fail(mark, "`\(name)` has a `${` without the name of a variable", "write `${NAME}`, or `$${` for the two signs themselves")
        }
        var value = ""
        for piece in pieces {
            switch piece {
            case .text(let plain): value += plain
            case .variable(let variable):
                guard let environment else {
                    value += "${\(variable)}"
                    continue
                }
                guard let found = environment[variable], !found.isEmpty else {
                    let state = environment[variable] == nil ? "not set" : "empty"
                    fail(
                        mark, "`\(name)` needs the variable `\(variable)`, which is \(state)",
                        "set it for this program, or write the text")
                    continue
                }
                // What stands everywhere by chance cannot be hidden where it stands.
                guard found.utf8.count >= Self.leastSecret else {
                    fail(
                        mark, "`\(name)` needs the variable `\(variable)`, which is too short to be kept secret",
                        "found fewer than \(Self.leastSecret) bytes; write the text itself")
                    continue
                }
                value += found
                settings.secrets.append(found)
            }
        }
        settings.filled[text] = value
    }
}
