/// The longest run of pairs, in order, of two lists.
enum Alignment {
    /// Beyond this many pairs of places only the next few of the other side are looked at.
    private static let mostCells = 4_000_000
    private static let window = 256

    /// Places that belong together, growing on both sides.
    static func pairs(_ left: [Int], _ right: [Int]) -> [(Int, Int)] {
        var head = 0
        while head < min(left.count, right.count), left[head] == right[head] { head += 1 }
        var tail = 0
        while tail < min(left.count, right.count) - head, left[left.count - 1 - tail] == right[right.count - 1 - tail] { tail += 1 }
        let (a, b) = (Array(left[head..<left.count - tail]), Array(right[head..<right.count - tail]))
        let (cells, overflow) = a.count.multipliedReportingOverflow(by: b.count)
        let middle = overflow || cells > mostCells ? greedy(a, b) : longest(a, b)
        return (0..<head).map { ($0, $0) } + middle.map { ($0 + head, $1 + head) }
            + (0..<tail).reversed().map { (left.count - 1 - $0, right.count - 1 - $0) }
    }

    private static func longest(_ a: [Int], _ b: [Int]) -> [(Int, Int)] {
        guard !a.isEmpty, !b.isEmpty else { return [] }
        let width = b.count + 1
        var table = [Int32](repeating: 0, count: (a.count + 1) * width)
        for i in a.indices.reversed() {
            for j in b.indices.reversed() {
                table[i * width + j] =
                    a[i] == b[j]
                    ? table[(i + 1) * width + j + 1] + 1 : max(table[(i + 1) * width + j], table[i * width + j + 1])
            }
        }
        var pairs: [(Int, Int)] = []
        var (i, j) = (0, 0)
        while i < a.count, j < b.count {
            if a[i] == b[j] {
                pairs.append((i, j))
                (i, j) = (i + 1, j + 1)
            } else if table[(i + 1) * width + j] >= table[i * width + j + 1] {
                i += 1
            } else {
                j += 1
            }
        }
        return pairs
    }

    private static func greedy(_ a: [Int], _ b: [Int]) -> [(Int, Int)] {
        var pairs: [(Int, Int)] = []
        var next = 0
        for (i, value) in a.enumerated() {
            let end = min(b.count, next + window)
            guard next < end, let j = b[next..<end].firstIndex(of: value) else { continue }
            pairs.append((i, j))
            next = j + 1
        }
        return pairs
    }
}
