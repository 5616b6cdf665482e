/// Foreign text made safe for a terminal or a log (trust.md T38): one value stays on one line, and no control, bidi or
/// line-separating character reaches the screen raw.
package enum SafeText {
    /// C0, C1, DEL, bidi controls, line separators and the replacement character for broken UTF-8 become `\x1b` forms.
    package static func show(_ text: String) -> String {
        var shown = ""
        shown.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            if isHarmless(scalar) {
                shown.unicodeScalars.append(scalar)
            } else {
                shown += escaped(scalar)
            }
        }
        return shown
    }

    /// Bytes as text: valid UTF-8 as `show`, each broken byte as `\xff`.
    package static func show(bytes: some Sequence<UInt8>) -> String {
        var shown = ""
        var iterator = Array(bytes)[...]
        while let first = iterator.first {
            let length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
            if let text = String(validating: iterator.prefix(length), as: UTF8.self) {
                shown += show(text)
                iterator = iterator.dropFirst(length)
            } else {
                shown += "\\x" + hex(UInt32(first), digits: 2)
                iterator = iterator.dropFirst()
            }
        }
        return shown
    }

    /// Cut at the end as `…(+1,204 B)` so that at most `width` columns are used.
    package static func cut(_ text: String, to width: Int) -> String {
        guard text.count > width else { return text }
        for keep in stride(from: max(0, width - 8), through: 0, by: -1) {
            let rest = text.utf8.count - text.prefix(keep).utf8.count
            let tail = "…(+\(Figures.count(rest)) B)"
            if keep + tail.count <= width || keep == 0 { return text.prefix(keep) + tail }
        }
        return ""
    }

    /// `show` and `cut` in one, in time that does not grow with what is cut off.
    package static func brief(_ text: String, to width: Int) -> String {
        let size = text.utf8.count
        guard size > width * 16 else { return cut(show(text), to: width) }
        let head = String(String.UnicodeScalarView(text.unicodeScalars.prefix(width)))
        let tail = "…(+\(Figures.count(size - head.utf8.count)) B)"
        return show(head).prefix(max(0, width - tail.count)) + tail
    }

    static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0, 0x61c, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff, 0xfff9...0xfffd:
            false
        default: scalar.value < 0xe0000
        }
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar.value {
        case 0x0a: "\\n"
        case 0x0d: "\\r"
        case 0x09: "\\t"
        case 0..<0x100: "\\x" + hex(scalar.value, digits: 2)
        default: "\\u{" + hex(scalar.value, digits: 4) + "}"
        }
    }

    private static func hex(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
