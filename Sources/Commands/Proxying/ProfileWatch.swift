import Contracts
import Faults
import Foundation
import Journaling
import Profiles
import ProxyRuntime
import Reporting

#if canImport(Glibc)
    import Glibc
#endif

/// Reads the profiles of a listener of a running proxy again: on SIGHUP, and when one of their files is another than it was.
/// Whatever is wrong with them, the last good one stays on.
actor ProfileWatch {
    /// What tells one version of a file from another; editors that write beside and rename change the inode.
    private struct Print: Equatable {
        var path: String
        var inode: UInt64
        var size: Int64
        var seconds: Int
        var nanoseconds: Int
    }

    private let names: [String]
    /// Its listener's place among those of the proxy.
    private let place: Int
    private let loader: ProfileLoader
    private let server: ProxyServer
    private let form: ProxyForm
    private let accept: @Sendable (Profile) -> (Profile, objection: String?)
    private var files: [String]
    private var prints: [Print]
    private var isMissing = false

    /// - Parameter accept: the profile as it is to be used, and why it must not be.
    init(
        _ names: [String], of place: Int, server: ProxyServer, form: ProxyForm, loader: ProfileLoader = ProfileLoader(),
        accept: @escaping @Sendable (Profile) -> (Profile, objection: String?)
    ) {
        self.names = names
        self.place = place
        self.loader = loader
        self.server = server
        self.form = form
        self.accept = accept
        files = (try? loader.files(names)) ?? []
        prints = Self.prints(files)
    }

    /// Looks once a second, off the event loops, until it is cancelled.
    func watch() async {
        guard !files.isEmpty else { return }
        while (try? await Task.sleep(for: .seconds(1))) != nil { look() }
    }

    func look() {
        let now = Self.prints(files)
        guard now != prints else { return isMissing = false }
        // Between the two steps of a rename there is no file: that is no change yet.
        if now.count < prints.count, !isMissing { return isMissing = true }
        isMissing = false
        reload()
    }

    func reload() {
        prints = Self.prints(files)
        let faults = server.faults[place]
        let hash = faults.profile?.hash ?? ""
        do throws(ConfigurationErrors) {
            let profile = try loader.load(names)
            let (used, objection) = accept(profile)
            if let objection { return keep(hash, "\(SafeText.show(profile.name)) is not taken", objection) }
            files = try loader.files(names)
            prints = Self.prints(files)
            if used.hash == hash { return }
            server.apply(used, to: place)
            let count = used.faults.isEmpty ? "no faults" : Figures.plural(used.faults.count, "fault")
            let off = server.faultsAreStopped ? ", which stay off" : ""
            let listener = faults.listener.isEmpty ? "" : "\(faults.listener): "
            form.profileChanged("\(listener)\(SafeText.show(used.name)) \(used.hash) is on: \(count)\(off)", at: server.now)
        } catch {
            let first = error.errors.first { $0.severity == .error }
            let place = first.map { found in found.spot.map { "\(found.file):\($0.line):\($0.column)" } ?? found.file }
                ?? names.joined(separator: " ")
            keep(hash, "\(SafeText.show(place)) does not parse", first?.message ?? "")
        }
    }

    private func keep(_ hash: String, _ what: String, _ why: String) {
        let line = "\(what); \(hash) stays on"
        server.note("profile: \(line)")
        form.profileKept(line, SafeText.show(why), at: server.now)
    }

    private static func prints(_ files: [String]) -> [Print] {
        files.compactMap { path in
            var status = stat()
            guard unsafe stat(path, &status) == 0 else { return nil }
            return Print(
                path: path, inode: UInt64(status.st_ino), size: Int64(status.st_size), seconds: status.st_mtim.tv_sec,
                nanoseconds: status.st_mtim.tv_nsec)
        }
    }
}
