import Journaling

/// Reads the one-line form of patterns, `{ type: [a, b], "odd, key": 1 }`, into the tree that contracts read theirs from.
/// One pass with a stack of its own; nesting is bounded (trust.md L6).
enum FlowText {
    static let deepest = 32

    private enum Open {
        case list([Document])
        /// Fields so far, and the key that waits for its value.
        case map([Document.Field], key: String?)
    }

    static func document(_ text: String) -> Document? {
        var reader = Reader(text)
        var stack: [Open] = []
        while true {
            reader.skip()
            var done: Document?
            switch reader.peek {
            case nil: return nil
            case "{", "[":
                guard stack.count < deepest else { return nil }
                stack.append(reader.next() == "[" ? .list([]) : .map([], key: nil))
            case "}", "]":
                guard let closed = close(reader.next(), stack.popLast()) else { return nil }
                done = closed
            default:
                guard let scalar = reader.scalar() else { return nil }
                if case .map(let fields, nil) = stack.last {
                    reader.skip()
                    guard reader.next() == ":" else { return nil }
                    stack[stack.count - 1] = .map(fields, key: scalar.text)
                    continue
                }
                done = Document(.scalar(scalar), mark: mark)
            }
            guard let done else { continue }
            guard let parent = stack.popLast() else {
                reader.skip()
                return reader.peek == nil ? done : nil
            }
            guard let grown = add(done, to: parent) else { return nil }
            stack.append(grown)
            reader.skip()
            if reader.peek == "," { _ = reader.next() } else if reader.peek != "}", reader.peek != "]" { return nil }
        }
    }

    private static let mark = Mark(file: "plan", line: 1, column: 1)

    private static func close(_ sign: Character?, _ open: Open?) -> Document? {
        switch (sign, open) {
        case ("]", .list(let items)): Document(.list(items), mark: mark)
        case ("}", .map(let fields, nil)): Document(.map(fields), mark: mark)
        default: nil
        }
    }

    private static func add(_ value: Document, to open: Open) -> Open? {
        switch open {
        case .list(let items): return .list(items + [value])
        case .map(_, nil): return nil
        case .map(let fields, let key?):
            guard !fields.contains(where: { $0.key == key }) else { return nil }
            return .map(fields + [Document.Field(key: key, mark: mark, value: value)], key: nil)
        }
    }

    private struct Reader {
        let characters: [Character]
        var index = 0
        init(_ text: String) { characters = Array(text) }

        var peek: Character? { index < characters.count ? characters[index] : nil }

        mutating func next() -> Character? {
            defer { index = min(index + 1, characters.count) }
            return peek
        }

        mutating func skip() { while let next = peek, next == " " || next == "\t" { index += 1 } }

        /// A quoted text, or everything up to a sign of the form.
        mutating func scalar() -> Document.Scalar? {
            if peek == "\"" {
                _ = next()
                var text = ""
                while let character = next() {
                    if character == "\"" { return Document.Scalar(text: text, isPlain: false) }
                    guard character == "\\" else {
                        text.append(character)
                        continue
                    }
                    guard let escaped = next() else { return nil }
                    text.append(escaped)
                }
                return nil
            }
            var text = ""
            var depth = 0
            while let character = peek {
                // Within `<…>`, brackets of paths and the like belong to the text.
                if character == "[" { depth += 1 }
                if character == "]", depth > 0 {
                    depth -= 1
                } else if ",]}:".contains(character), depth == 0 {
                    if character != ":" || isBlank(index + 1) { break }
                }
                text.append(character)
                index += 1
            }
            let trimmed = text.trimmed
            return trimmed.isEmpty ? nil : Document.Scalar(text: trimmed, isPlain: true)
        }

        private func isBlank(_ index: Int) -> Bool {
            index >= characters.count || characters[index] == " " || characters[index] == "\t"
        }
    }
}
