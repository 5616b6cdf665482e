import Glibc

/// Of a process that holds a key or a token nothing may remain on the disk when it dies, and nobody may look into it
/// (trust.md T7).
package enum ProcessSecrecy {
    /// No core file, no dump, no `ptrace` by others of the same user. Cannot be taken back, and need not be.
    package static func begin() {
        try? SandboxCalls.limit(RLIMIT_CORE, to: 0)
        SandboxCalls.hideMemory()
    }

    /// Whether the memory of this process can be dumped or looked at.
    package static var isHidden: Bool { SandboxCalls.memoryIsHidden }
}
