import Reporting
import Synchronization

/// The last rows of a terminal, redrawn in place, with log lines that scroll above them. Nothing else writes to that
/// stream while it is drawn. Without a terminal nothing is drawn and log lines are lines.
final class LiveArea: Sendable {
    private struct State {
        /// Rows that stand on the screen now.
        var rows: [String] = []
        var isClosed = false
    }
    private let console: Console
    private let isLive: Bool
    private let state = Mutex(State())

    init(_ console: Console, isLive: Bool) {
        self.console = console
        self.isLive = isLive
    }

    /// Replaces what is drawn. Rows must not be wider than the terminal.
    func show(_ rows: [String]) {
        guard isLive else { return }
        state.withLock { state in
            guard !state.isClosed else { return }
            let hide = state.rows.isEmpty ? "\u{1b}[?25l" : ""
            console.talk(hide + Self.home(state.rows) + Self.drawn(rows))
            state.rows = rows
        }
    }

    /// One or more lines above what is drawn, without the last line's end.
    func log(_ text: String) {
        state.withLock { state in
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            guard isLive, !state.isClosed, !state.rows.isEmpty else { return console.talk(text + "\n") }
            let cleared = lines.map { $0 + "\u{1b}[K\n" }.joined()
            console.talk(Self.home(state.rows) + cleared + Self.drawn(state.rows))
        }
    }

    /// Takes the rows off the screen and gives the cursor back; nothing is drawn afterwards.
    func close() {
        state.withLock { state in
            guard !state.isClosed else { return }
            state.isClosed = true
            guard isLive, !state.rows.isEmpty else { return }
            console.talk(Self.home(state.rows) + "\u{1b}[J\u{1b}[?25h")
            state.rows = []
        }
    }

    /// The cursor stands at the end of the last row, so that the rows may be the screen's last.
    private static func home(_ rows: [String]) -> String { rows.count > 1 ? "\r\u{1b}[\(rows.count - 1)A" : "\r" }

    private static func drawn(_ rows: [String]) -> String {
        rows.map { $0 + "\u{1b}[K" }.joined(separator: "\n") + "\u{1b}[J"
    }
}
