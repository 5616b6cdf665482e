import CPcap
import Foundation
import Testing

@testable import Captures

/// What a sandboxed process can still do, tried by one: each of these works before, and not after (trust.md T29).
@Suite struct SandboxTests {
    /// Both exist in this kernel, and nothing around us forbids them.
    static let isWhole = miswire_landlock_version() > 0 && miswire_filter_available() == 0

    /// In a process of its own, on a thread of its own that starts no other: there is no way back.
    @Test(.enabled(if: isWhole, "the kernel has no Landlock or no seccomp")) func openConnectAndExecAreRefused() async throws {
        let folder = try Folder()
        for name in ["in.pcap", "other"] { try folder.write(name, "abc") }
        try #require(unsafe mkdir(folder["out"], 0o700) == 0 && mkdir(folder["empty"], 0o700) == 0)
        try folder.write("out/old", "abc")
        _ = unsafe setenv("MISWIRE_TEST_FOLDER", folder.path, 1)
        await #expect(processExitsWith: .success) {
            let path = try #require(unsafe getenv("MISWIRE_TEST_FOLDER").map { unsafe String(cString: $0) })
            Thread.detachNewThread {
                let wrong = Attempts(path).run()
                // The one place where it can say something.
                let number = unsafe open(path + "/out/wrong", O_WRONLY | O_CREAT, 0o600)
                for name in wrong { _ = unsafe write(number, name + "\n", name.utf8.count + 1) }
                exit(0)
            }
            try await Task.sleep(for: .seconds(60))
        }
        let wrong = String(decoding: try folder.read("out/wrong"), as: UTF8.self)
        #expect(wrong.isEmpty, "\(wrong)")
    }

    @Test func grantsAreWhatWasNamed() throws {
        let folder = try Folder()
        try folder.write("a.pcap", "abc")
        try folder.write("x.har", #"{"log":{"entries":[]}}"#)
        try folder.write("odd.json", #" {"log" : {"entries":[]}}"#)
        for name in ["0a1b.jsonl", ".hidden", "with space"] { try folder.write(name, "abc") }
        _ = unsafe symlink("/etc/passwd", folder["link.jsonl"])
        let plain = SandboxGrants(importing: [folder["a.pcap"]], format: nil, keyLog: "k.log", filter: nil, outputs: ["rec"])
        #expect(plain.read == [folder["a.pcap"], "k.log"] && plain.write == ["rec"] && plain.listed.isEmpty)
        for name in ["x.har", "odd.json"] {
            let har = SandboxGrants(importing: [folder[name]], format: nil, keyLog: nil, filter: nil, outputs: [])
            #expect(Set(har.read) == Set(["0a1b.jsonl", "a.pcap", "odd.json", "x.har"].map { folder[$0] }))
            #expect(har.listed == [folder.path])
        }
        let other = SandboxGrants(importing: [folder["odd.json"]], format: "ndjson", keyLog: nil, filter: nil, outputs: [])
        #expect(other.read == [folder["odd.json"]] && other.listed.isEmpty)
        let named = SandboxGrants(importing: [folder["a.pcap"]], format: nil, keyLog: nil, filter: "port http", outputs: [])
        #expect(named.read.contains("/etc/services") && !named.read.contains("/etc/passwd"))
        #expect(SandboxGrants(importing: ["/dev/fd/7"], format: "pcap", keyLog: "/proc/self/fd/9", filter: nil, outputs: []).kept == [7, 9])
    }

    @Test func anOlderKernelIsAskedForLess() {
        #expect(Landlock(version: 1).handledFiles == 0x1fff && Landlock(version: 1).handledNetwork == 0 && Landlock(version: 1).scopes == 0)
        #expect(Landlock(version: 3).handledFiles == 0x7fff && Landlock(version: 3).handledNetwork == 0)
        #expect(Landlock(version: 4).handledNetwork == 3 && Landlock(version: 5).handledFiles == 0xffff)
        #expect(Landlock(version: 7).handledFiles == 0xffff && Landlock(version: 7).scopes == 3)
        #expect(Landlock.writing & 0x1ffff & ~Landlock(version: 3).handledFiles == 0)
        // Rights of directories are no rights of a file: the kernel refuses such a rule.
        #expect(Landlock.ofFile(Landlock.writing) & 1 << 3 == 0 && Landlock.ofFile(Landlock.reading) == 1 << 2)
    }

    @Test func whatTheKernelLacksIsSaid() {
        #expect(Sandbox(landlock: 7, hasFilter: true).warnings.isEmpty && Sandbox(landlock: 7, hasFilter: true).words == "Landlock 7 and seccomp")
        let half = Sandbox(landlock: nil, hasFilter: true)
        #expect(half.words == "seccomp" && half.warnings == ["this kernel has no Landlock: what reads the captures may open every file that you may"])
        #expect(Sandbox(landlock: nil, hasFilter: false).warnings.count == 1 && Sandbox().words == "nothing")
        for code in [ENOSYS, EOPNOTSUPP] { #expect(Refusal(code: code).isUnknownCall) }
        // A container that forbids the question is no old kernel.
        for code in [EPERM, EACCES, E2BIG] { #expect(!Refusal(code: code).isUnknownCall) }
    }

    @Test func ordersAreReadBack() {
        for order in [ImportChild.Order(scratch: nil, parent: 12), ImportChild.Order(scratch: "/tmp/a:b", parent: 4_000_000)] {
            #expect(ImportChild.Order(order.text) == order)
        }
        for text in ["", ":", "x:/tmp", "99999999999"] { #expect(ImportChild.Order(text) == nil) }
    }

    @Test func directoriesThatNothingCameIntoAreGone() throws {
        let folder = try Folder()
        var prepared = PreparedDirectories()
        try prepared.make(folder["a/b/rec"])
        #expect(folder.mode("a/b/rec") == 0o700)
        let scratch = try prepared.makeTemporary(in: folder.path)
        #expect(folder.names().count == 2)
        prepared.removeEmpty()
        #expect(folder.names().isEmpty && Directory.kind(scratch) == .missing)
        try prepared.make(folder["a/rec"])
        try folder.write("a/rec/0001.ndjson", "abc")
        prepared.removeEmpty()
        #expect(folder.names("a/rec") == ["0001.ndjson"])
        var other = PreparedDirectories()
        try other.make(folder["a/rec"])
        folder.remove("a/rec/0001.ndjson")
        other.removeEmpty()
        #expect(folder.names("a") == ["rec"], "what was there before stays")
        try folder.write("file", "abc")
        let error = #expect(throws: ImportError.self) { try other.make(folder["file/rec"]) }
        #expect(error?.sentence == "the directory cannot be made")
    }
}

/// What the process tries before and after; names of what went the wrong way.
private struct Attempts {
    private let folder: String
    private let port: UInt16
    private let listener: Int32

    init(_ folder: String) {
        self.folder = folder
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var name = Self.address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        unsafe withUnsafeMutablePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = unsafe bind(listener, $0, length)
                _ = listen(listener, 4)
                _ = unsafe getsockname(listener, $0, &length)
            }
        }
        port = UInt16(bigEndian: name.sin_port)
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    /// An error number, 0 for success.
    private typealias Try = (name: String, expected: Int32, attempt: () -> Int32)

    private func opened(_ path: String, _ flags: Int32) -> Int32 {
        let number = unsafe open(path, flags, 0o600)
        let code = errno
        guard number >= 0 else { return code }
        close(number)
        return 0
    }

    private func code(_ status: Int32) -> Int32 {
        let code = errno
        return status >= 0 ? 0 : code
    }

    private func connected(_ socket: Int32) -> Int32 {
        var address = Self.address(port)
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                code(unsafe connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)))
            }
        }
    }

    /// 0 when the program ran and was waited for.
    private func started() -> Int32 {
        var pid: pid_t = 0
        var none: UnsafeMutablePointer<CChar>?
        let failed = unsafe posix_spawn(&pid, "/bin/true", nil, nil, &none, nil)
        var status: Int32 = 0
        if failed == 0 { unsafe waitpid(pid, &status, 0) }
        return failed != 0 ? failed : status
    }

    private func executed() -> Int32 {
        var none: UnsafeMutablePointer<CChar>?
        return code(unsafe execve("/bin/true", &none, &none))
    }

    func run() -> [String] {
        let sockets = (0..<2).map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        let tries: [Try] = [
            ("read /etc/passwd", EACCES, { opened("/etc/passwd", O_RDONLY) }),
            ("read a file beside", EACCES, { opened(folder + "/other", O_RDONLY) }),
            ("list the directory beside", EACCES, { opened(folder, O_RDONLY | O_DIRECTORY) }),
            ("write the input", EACCES, { opened(folder + "/in.pcap", O_RDWR) }),
            ("make a file outside", EACCES, { opened(folder + "/new", O_WRONLY | O_CREAT) }),
            ("another mode", EPERM, { code(unsafe chmod(folder + "/in.pcap", 0o600)) }),
            ("another time", EPERM, { code(unsafe utimes(folder + "/in.pcap", nil)) }),
            ("cut short", EPERM, { code(unsafe truncate(folder + "/other", 3)) }),
            ("a socket", EPERM, { code(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)) }),
            ("program through libc", EPERM, { started() }),
            ("signal to another process", EPERM, { code(kill(getppid(), 0)) }),
        ]
        var wrong = tries.filter { $0.attempt() != 0 }.map { $0.name + " is refused before" }
        if connected(sockets[0]) != 0 { wrong.append("connect is refused before") }
        _ = unsafe unlink(folder + "/new")
        var grants = SandboxGrants()
        grants.read = [folder + "/in.pcap", folder + "/nothere"]
        grants.write = [folder + "/out"]
        do {
            let sandbox = try Sandbox.restrict(grants)
            try sandbox.prove()
            if sandbox.landlock == nil || !sandbox.hasFilter { wrong.append("there is no sandbox") }
        } catch { wrong.append("\(error)") }
        wrong += tries.filter { $0.attempt() != $0.expected }.map { $0.name + " is not refused" }
        if connected(sockets[1]) != EPERM { wrong.append("connect is not refused") }
        if executed() != EPERM { wrong.append("exec is not refused") }
        let after: [Try] = [
            ("read the input", 0, { opened(folder + "/in.pcap", O_RDONLY) }),
            ("list the output", 0, { opened(folder + "/out", O_RDONLY | O_DIRECTORY) }),
            ("make a segment", 0, { opened(folder + "/out/0001.ndjson", O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW) }),
            ("read a segment", 0, { opened(folder + "/out/0001.ndjson", O_RDONLY) }),
            ("remove a segment", 0, { code(unsafe unlink(folder + "/out/old")) }),
            ("a nameless file", 0, { opened(folder + "/out", 0o20_000_000 | O_DIRECTORY | O_RDWR) }),
            ("make a directory outside", EACCES, { code(unsafe mkdir(folder + "/dir", 0o700)) }),
            ("remove a directory outside", EACCES, { code(unsafe rmdir(folder + "/empty")) }),
            ("remove a file outside", EACCES, { code(unsafe unlink(folder + "/other")) }),
            ("remove the input", EACCES, { code(unsafe unlink(folder + "/in.pcap")) }),
            ("a link in the output", EPERM, { code(unsafe symlink("/etc/passwd", folder + "/out/link")) }),
            // The first Landlock says EXDEV to all that leaves its directory.
            ("moving out", EACCES, { [EACCES, EXDEV].contains(code(unsafe rename(folder + "/out/0001.ndjson", folder + "/stolen"))) ? EACCES : 0 }),
            ("its own signals", 0, { code(kill(getpid(), 0)) }),
        ]
        return wrong + after.filter { $0.attempt() != $0.expected }.map { "\($0.name): \($0.attempt())" }
    }
}
