import Journaling

/// What could not be read of a file, as sentences: the first hundred, and how many more there were.
struct Remarks {
    private let sink: any ConnectionSink
    private var told = 0
    private var unlisted = 0
    private let most = 100

    init(_ sink: any ConnectionSink) { self.sink = sink }

    mutating func add(_ id: Connection.ID?, _ sentence: @autoclosure () -> String) throws(ImportError) {
        told += 1
        if told <= most { try sink.note(id, sentence()) }
    }

    /// So many more that nobody keeps.
    mutating func leaveOut(_ count: Int) { unlisted += count }

    func finish() throws(ImportError) {
        let rest = max(0, told - most) + unlisted
        guard rest > 0 else { return }
        try sink.note(nil, "\(rest) more \(rest == 1 ? "place is" : "places are") not listed")
    }
}
