import Reporting

/// Counts lines of one second and folds what is too much.
struct Folding {
    private var second: Int64 = -1
    private var shown = 0
    private var folded: [(word: String, count: Int)] = []

    mutating func take(second now: Int64, word: String, text: String) -> String {
        var answer = ""
        if now != second {
            if !folded.isEmpty {
                let words = folded.map { "\(Figures.count($0.count)) \($0.word)" }.joined(separator: ", ")
                answer = "              … \(words) in 1 s (--log all shows each)\n"
            }
            second = now
            shown = 0
            folded = []
        }
        shown += 1
        if shown <= 50 { return answer + text }
        if let index = folded.firstIndex(where: { $0.word == word }) {
            folded[index].count += 1
        } else {
            folded.append((word, 1))
        }
        return answer
    }
}
