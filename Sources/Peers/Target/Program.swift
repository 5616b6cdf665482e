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
