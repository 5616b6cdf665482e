import CPcap
import Glibc
import Testing

@testable import Captures

/// The filter's program, run by libpcap's interpreter of the same language on calls that are laid out as the kernel does.
@Suite struct SystemCallFilterTests {
    private static let own: UInt32 = 4_711
    private static let filter = SystemCallFilter(own: own)

    /// libpcap reads words with the highest byte first.
    private static func run(_ number: Int32, _ arguments: [UInt64] = [], architecture: UInt32? = SystemCallFilter.architecture) -> UInt32 {
        var words = [UInt32(bitPattern: number), architecture ?? 0, 0, 0]
        for index in 0..<6 {
            let argument = index < arguments.count ? arguments[index] : 0
            words += [UInt32(truncatingIfNeeded: argument), UInt32(truncatingIfNeeded: argument >> 32)]
        }
        let bytes = words.flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) } }
        let program = filter.instructions.map { bpf_insn(code: $0.code, jt: $0.yes, jf: $0.no, k: $0.value) }
        return unsafe bpf_filter(program, bytes, UInt32(bytes.count), UInt32(bytes.count))
    }

    private static func answer(_ number: Int32, _ arguments: UInt64...) -> SystemCallFilter.Verdict? {
        let value = run(number, arguments)
        return [.allow, .kill, .refuse(EPERM), .refuse(ENOSYS)].first { $0.value == value }
    }

    @Test func theProgramIsOne() {
        let program = Self.filter.instructions.map { bpf_insn(code: $0.code, jt: $0.yes, jf: $0.no, k: $0.value) }
        #expect(unsafe bpf_validate(program, Int32(program.count)) == 1)
        // The kernel's bound.
        #expect(program.count < 4_096)
    }

    /// What `strace` shows of imports, and what libc does behind allocation, threads and random numbers.
    @Test(arguments: [
        SYS_read, SYS_write, SYS_pread64, SYS_pwrite64, SYS_openat, SYS_close, SYS_newfstatat, SYS_fstat, SYS_lseek, SYS_mkdirat, SYS_unlinkat,
        SYS_renameat2, SYS_ftruncate, SYS_fsync, SYS_fdatasync, SYS_flock, SYS_getdents64, SYS_mmap, SYS_mprotect, SYS_munmap, SYS_mremap,
        SYS_madvise, SYS_brk, SYS_futex, SYS_getrandom, SYS_clock_gettime, SYS_clock_nanosleep, SYS_rt_sigaction, SYS_rt_sigprocmask,
        SYS_rt_sigreturn, SYS_sigaltstack, SYS_exit_group, SYS_exit, SYS_gettid, SYS_getpid, SYS_sched_getaffinity, SYS_setpriority,
        SYS_set_robust_list, 334 /* rseq on x86-64 */, SYS_membarrier, SYS_statx, SYS_fallocate, SYS_eventfd2, SYS_epoll_pwait, SYS_sched_yield,
        SYS_readlinkat, SYS_faccessat, SYS_getrusage, SYS_sysinfo, SYS_uname, 439 /* faccessat2 */,
    ]) func whatAnImportNeedsIsAllowed(number: Int32) {
        #expect(Self.answer(number) == .allow)
    }

    @Test func theRestIsRefused() {
        for number in DeniedCalls.always { #expect(Self.answer(number) == .refuse(EPERM), "\(number)") }
        for number in [SYS_socket, SYS_connect, SYS_execve, SYS_execveat, SYS_ptrace, SYS_bpf, SYS_mount, SYS_unshare, 425] {
            #expect(DeniedCalls.always.contains(number))
        }
        #expect(Set(DeniedCalls.always).count == DeniedCalls.always.count)
    }

    @Test func otherProcessorsAndNumbersEndIt() {
        // i386 on x86-64, ARM on ARM64: the same kernel with other numbers.
        for other: UInt32 in [0x4000_0003, 0x4000_0028, 0, 0xffff_ffff] {
            #expect(Self.run(SYS_read, architecture: other) == SystemCallFilter.Verdict.kill.value)
        }
        #if arch(x86_64)
            for number in [SYS_read, SYS_socket, 520] { #expect(Self.answer(number | 0x4000_0000) == .kill) }
        #endif
    }

    @Test func threadsAreMadeAndNothingElse() {
        // As glibc asks for a thread.
        #expect(Self.answer(SYS_clone, 0x003d_0f00) == .allow)
        // As glibc forks, and as it starts programs.
        #expect(Self.answer(SYS_clone, 0x0120_0011) == .refuse(EPERM))
        #expect(Self.answer(SYS_clone, 0x4111) == .refuse(EPERM))
        #expect(Self.answer(SYS_clone, 0) == .refuse(EPERM))
        for bit in [17, 25, 26, 27, 28, 29, 30] { #expect(Self.answer(SYS_clone, 0x003d_0f00 | 1 << bit) == .refuse(EPERM)) }
        #expect(Self.answer(435) == .refuse(ENOSYS))
    }

    @Test(arguments: [SYS_kill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo]) func signalsAreForItself(number: Int32) {
        #expect(Self.answer(number, UInt64(Self.own)) == .allow)
        // The kernel looks at 32 bits, so what stands above them must not matter.
        #expect(Self.answer(number, 1 << 32 | UInt64(Self.own)) == .allow)
        for other: UInt64 in [0, 1, 4_710, 4_712, .max, UInt64(UInt32.max)] { #expect(Self.answer(number, other) == .refuse(EPERM)) }
    }

    @Test func someCommandsAreRefused() {
        for value: UInt64 in [0x5412, 0x541c, 0x540e, 0x8901, 0x8902] {
            #expect(Self.answer(SYS_ioctl, 0, value) == .refuse(EPERM))
            #expect(Self.answer(SYS_ioctl, 0, 0xffff_ffff_0000_0000 | value) == .refuse(EPERM))
            #expect(Self.answer(SYS_ioctl, value, 0x5413) == .allow)
        }
        for value: UInt64 in [8, 10, 15] { #expect(Self.answer(SYS_fcntl, 0, value) == .refuse(EPERM)) }
        for value: UInt64 in [1, 2, 3, 4, 6, 1030] { #expect(Self.answer(SYS_fcntl, 8, value) == .allow) }
        for value: UInt64 in [1, 4, 35, 0x5961_6d61] { #expect(Self.answer(SYS_prctl, value) == .refuse(EPERM)) }
        for value: UInt64 in [15, 16, 38, 0x5356_4d41] { #expect(Self.answer(SYS_prctl, value) == .allow) }
        #expect(Self.answer(SYS_prlimit64, 0) == .allow && Self.answer(SYS_prlimit64, UInt64(Self.own)) == .allow)
        #expect(Self.answer(SYS_prlimit64, 1) == .refuse(EPERM))
    }
}
