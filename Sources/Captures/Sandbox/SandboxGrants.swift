import NIOCore

/// What a process that imports needs to touch, by path: all else is refused.
package struct SandboxGrants: Sendable, Equatable {
    /// Files that are read, and directories that are read with all that is beneath them.
    package var read: [String] = []
    /// Directories whose names are listed, and nothing more.
    package var listed: [String] = []
    /// Directories beneath which files are made, written, read and removed.
    package var write: [String] = []
    /// Descriptors that stay open beside the three streams.
    var kept: [Int32] = []

    package init() {}

    /// - Parameters:
    ///   - format: `--format`, when it was given.
    ///   - filter: names of ports and hosts may stand in it, which libpcap looks up.
    ///   - outputs: directories that are there.
    package init(importing files: [String], format: String?, keyLog: String?, filter: String?, outputs: [String]) {
        read = files + (keyLog.map { [$0] } ?? [])
        write = outputs
        kept = read.compactMap(Self.descriptor)
        if filter != nil { read += Self.names }
        for file in files where Self.mayHaveFilesBeside(file, format) { addFiles(beside: file) }
    }

    /// Where names of ports and of the hosts of this machine stand. Without sockets nobody else is asked.
    static let names = [
        "/etc/services", "/etc/protocols", "/etc/hosts", "/etc/networks", "/etc/ethers", "/etc/nsswitch.conf", "/etc/host.conf",
        "/etc/resolv.conf", "/etc/gai.conf",
    ]

    /// `/dev/fd/3`: a file that the shell has opened.
    private static func descriptor(_ path: String) -> Int32? {
        for folder in ["/dev/fd/", "/proc/self/fd/"] where path.hasPrefix(folder) { return Int32(path.dropFirst(folder.count)) }
        return nil
    }

    // MARK: HAR

    /// A HAR may name a file beside it, whose name is known only once it is parsed, which is too late for asking.
    private static func mayHaveFilesBeside(_ path: String, _ format: String?) -> Bool {
        guard Directory.kind(path) == .file else { return false }
        if let format { return format == HARImporter.name }
        guard let head = try? Directory.head(path, 4_096) else { return false }
        return HARImporter.recognizes(head, name: path)
    }

    /// Exactly those that the importer would open: plain files of a plain name in the same directory (trust.md T31).
    private mutating func addFiles(beside path: String) {
        let directory = Directory.parent(of: path) ?? "."
        guard !listed.contains(directory), let names = try? Directory.names(in: directory) else { return }
        listed.append(directory)
        for name in names where HARRows.isOurs(name) {
            let file = SegmentName.path(directory, name)
            if let links = try? Directory.names(of: file), links > 0 { read.append(file) }
        }
    }
}
