import Glibc
import Synchronization

/// One child: started, read and reaped by a thread that lives as long as it does. That the thread lives matters: the
/// signal a child gets when its parent dies is bound to the very thread that started it.
final class Supervisor: Sendable {
    private struct State {
        var ended: Ending?
        /// Newest output, at most `keep` bytes.
        var tail: [UInt8] = []
        /// Set when the group was reaped: its number may belong to somebody else now.
        var isReaped = false
        /// Nothing more of its output will be read.
        var isRead = false
    }
    /// L16.
    static let keep = 1 << 20

    let pid: Int32
    private let state = Mutex(State())
    private let output: Int32

    private init(pid: Int32, output: Int32) {
        self.pid = pid
        self.output = output
    }

    /// Nil while it runs.
    var ended: Ending? {
        noteEnd()
        return state.withLock { $0.ended }
    }
    var diagnostics: String { String(decoding: state.withLock { $0.tail }, as: UTF8.self) }

    static func start(
        program: String, arguments: [String], environment: [String]
    ) async throws(TargetError) -> Supervisor {
        let outcome: Result<Supervisor, TargetError> = await withCheckedContinuation { started in
            let isRunning = Threads.start {
                let outcome = spawn(program, arguments, environment)
                started.resume(returning: outcome)
                if case .success(let supervisor) = outcome { supervisor.watch() }
            }
            if !isRunning { started.resume(returning: .failure(.cannotStart("no thread is left"))) }
        }
        return try outcome.get()
    }

    private static func spawn(
        _ program: String, _ arguments: [String], _ environment: [String]
    ) -> Result<Supervisor, TargetError> {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return .failure(.cannotStart("no pipe is left")) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
        guard unsafe closeFrom(3, &actions) else {
            for end in ends { close(end) }
            return .failure(.cannotStart("this system cannot keep descriptors from a child"))
        }
        var none = sigset_t()
        var all = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        unsafe posix_spawnattr_setflags(&attributes, Int16(truncatingIfNeeded: Int(flags)))
        let (file, words) = dyingWithUs(program, arguments)
        var pid: pid_t = 0
        let failed = unsafe withCStrings(words) { words in
            unsafe withCStrings(environment) { environment in
                unsafe posix_spawn(&pid, file, &actions, &attributes, words, environment)
            }
        }
        close(ends[1])
        guard failed == 0 else {
            close(ends[0])
            return .failure(.cannotStart(unsafe "\(program): \(String(cString: strerror(failed)))"))
        }
        return .success(Supervisor(pid: pid, output: ends[0]))
    }

    /// glibc 2.34 has the action; its header hides it from Swift.
    private static func closeFrom(_ first: Int32, _ actions: inout posix_spawn_file_actions_t) -> Bool {
        typealias Add = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
        guard let found = unsafe dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else { return false }
        let add = unsafe unsafeBitCast(found, to: Add.self)
        return unsafe add(&actions, first) == 0
    }

    /// Behind `setpriv --pdeathsig KILL`, where util-linux is installed, the program ends when we die, however we die.
    private static func dyingWithUs(_ program: String, _ arguments: [String]) -> (String, [String]) {
        let setpriv = "/usr/bin/setpriv"
        guard unsafe access(setpriv, X_OK) == 0 else { return (program, arguments) }
        return (setpriv, ["setpriv", "--pdeathsig", "KILL", "--", program] + arguments.dropFirst())
    }

    /// Reads until the output ends, or until the child was reaped while somebody who left its group keeps the output open.
    private func watch() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            var wanted = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            let ready = unsafe poll(&wanted, 1, 200)
            if ready == 0, isGone { break }
            if ready == 0 || ready < 0 && errno == EINTR { continue }
            let count = unsafe read(output, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            state.withLock { state in
                state.tail += buffer.prefix(count)
                if state.tail.count > Self.keep { state.tail.removeFirst(state.tail.count - Self.keep) }
            }
            noteEnd()
        }
        close(output)
        state.withLock { $0.isRead = true }
        while !isGone { usleep(50_000) }
    }

    private var isGone: Bool {
        noteEnd()
        return state.withLock { $0.isReaped }
    }

    /// Notes how the program ended, without reaping it: its number stays ours until the group is dealt with.
    private func noteEnd() {
        guard state.withLock({ $0.ended == nil }) else { return }
        var info = unsafe siginfo_t()
        guard unsafe waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0,
            unsafe info.si_signo == SIGCHLD
        else {
            return
        }
        let status = unsafe info._sifields._sigchld.si_status
        let how: Ending = unsafe info.si_code == CLD_EXITED ? .exit(status) : .signal(status)
        state.withLock { $0.ended = how }
    }

    /// TERM to the group, KILL when something of it is left after the grace; then the child is reaped, and what it said
    /// is known. Blocks, for a few seconds more than the grace at most.
    func stop(grace: Duration) {
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: grace)
        signal(SIGTERM)
        while clock.now < deadline, !isQuiet { usleep(5_000) }
        signal(SIGKILL)
        let last = clock.now.advanced(by: .seconds(2))
        while clock.now < last, !isQuiet { usleep(2_000) }
        state.withLock { state in
            guard !state.isReaped else { return }
            var status: Int32 = 0
            unsafe waitpid(pid, &status, WNOHANG)
            state.isReaped = true
            if state.ended == nil { state.ended = .signal(SIGKILL) }
        }
        let read = clock.now.advanced(by: .seconds(2))
        while clock.now < read, !state.withLock({ $0.isRead }) { usleep(2_000) }
    }

    /// The program has ended and nobody else of its group is left but its unreaped self.
    private var isQuiet: Bool {
        ended != nil && !ProcessTable.isAlive(group: pid)
    }

    private func signal(_ number: Int32) {
        state.withLock { if !$0.isReaped { _ = killpg(pid, number) } }
    }
}

/// C's form of a list of texts, valid during the call.
private func withCStrings<Value>(
    _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Value
) -> Value {
    var pointers: [UnsafeMutablePointer<CChar>?] = unsafe texts.map { unsafe strdup($0) }
    unsafe pointers.append(nil)
    defer { unsafe pointers.forEach { unsafe free($0) } }
    return unsafe body(&pointers)
}
