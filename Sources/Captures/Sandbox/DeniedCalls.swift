import CPcap
import Glibc

/// System calls that nothing which reads files and writes a recording has a use for.
///
/// Numbers from 424 up are the same on all processors and stand as numbers, because the headers of a build machine may be
/// older than the kernel that the program meets.
enum DeniedCalls {
    static let always: [Int32] =
        network + processes + files + namesAndRights + mounts + kernel + otherProcesses + sharedMemory + ofOneProcessor

    /// Also on descriptors that were inherited.
    static let network: [Int32] = [
        SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_sendto, SYS_sendmsg,
        SYS_sendmmsg, SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg, SYS_setsockopt, SYS_shutdown,
    ]

    static let processes: [Int32] = [SYS_execve, SYS_execveat, SYS_setsid, SYS_setpgid, SYS_personality]

    /// What Landlock does not look at, or not in its first versions: attributes of files that are named, links, devices.
    static let files: [Int32] = [
        SYS_fchmod, SYS_fchmodat, 452 /* fchmodat2 */, SYS_fchown, SYS_fchownat, SYS_utimensat, SYS_truncate, SYS_linkat,
        SYS_symlinkat, SYS_mknodat, SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_removexattr, SYS_lremovexattr,
        SYS_fremovexattr, 463 /* setxattrat */, 466 /* removexattrat */, 469 /* file_setattr */, SYS_name_to_handle_at,
        SYS_open_by_handle_at, SYS_fanotify_init, SYS_fanotify_mark, SYS_quotactl, 443 /* quotactl_fd */,
    ]

    static let namesAndRights: [Int32] = [
        SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setfsuid, SYS_setfsgid,
        SYS_setgroups, SYS_capset, SYS_add_key, SYS_request_key, SYS_keyctl,
    ]

    static let mounts: [Int32] = [
        SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_unshare, SYS_setns, 428 /* open_tree */, 429 /* move_mount */,
        430 /* fsopen */, 431 /* fsconfig */, 432 /* fsmount */, 433 /* fspick */, 442 /* mount_setattr */, 467, /* open_tree_attr */
    ]

    static let kernel: [Int32] = [
        SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load,
        SYS_kexec_file_load, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_syslog, SYS_acct, SYS_vhangup, SYS_settimeofday,
        SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime, SYS_sethostname, SYS_setdomainname,
        // Work that the kernel does for us is not seen by a filter.
        425 /* io_uring_setup */, 426 /* io_uring_enter */, 427 /* io_uring_register */, SYS_io_setup, SYS_io_submit,
    ]

    static let otherProcesses: [Int32] = [
        SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, SYS_tkill, 424 /* pidfd_send_signal */,
        434 /* pidfd_open */, 438 /* pidfd_getfd */, 440 /* process_madvise */, 448 /* process_mrelease */, SYS_migrate_pages,
        SYS_move_pages, SYS_ioprio_set,
    ]

    static let sharedMemory: [Int32] = [
        SYS_shmget, SYS_shmat, SYS_shmctl, SYS_msgget, SYS_msgsnd, SYS_msgrcv, SYS_msgctl, SYS_semget, SYS_semop, SYS_semctl,
        SYS_mq_open, SYS_mq_unlink, SYS_memfd_create, 447 /* memfd_secret */,
    ]

    static let ofOneProcessor: [Int32] = {
        #if arch(x86_64)
            [
                SYS_fork, SYS_vfork, SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat, SYS_link,
                SYS_symlink, SYS_mknod, SYS_iopl, SYS_ioperm, SYS_modify_ldt,
            ]
        #else
            []
        #endif
    }()

    static let clone3: Int32 = 435

    /// The flag of `clone` that makes a thread of the process, and not another process.
    static let thread: UInt32 = 0x0001_0000

    /// Flags of `clone` that make namespaces.
    static let namespaces: UInt32 = 0x7e02_0000

    /// Signals: the first argument is whose.
    static let toOthers: [Int32] = [SYS_kill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo]

    /// What is refused for some values of one argument, of which the kernel looks at the lower half only.
    static let byArgument: [(number: Int32, argument: Int, values: [UInt32])] = [
        // Who dies with whom, who may look into whom, and where the kernel believes the program's parts to be.
        (SYS_prctl, 0, [1 /* PDEATHSIG */, 4 /* DUMPABLE */, 35 /* MM */, 0x5961_6d61 /* PTRACER */]),
        // Keys typed into the terminal that the output goes to; signals for others when something can be read.
        (SYS_ioctl, 1, [0x5412 /* TIOCSTI */, 0x541c /* TIOCLINUX */, 0x540e /* TIOCSCTTY */, 0x8901 /* FIOSETOWN */, 0x8902 /* SIOCSPGRP */]),
        (SYS_fcntl, 1, [8 /* F_SETOWN */, 10 /* F_SETSIG */, 15 /* F_SETOWN_EX */]),
    ]
}
