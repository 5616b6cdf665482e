/// Exact search that no input can make slow (Knuth, Morris, Pratt, "Fast Pattern Matching in Strings", 1977).
enum Needle {
    /// In order, without overlap.
    static func ranges(of needle: [UInt8], in bytes: [UInt8]) -> [Range<Int>] {
        guard let first = needle.first, needle.count <= bytes.count else { return [] }
        var found: [Range<Int>] = []
        var borders: [Int] = []
        var matched = 0
        var index = 0
        while index < bytes.count {
            if matched == 0 {
                guard let next = bytes[index...].firstIndex(of: first) else { break }
                index = next + 1
                matched = 1
            } else if bytes[index] == needle[matched] {
                matched += 1
                index += 1
            } else {
                if borders.isEmpty { borders = self.borders(of: needle) }
                matched = borders[matched - 1]
            }
            if matched == needle.count {
                found.append((index - matched)..<index)
                matched = 0
            }
        }
        return found
    }

    /// For each length the longest shorter beginning that is also an end.
    private static func borders(of needle: [UInt8]) -> [Int] {
        var borders = [Int](repeating: 0, count: needle.count)
        var length = 0
        for index in needle.indices.dropFirst() {
            while length > 0, needle[index] != needle[length] { length = borders[length - 1] }
            if needle[index] == needle[length] { length += 1 }
            borders[index] = length
        }
        return borders
    }
}
