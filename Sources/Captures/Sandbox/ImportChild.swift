import Glibc

/// The process that reads captures, seen by the one that started it, which reads none of them: what happens to the child
/// ends the child only.
package enum ImportChild {
    package enum Ending: Sendable, Equatable {
        case exited(Int32)
        /// By this signal; 0: nobody knows.
        case killed(Int32)
        /// As it was told to.
        case stopped
    }

    /// What the child is told, beside the command line that both have.
    package struct Order: Sendable, Equatable {
        /// Where scratch files go when there is no recording.
        package var scratch: String?
        /// The process that waits for it.
        var parent: pid_t

        init(scratch: String?, parent: pid_t) {
            self.scratch = scratch
            self.parent = parent
        }

        /// `4711`, `4711:/tmp/miswire-Xy12ab`
        init?(_ text: String) {
            let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
            guard let first = parts.first, let parent = pid_t(first) else { return nil }
            self.init(scratch: parts.count > 1 ? parts[1] : nil, parent: parent)
        }

        var text: String { "\(parent)" + (scratch.map { ":" + $0 } ?? "") }
    }

    private static let variable = "MISWIRE_IMPORT_CHILD"
    /// What a child gets that was told to end and ignores it, because whoever started us did.
    private static let patience = Duration.seconds(2)

    /// What this process is told, if it is a child. From then on it does not outlive its parent.
    package static func order() throws(ImportError) -> Order? {
        guard let order = SandboxCalls.variable(variable).flatMap(Order.init) else { return nil }
        do throws(Refusal) { try SandboxCalls.dieWithParent() } catch {
            throw Sandbox.failure("it cannot be bound to its parent: \(error.text)")
        }
        // Or the parent ended before we were bound to it.
        guard getppid() == order.parent else {
            throw ImportError(
                place: variable, sentence: "this process is to read captures for another one, which is not there",
                remedy: "import again, without \(variable) in the environment")
        }
        return order
    }

    /// Starts the child and waits for its end. Stop signals are passed on to it, unless a terminal told it already.
    package static func run(scratch: String?) throws(ImportError) -> Ending {
        let held = HeldSignals([SIGINT, SIGTERM, SIGCHLD])
        let pid: pid_t
        do throws(Refusal) {
            // A crash says what it is by its signal. The backtracer would be a program, and shows memory.
            pid = try SandboxCalls.startAgain(
                [(variable, Order(scratch: scratch, parent: getpid()).text), ("SWIFT_BACKTRACE", "enable=no")])
        } catch {
            throw ImportError(
                place: "/proc/self/exe", sentence: "the process that reads captures cannot be started", expected: "this program again",
                found: error.text, remedy: "see whether /proc is there, or add --no-sandbox: then captures are read with all your rights")
        }
        return wait(for: pid, held)
    }

    private static func wait(for pid: pid_t, _ held: borrowing HeldSignals) -> Ending {
        let clock = ContinuousClock()
        var deadline: ContinuousClock.Instant?
        while true {
            let taken = held.next(within: deadline.map { max(.zero, clock.now.duration(to: $0)) } ?? .seconds(10))
            let asked = taken.flatMap { $0.number == SIGCHLD ? nil : $0 }
            if asked != nil, deadline == nil { deadline = clock.now.advanced(by: patience) }
            if let ending = SandboxCalls.ending(of: pid) { return told(ending, wasAsked: deadline != nil) }
            if let asked, !asked.isForAll { _ = kill(pid, asked.number) }
            if let deadline, clock.now >= deadline { _ = kill(pid, SIGKILL) }
        }
    }

    private static func told(_ ending: SandboxCalls.Ending, wasAsked: Bool) -> Ending {
        switch ending {
        case .exited(let code): .exited(code)
        case .killed(let signal) where [SIGINT, SIGTERM].contains(signal) || wasAsked && signal == SIGKILL: .stopped
        case .killed(let signal): .killed(signal)
        }
    }
}
