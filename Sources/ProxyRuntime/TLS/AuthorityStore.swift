import Captures
import Glibc

/// Where this installation's CA is, and that there is one (trust.md T1, T2).
package struct AuthorityStore: Sendable {
    package let directory: String
    private static let file = "authority.pem"

    /// - Parameter directory: nil = `$XDG_STATE_HOME/miswire/ca`, else `~/.local/state/miswire/ca`.
    package init(_ directory: String? = nil, environment: (String) -> String? = AuthorityStore.variable) throws(TLSProblem) {
        if let directory {
            guard !directory.isEmpty else { throw TLSProblem("--ca-dir names no directory") }
            self.directory = directory
        } else if let state = environment("XDG_STATE_HOME"), state.hasPrefix("/") {
            self.directory = state + "/miswire/ca"
        } else if let home = environment("HOME"), home.hasPrefix("/") {
            self.directory = home + "/.local/state/miswire/ca"
        } else {
            throw TLSProblem(
                "nothing says where the CA is to be", found: "neither HOME nor XDG_STATE_HOME is set", remedy: "name a directory with --ca-dir")
        }
    }

    package static func variable(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    package var path: String { "\(directory)/\(Self.file)" }

    /// The CA that is there; nil when none is.
    package func load() throws(TLSProblem) -> Authority? {
        var info = stat()
        if unsafe lstat(directory, &info) != 0, errno == ENOENT { return nil }
        return try read(try PrivateDirectory.open(directory))
    }

    /// The CA that is there, or else a new one: of any number of starts at once one makes it and all have it.
    /// - Parameters:
    ///   - names: nil = those that the CA has, loopback alone for a new one.
    ///   - now: seconds since 1970.
    package func obtain(_ names: CANames?, at now: Int64) throws(TLSProblem) -> Authority {
        let place = try PrivateDirectory.make(directory)
        try place.lock()
        guard let authority = try read(place) else { return try make(names ?? .loopback, in: place, at: now) }
        if let names, !authority.names.covers(names) {
            let all = authority.names.words + names.words.filter { !authority.names.words.contains($0) }
            throw TLSProblem(
                "the CA does not vouch for all of --ca-names", place: path,
                found: "it vouches for \((["loopback"] + authority.names.words).joined(separator: ", "))",
                remedy: "miswire ca create --renew --ca-names \(PrivateDirectory.shell(all.joined(separator: ",")))")
        }
        guard authority.ends > now else {
            throw TLSProblem(
                "the CA has expired", place: path, found: "it ended on \(UTCDay.text(authority.ends))",
                remedy: "miswire ca create --renew, and trust the new one")
        }
        return authority
    }

    /// A new CA in place of any that is there: its key and every trust in it are worth nothing any more.
    package func renew(_ names: CANames, at now: Int64) throws(TLSProblem) -> Authority {
        let place = try PrivateDirectory.make(directory)
        try place.lock()
        return try make(names, in: place, at: now)
    }

    private func make(_ names: CANames, in place: borrowing PrivateDirectory, at now: Int64) throws(TLSProblem) -> Authority {
        ProcessSecrecy.begin()
        let authority = try Authority(names: names, at: now)
        try place.write(Array(try authority.stored().utf8), as: Self.file)
        return authority
    }

    private func read(_ place: borrowing PrivateDirectory) throws(TLSProblem) -> Authority? {
        // Before the first byte of the key is in memory (trust.md T7).
        ProcessSecrecy.begin()
        guard let bytes = try place.read(Self.file) else { return nil }
        return try Authority(stored: String(decoding: bytes, as: UTF8.self), place: path)
    }
}
