import Glibc

/// Which file a command's first word is, and what its process gets to know.
enum Program {
    /// A word with `/` is a path. Others are looked for in PATH; `miswire` that is not there is this program itself, so
    /// that a printed replay line works from a build directory.
    static func find(_ word: String) throws(TargetError) -> String {
        if word.contains("/") {
            guard isExecutable(word) else { throw .cannotStart("\(word) is not an executable file") }
            return word
        }
        for directory in (variable("PATH") ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":") {
            let path = "\(directory)/\(word)"
            if isExecutable(path) { return path }
        }
        if word == "miswire", let own = own() { return own }
        throw .cannotStart("no program \(word) is in PATH")
    }

    static func environment(adding variables: [(String, String)]) -> [String] {
        var texts: [String] = []
        for name in ["PATH", "HOME", "LANG", "TMPDIR"] where !variables.contains(where: { $0.0 == name }) {
            if let value = variable(name) { texts.append("\(name)=\(value)") }
        }
        // A crashing Swift program would otherwise wait for a debugger on its terminal.
        texts.append("SWIFT_BACKTRACE=enable=no")
        return texts + variables.map { "\($0.0)=\($0.1)" }
    }

    private static func isExecutable(_ path: String) -> Bool {
        var status = stat()
        guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
        return unsafe access(path, X_OK) == 0
    }

    private static func variable(_ name: String) -> String? {
        guard let found = unsafe getenv(name) else { return nil }
        return unsafe String(cString: found)
    }

    private static func own() -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0, count < buffer.count else { return nil }
        let path = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return isExecutable(path) ? path : nil
    }
}

/// Ports of 127.0.0.1.
enum FreePort {
    /// One that was free a moment ago.
    static func find() throws(TargetError) -> Int {
        let socket = open()
        guard socket >= 0 else { throw .cannotStart("no socket is left") }
        defer { close(socket) }
        var address = address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        guard bound else { throw .cannotStart("no port of 127.0.0.1 is free") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private static func open() -> Int32 {
        socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}
