import Foundation
package import Reporting
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Standard output for answers, standard error for talk; both decided once from flags and environment.
package struct Console: Sendable {
    package var out: Style
    package var err: Style
    /// Where text goes instead of to the two streams: text and the stream's descriptor.
    var sink: (@Sendable (String, Int32) -> Void)?

    package init(looks: Looks) { self.init(colour: looks.colour, ascii: looks.ascii) }

    package init(
        colour: Looks.Colour, ascii: Bool, environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        out = Self.style(colour, ascii, STDOUT_FILENO, environment)
        err = Self.style(colour, ascii, STDERR_FILENO, environment)
    }

    /// For errors that come before the options are parsed: the same two options, read from the raw arguments.
    package init(arguments: [String]) {
        let at = arguments.firstIndex(of: "--color").map { arguments.index(after: $0) }
        let word = at.flatMap { $0 < arguments.endIndex ? arguments[$0] : nil }
        let joined = arguments.first { $0.hasPrefix("--color=") }.map { String($0.dropFirst("--color=".count)) }
        self.init(
            colour: (word ?? joined).flatMap(Looks.Colour.init(rawValue:)) ?? .auto, ascii: arguments.contains("--ascii"))
    }

    /// `--color`, then non-empty NO_COLOR, FORCE_COLOR, then whether that stream is a terminal.
    private static func style(
        _ choice: Looks.Colour, _ ascii: Bool, _ descriptor: Int32, _ environment: [String: String]
    ) -> Style {
        func given(_ name: String) -> Bool { !(environment[name] ?? "").isEmpty }
        let terminal = isatty(descriptor) == 1 && environment["TERM"] != "dumb"
        let colour =
            switch choice {
            case .always: true
            case .never: false
            case .auto: given("NO_COLOR") ? false : given("FORCE_COLOR") ? true : terminal
            }
        // An environment that names no locale at all says nothing against UTF-8.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { environment[$0] }.first { !$0.isEmpty } ?? "C.UTF-8"
        let plainLocale = !locale.uppercased().replacingOccurrences(of: "-", with: "").contains("UTF8")
        let width = terminal ? min(100, columns(descriptor)) : 100
        return Style(
            colour: colour, ascii: ascii || plainLocale, width: width,
            live: terminal && !given("CI"))
    }

    /// Rows of the terminal behind standard error; nil when it is none that can be redrawn.
    var rows: Int? {
        var size = winsize()
        guard err.live, unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return nil }
        return Int(size.ws_row)
    }

    private static func columns(_ descriptor: Int32) -> Int {
        var size = winsize()
        let known = unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return known ? Int(size.ws_col) : 100
    }

    package func answer(_ text: String) { say(out.plainly(text), to: STDOUT_FILENO) }
    package func talk(_ text: String) { say(err.plainly(text), to: STDERR_FILENO) }
    /// JSON keeps its text whatever the stream can show.
    package func emit(_ line: JSONLine) { say(line.text, to: STDOUT_FILENO) }

    private func say(_ text: String, to descriptor: Int32) {
        if let sink { return sink(text, descriptor) }
        if !Self.hushed.load(ordering: .acquiring) { Self.write(text, to: descriptor) }
    }

    /// After a signal a verb that is on its way out says nothing more; only the line that closes the run is written.
    private static let hushed = Atomic(false)
    func hush() { Self.hushed.store(true, ordering: .releasing) }
    func close(_ text: String) { Self.write(err.plainly((err.live ? "\r\u{1b}[K" : "") + text), to: STDERR_FILENO) }
    func close(json line: JSONLine) { Self.write(line.text, to: STDOUT_FILENO) }

    /// A broken pipe is the reader's choice and no error of ours; SIGPIPE is ignored at start.
    private static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }

    /// UTC with milliseconds, for JSON lines.
    static func utc(_ date: Date = Date()) -> String {
        date.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true).timeZone(separator: .omitted))
    }
}
