import ArgumentParser
import Foundation
import ProxyRuntime
import Reporting

/// Where the CA of this installation is.
struct CAPlace: ParsableArguments {
    @Option(
        name: .customLong("ca-dir"),
        help: "The CA's directory. Default: MISWIRE_CA_DIR, else miswire/ca in XDG_STATE_HOME or ~/.local/state.")
    var directory: String?

    /// A line that concerns the same CA.
    func command(_ words: String) -> String { "miswire ca \(words)" + (directory.map { " --ca-dir \(FuzzCommandLine.quoted($0))" } ?? "") }

    func store() throws -> AuthorityStore {
        do { return try AuthorityStore(directory ?? AuthorityStore.variable("MISWIRE_CA_DIR")) } catch { throw TLSComplaint.of(error) }
    }
}

/// TLS towards clients and towards a `wss://` target.
struct TLSArguments: ParsableArguments {
    @Flag(help: "Clients come by wss, or with --forward TLS inside CONNECT is opened: certificates are made by the own CA (`miswire ca`).")
    var tls = false
    @Option(help: "As --tls, with this certificate (PEM, the chain behind it) instead.")
    var cert: String?
    @Option(help: "The private key of --cert (PEM).")
    var key: String?
    @Option(name: .customLong("ca-names"), help: "Hosts that the own CA may vouch for besides loopback: '*.staging.example,10.0.4.17'.")
    var names: String?
    @OptionGroup var place: CAPlace
    @Option(name: .customLong("ca-file"), help: "CAs that the target's certificate may come from (PEM). Default: the system's.")
    var authorities: String?
    @Flag(name: .customLong("insecure-upstream"), help: "Take any certificate of the target. Said in every report.")
    var isInsecure = false
    @Option(name: .customLong("client-cert"), help: "What a target is shown that asks who we are (PEM).")
    var clientCertificate: String?
    @Option(name: .customLong("client-key"), help: "The private key of --client-cert (PEM).")
    var clientKey: String?
    @Option(name: .customLong("server-name"), help: "The host to ask the target for, and to find in its certificate. Default: the URL's.")
    var serverName: String?
    @Option(name: .customLong("key-log"), help: "Write TLS secrets for Wireshark there. Default: SSLKEYLOGFILE.")
    var keyLog: String?

    var isWanted: Bool { tls || cert != nil || key != nil }

    private func join(_ options: inout UpstreamTLS.Options) {
        options.authorities = authorities ?? options.authorities
        options.isInsecure = isInsecure || options.isInsecure
        options.certificate = clientCertificate
        options.key = clientKey
        options.serverName = serverName
    }

    /// What is said here holds for all listeners; of what their file says of each, the rest.
    /// - Parameters:
    ///   - names: listeners that get certificates of the own CA by their file.
    ///   - now: seconds since 1970.
    func apply(to options: inout ProxyOptions, minted names: Set<String>, at now: Int64) throws {
        do {
            let isMinted = !names.isEmpty
            let listener = try identity(isMinted: isMinted, at: now)
            options.changeRoutes { if isWanted || names.contains($0.name) { $0.tls.listener = listener } }
            try checkName(options.routes)
            // Where some listeners speak it these words are theirs; where none does it is told.
            let isSpoken = options.routes.contains(where: \.speaksTLSToServer)
            options.changeRoutes { if $0.speaksTLSToServer || !isSpoken { join(&$0.tls.upstream) } }
            guard isSpoken || keyLog != nil || options.routes.contains(where: { $0.tls.listener != nil }) else { return }
            let path = keyLog ?? AuthorityStore.variable("SSLKEYLOGFILE")
            guard let path, !path.isEmpty else { return }
            let log = try KeyLogWriter(path)
            options.changeRoutes { $0.tls.keyLog = log }
        } catch let error as TLSProblem { throw TLSComplaint.of(error) }
    }

    private func checkName(_ routes: [Route]) throws {
        guard let serverName, routes.contains(where: { $0.upstream == nil }) else { return }
        throw Complaint(
            "--server-name is the name of one server, and a forward proxy has many",
            details: [("found", "--server-name \(SafeText.show(serverName))"), ("remedy", "leave it out: each is asked for the name that CONNECT gave")],
            exit: .usage)
    }

    private func identity(isMinted: Bool, at now: Int64) throws -> ListenerTLS.Identity? {
        guard isWanted || isMinted else {
            if names != nil {
                throw Complaint(
                    "--ca-names says for whom certificates are made, and nothing needs one", details: [("remedy", "add --tls")], exit: .usage)
            }
            return nil
        }
        switch (cert, key) {
        case (let certificate?, let key?):
            guard names == nil else {
                throw Complaint(
                    "--cert is shown as it is, so that --ca-names has no meaning beside it", details: [("remedy", "leave one of them out")],
                    exit: .usage)
            }
            return .files(certificate: certificate, key: key)
        case (nil, nil):
            let names = try self.names.map { try CANames([$0]) }
            return .authority(try place.store().obtain(names, at: now))
        default:
            throw Complaint(
                "a certificate and its key come together", details: [("expected", "both --cert and --key")], exit: .usage)
        }
    }
}

/// Errors of certificates and keys in the words of looks.md section 4.
enum TLSComplaint {
    static func of(_ problem: TLSProblem) -> Complaint {
        let details: [(String, String?)] = [
            ("place", problem.place), ("expected", problem.expected), ("found", problem.found), ("remedy", problem.remedy),
        ]
        return Complaint(
            SafeText.show(problem.sentence), details: details.compactMap { label, text in text.map { (label, SafeText.show($0)) } },
            exit: .usage)
    }
}

/// What a run says of its TLS before it begins, and what is on the record of whoever turned something off.
enum TLSBanner {
    /// Whose certificate is taken as it is.
    static func unverified(_ options: ProxyOptions) -> String {
        let names = options.routes.filter { $0.isUnverified && !$0.name.isEmpty }.map { SafeText.show($0.name) }
        if !names.isEmpty { return "the certificates of targets of \(names.joined(separator: ", "))" }
        return options.upstream == nil ? "any target's certificate" : "the target's certificate"
    }

    static func lines(_ options: ProxyOptions, _ authority: Authority?, at now: Int64) -> [String] {
        var lines: [String] = []
        if let authority {
            let names = (["loopback"] + authority.names.words).joined(separator: ", ")
            lines.append("  CA        \(SafeText.show(names)), until \(UTCDay.text(authority.ends)); `miswire ca trust` says how to trust it")
            if authority.ends - now < Authority.nearEnd {
                let days = Figures.plural(authority.days(at: now), "day")
                lines.append("  warning   the CA ends in \(days): `miswire ca create --renew`, and trust the new one")
            }
        }
        if options.isUnverified { lines.append("  NOT VERIFIED  \(TLSBanner.unverified(options)) (--insecure-upstream)") }
        if let log = options.tls.keyLog { lines.append("  key log   \(SafeText.show(log.path)): whoever has it reads this traffic") }
        return lines
    }
}
