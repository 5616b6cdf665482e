import CPcap
import Glibc

/// What the kernel answered to a call that it refused.
struct Refusal: Error, Equatable {
    var code: Int32

    /// The call, or what it asks for, is not in this kernel.
    var isUnknownCall: Bool { code == ENOSYS || code == EOPNOTSUPP || code == EINVAL }
    var text: String { unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)" }
}

/// All that the sandbox asks of the kernel, and the only file of it that needs `unsafe`.
enum SandboxCalls {
    private static func answer(_ value: Int32) throws(Refusal) -> Int32 {
        if value >= 0 { return value }
        throw Refusal(code: errno)
    }

    // MARK: Of the process

    static func dieWithParent() throws(Refusal) { _ = try answer(miswire_die_with_parent()) }
    static func refuseNewPrivileges() throws(Refusal) { _ = try answer(miswire_no_new_privileges()) }
    /// No dump of this process, and nobody of the same user may look into it.
    static func hideMemory() { _ = miswire_hide_memory() }
    static var memoryIsHidden: Bool { miswire_memory_is_shown() == 0 }
    /// As `ps` and `/proc` show it; 15 bytes.
    static func name(_ name: String) { _ = unsafe miswire_name_process(name) }

    /// Lowers both bounds to `most`; one that is lower already stays.
    static func limit(_ resource: __rlimit_resource, to most: UInt64) throws(Refusal) {
        var limit = rlimit()
        _ = try answer(unsafe getrlimit(resource.rawValue.asResource, &limit))
        let bound = rlim_t(most)
        limit = rlimit(rlim_cur: min(limit.rlim_cur, bound), rlim_max: min(limit.rlim_max, bound))
        _ = try answer(unsafe setrlimit(resource.rawValue.asResource, &limit))
    }

    // MARK: Landlock

    static func landlockVersion() throws(Refusal) -> Int32 { try answer(miswire_landlock_version()) }

    static func ruleset(files: UInt64, network: UInt64, scopes: UInt64) throws(Refusal) -> Int32 {
        try answer(miswire_landlock_ruleset(files, network, scopes))
    }

    static func allow(_ rights: UInt64, at place: Int32, in ruleset: Int32) throws(Refusal) {
        _ = try answer(miswire_landlock_allow(ruleset, place, rights))
    }

    static func enforce(ruleset: Int32) throws(Refusal) { _ = try answer(miswire_landlock_enforce(ruleset)) }

    /// A descriptor that only names the place: nothing is read, and no FIFO waits. `O_PATH` is not imported.
    static func place(_ path: String) throws(Refusal) -> Int32 { try answer(unsafe open(path, 0o10_000_000 | O_CLOEXEC)) }

    // MARK: seccomp

    static func hasFilters() throws(Refusal) { _ = try answer(miswire_filter_available()) }

    static func enforce(_ filter: SystemCallFilter) throws(Refusal) {
        let program = filter.instructions.map { bpf_insn(code: $0.code, jt: $0.yes, jf: $0.no, k: $0.value) }
        let status = unsafe program.withUnsafeBufferPointer { unsafe miswire_filter_enforce($0.baseAddress, UInt16(clamping: $0.count)) }
        // A thread that cannot take it: it has a filter of its own.
        if try answer(status) > 0 { throw Refusal(code: EBUSY) }
    }

    // MARK: Attempts

    /// What a call gets that must not succeed: 0 when it did.
    enum Attempt: String, CaseIterable {
        case open, socket, connect, exec

        /// No harm is done when it is not refused: the root directory is opened for looking at its names, -1 is no
        /// descriptor, and an empty name is no program.
        var code: Int32 {
            var status: Int32 = -1
            switch self {
            case .open: status = unsafe Glibc.open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            case .socket: status = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            case .connect: status = Glibc.connect(-1, nil, 0)
            case .exec:
                var none: UnsafeMutablePointer<CChar>?
                status = unsafe execve("", &none, &none)
            }
            let code = errno
            guard status >= 0 else { return code }
            _ = Glibc.close(status)
            return 0
        }
    }

    // MARK: Directories

    /// One of mode 0700 that nobody has; its path.
    static func temporaryDirectory(in parent: String) throws(Refusal) -> String {
        var template = Array((parent + "/miswire-" + String(repeating: "X", count: 6)).utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer -> String? in
            guard let base = buffer.baseAddress, let name = unsafe mkdtemp(base) else { return nil }
            return unsafe String(cString: name)
        }
        guard let made else { throw Refusal(code: errno) }
        return made
    }

    static func removeIfEmpty(_ directory: String) { _ = unsafe rmdir(directory) }

    // MARK: The child

    static func variable(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// This very program again, with the same arguments, streams and descriptors.
    /// - Parameter variables: in its environment beside what is there; ours stays as it was.
    static func startAgain(_ variables: [(name: String, value: String)]) throws(Refusal) -> pid_t {
        var attributes = posix_spawnattr_t()
        var none = sigset_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // Whatever we, or who started us, hold back is to reach it.
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let before = variables.map { (name: $0.name, value: variable($0.name)) }
        for (name, value) in variables { unsafe setenv(name, value, 1) }
        defer {
            for (name, value) in before { if let value { unsafe setenv(name, value, 1) } else { unsafe unsetenv(name) } }
        }
        var pid: pid_t = 0
        let failed = unsafe posix_spawn(&pid, "/proc/self/exe", nil, &attributes, CommandLine.unsafeArgv, miswire_environment())
        if failed != 0 { throw Refusal(code: failed) }
        return pid
    }

    enum Ending: Equatable { case exited(Int32), killed(Int32) }

    /// How the child ended; nil while it lives.
    static func ending(of pid: pid_t) -> Ending? {
        var status: Int32 = 0
        let found = unsafe waitpid(pid, &status, WNOHANG)
        if found == 0 || found < 0 && errno == EINTR { return nil }
        // Somebody else took its end away: then nothing is known of it.
        guard found == pid else { return .killed(0) }
        let signal = status & 0x7f
        return signal == 0 ? .exited((status >> 8) & 0xff) : .killed(signal)
    }
}

extension UInt32 {
    fileprivate var asResource: __rlimit_resource_t { __rlimit_resource_t(self) }
}

/// Signals that wait to be taken one by one, instead of ending the process that waits for a child.
struct HeldSignals: ~Copyable {
    struct Taken {
        var number: Int32
        /// From a terminal, which told the child as well.
        var isForAll: Bool
    }
    private let before: sigset_t
    private var held = sigset_t()

    init(_ numbers: [Int32]) {
        var before = sigset_t()
        unsafe sigemptyset(&held)
        for number in numbers { unsafe sigaddset(&held, number) }
        // A parent that ignores the ends of its children would make the kernel forget them.
        _ = signal(SIGCHLD, SIG_DFL)
        unsafe sigprocmask(SIG_BLOCK, &held, &before)
        self.before = before
    }

    deinit {
        var before = before
        unsafe sigprocmask(SIG_SETMASK, &before, nil)
    }

    /// The next one; nil when none came for this long.
    func next(within time: Duration) -> Taken? {
        var held = held
        var info = unsafe siginfo_t()
        var span = timespec(tv_sec: Int(clamping: time.components.seconds), tv_nsec: Int(clamping: time.components.attoseconds / 1_000_000_000))
        let number = unsafe sigtimedwait(&held, &info, &span)
        // From 1 up: the kernel itself, as for a key at the terminal.
        return number > 0 ? Taken(number: number, isForAll: unsafe info.si_code > 0) : nil
    }
}
