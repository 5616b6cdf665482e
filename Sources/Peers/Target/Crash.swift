/// How a target left us.
package enum Ending: Sendable, Hashable, CustomStringConvertible {
    case exit(Int32)
    case signal(Int32)
    /// Somebody else's server: it takes no connections any more, and how it ended cannot be seen.
    case refusing
    /// It takes connections, or nothing of it is heard at all, and it answers none within the bound.
    case silent

    /// `exit 3`, `signal 11 (SIGSEGV)`, `connections are refused`.
    package var description: String {
        if case .signal(let number) = self, let name = Self.names[number] { return "signal \(number) (\(name))" }
        return short
    }

    /// It came to this by itself: no answer of somebody who told it to end, such as Ctrl-C or a kill, and no orderly exit.
    package var isFailure: Bool {
        switch self {
        // A shell says 128 and the signal.
        case .exit(let status): status != 0 && (status < 128 || !Self.orders.contains(status - 128))
        case .signal(let number): !Self.orders.contains(number)
        case .refusing, .silent: false
        }
    }

    /// Signals by which somebody ends a process: HUP, INT, KILL, TERM.
    private static let orders: Set<Int32> = [1, 2, 9, 15]

    /// The same without the name: `signal 11`.
    package var short: String {
        switch self {
        case .exit(let status): "exit \(status)"
        case .signal(let number): "signal \(number)"
        case .refusing: "connections are refused"
        case .silent: "connections are not answered"
        }
    }

    /// Those that end a process by themselves; the numbers are those of Linux on x86-64 and arm64.
    private static let names: [Int32: String] = [
        1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
        9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM",
        16: "SIGSTKFLT", 24: "SIGXCPU", 25: "SIGXFSZ", 26: "SIGVTALRM", 27: "SIGPROF", 29: "SIGIO", 30: "SIGPWR",
        31: "SIGSYS",
    ]
}

/// One time that the target went away by itself.
package struct Crash: Sendable, Equatable {
    /// Lines kept of what it said last, and bytes of each.
    package static let lines = 20
    package static let lineBytes = 4_096

    package var ending: Ending
    /// Its last lines, standard output and standard error as they came; raw, as the target wrote them.
    package var tail: [String]
    /// When it was noticed, since the keeper began.
    package var at: Duration
    package init(ending: Ending, tail: [String], at: Duration) {
        self.ending = ending
        self.tail = tail
        self.at = at
    }

    /// The last lines that say something.
    package static func tail(of text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }.suffix(lines).map { line in
            line.utf8.count <= lineBytes ? String(line) : String(decoding: line.utf8.prefix(lineBytes), as: UTF8.self)
        }
    }
}
