/// Reads `[…]` and the escapes that stand for scalars.
enum RegexClassParser {
    /// Reads from behind the opening bracket to behind the closing one.
    static func parse(_ pattern: [Unicode.Scalar], _ position: inout Int) throws(PartError) -> RegexSet {
        var negated = false
        if position < pattern.count, pattern[position] == "^" {
            negated = true
            position += 1
        }
        var ranges: [ClosedRange<UInt32>] = []
        var isFirst = true
        while position < pattern.count, isFirst || pattern[position] != "]" {
            isFirst = false
            let low = try item(pattern, &position)
            guard position + 1 < pattern.count, pattern[position] == "-", pattern[position + 1] != "]" else {
                ranges += low.ranges
                continue
            }
            position += 1
            let high = try item(pattern, &position)
            guard let from = single(low), let to = single(high) else {
                throw PartError("re: a range in […] needs a character on both sides", remedy: "write \\- for a dash")
            }
            guard from <= to else { throw PartError("re: a range in […] counts down") }
            ranges.append(from...to)
        }
        guard position < pattern.count else { throw PartError("re: \"[\" is never closed", remedy: "write \\[") }
        position += 1
        let set = RegexSet(ranges)
        return negated ? set.inverted : set
    }

    private static func single(_ set: RegexSet) -> UInt32? {
        guard set.ranges.count == 1, let range = set.ranges.first, range.count == 1 else { return nil }
        return range.lowerBound
    }

    private static func item(_ pattern: [Unicode.Scalar], _ position: inout Int) throws(PartError) -> RegexSet {
        let scalar = pattern[position]
        position += 1
        guard scalar == "\\" else { return RegexSet([scalar.value...scalar.value]) }
        if position < pattern.count, pattern[position] == "b" {
            position += 1
            return RegexSet([8...8])
        }
        return try escape(pattern, &position)
    }

    /// Reads what follows a backslash.
    static func escape(_ pattern: [Unicode.Scalar], _ position: inout Int) throws(PartError) -> RegexSet {
        guard position < pattern.count else { throw PartError("re: it ends in a backslash") }
        let scalar = pattern[position]
        position += 1
        switch scalar {
        case "d": return .digits
        case "D": return RegexSet.digits.inverted
        case "w": return .word
        case "W": return RegexSet.word.inverted
        case "s": return .space
        case "S": return RegexSet.space.inverted
        case "n": return one(0x0a)
        case "r": return one(0x0d)
        case "t": return one(0x09)
        case "f": return one(0x0c)
        case "v": return one(0x0b)
        case "0": return one(0)
        case "x": return one(try hexadecimal(pattern, &position, digits: 2))
        case "u": return one(try hexadecimal(pattern, &position, digits: 4))
        case "p", "P": throw PartError("re: \\p{…} is not supported", remedy: "write the ranges in […]")
        case "a"..."z", "A"..."Z", "0"..."9": throw PartError("re: \\\(scalar) means nothing here")
        default: return one(scalar.value)
        }
    }

    private static func one(_ scalar: UInt32) -> RegexSet { RegexSet([scalar...scalar]) }

    private static func hexadecimal(
        _ pattern: [Unicode.Scalar], _ position: inout Int, digits: Int
    ) throws(PartError) -> UInt32 {
        let end = position + digits
        guard end <= pattern.count else { throw PartError("re: \(digits) hexadecimal digits are missing") }
        var text = ""
        for scalar in pattern[position..<end] { text.unicodeScalars.append(scalar) }
        guard let value = UInt32(text, radix: 16), !text.hasPrefix("+") else {
            throw PartError("re: \"\(text)\" is not hexadecimal")
        }
        position = end
        return value
    }
}
