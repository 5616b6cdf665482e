import Reporting
import Synchronization

/// The last line of a terminal while faults can act: other lines scroll above it. Elsewhere nothing is pinned.
final class PinnedLine: Sendable {
    private let console: Console
    private let isLive: Bool
    private let line = Mutex("")

    init(_ console: Console, isLive: Bool) {
        self.console = console
        self.isLive = isLive
    }

    /// Lines with their ends.
    func say(_ text: String) {
        line.withLock { line in
            console.answer(line.isEmpty ? text : Self.clear + text + line)
        }
    }

    /// Empty: nothing is pinned any more.
    func pin(_ text: String) {
        guard isLive else { return }
        line.withLock { line in
            guard line != text else { return }
            line = text
            console.answer(Self.clear + text)
        }
    }

    private static let clear = "\r\u{1b}[K"
}
