package import ArgumentParser
import Foundation
import ProxyRuntime
import Reporting

/// `miswire ca`: the CA of this installation, which certificates of `miswire proxy --tls` come from.
package struct CAVerb: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "ca", abstract: "Make the own CA, show it, export its certificate, and say how clients trust it.",
        discussion: """
            miswire ca create --ca-names '*.staging.example'
            miswire ca show
            miswire ca export --out miswire-ca.pem
            miswire ca trust
            """,
        subcommands: [CACreate.self, CAShow.self, CAExport.self, CATrust.self])
    package init() {}
}

/// `miswire ca create`
package struct CACreate: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make the CA: 90 days, for loopback and the hosts that are named, for no other.",
        discussion: """
            miswire ca create
            miswire ca create --ca-names '*.staging.example,10.0.4.17'
            miswire ca create --renew                              a new key: whoever trusted the old one must trust it anew
            """)
    @Option(name: .customLong("ca-names"), help: "Hosts besides loopback: names with all under them, addresses; commas between.")
    var names: String?
    @Flag(help: "Replace the CA that is there. Without --ca-names its names stay.")
    var renew = false
    @OptionGroup var place: CAPlace
    @OptionGroup var looks: Looks
    package init() {}

    package func run() throws {
        let console = Console(looks: looks)
        let store = try place.store()
        let now = Int64(Date().timeIntervalSince1970)
        do {
            let wanted = try names.map { try CANames([$0]) }
            let isNew = try renew || store.load() == nil
            let authority = renew
                ? try store.renew(try wanted ?? store.load()?.names ?? .loopback, at: now) : try store.obtain(wanted, at: now)
            let form = CAForm(authority: authority, path: store.path, now: now)
            if looks.json { return form.emit("create", console) }
            console.answer((isNew ? "made" : "there already") + "\n" + form.text())
            if isNew { console.talk("next: \(place.command("trust"))\n") }
        } catch let error as TLSProblem { throw TLSComplaint.of(error) }
    }
}

/// `miswire ca show`
package struct CAShow: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Names, dates and fingerprint of the CA.", discussion: "miswire ca show\nmiswire ca show --json")
    @OptionGroup var place: CAPlace
    @OptionGroup var looks: Looks
    package init() {}

    package func run() throws {
        let console = Console(looks: looks)
        let form = try CAForm.there(place)
        if looks.json { form.emit("show", console) } else { console.answer(form.text()) }
    }
}

/// `miswire ca export`
package struct CAExport: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Give out the certificate. The key is never given out.",
        discussion: "miswire ca export > miswire-ca.pem\nmiswire ca export --form der --out miswire-ca.der")

    package enum Form: String, ExpressibleByArgument, CaseIterable, Sendable { case pem, der }
    @Option(help: "pem or der.")
    var form: Form = .pem
    @Option(help: "The file to write. Default: standard output, for pem.")
    var out: String?
    @OptionGroup var place: CAPlace
    @OptionGroup var looks: Looks
    package init() {}

    package func run() throws {
        let console = Console(looks: looks)
        let ca = try CAForm.there(place)
        let bytes = form == .pem ? Data(ca.authority.certificatePEM.utf8) : Data(ca.authority.certificateDER)
        guard let out else {
            if looks.json { return ca.emit("export", console, pem: true) }
            guard form == .pem else {
                throw Complaint("der is no text", details: [("remedy", "add --out miswire-ca.der")], exit: .usage)
            }
            return console.answer(ca.authority.certificatePEM)
        }
        do { try bytes.write(to: URL(fileURLWithPath: out), options: .atomic) } catch {
            throw Complaint(
                "the certificate cannot be written", details: [("place", SafeText.show(out)), ("remedy", "name another file")], exit: .usage)
        }
        if looks.json { ca.emit("export", console, pem: true) } else { console.talk("wrote \(SafeText.show(out))\n") }
    }
}

/// `miswire ca trust`
package struct CATrust: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "trust", abstract: "Print the commands by which clients trust the CA, and how to take that back.",
        discussion: "miswire ca trust")
    @OptionGroup var place: CAPlace
    @OptionGroup var looks: Looks
    package init() {}

    package func run() throws {
        let console = Console(looks: looks)
        let ca = try CAForm.there(place)
        if looks.json {
            for way in TrustWay.all {
                console.emit(
                    JSONLine("trust", time: Console.utc()).adding("client", way.client).adding("commands", way.commands)
                        .adding("removal", way.removal))
            }
            return console.emit(.summary("ca", .pass, time: Console.utc()))
        }
        console.answer(TrustWay.text(ca, place))
    }
}

/// The CA, in both forms.
struct CAForm {
    var authority: Authority
    var path: String
    var now: Int64

    static func there(_ place: CAPlace) throws -> CAForm {
        let store = try place.store()
        do {
            guard let authority = try store.load() else {
                throw Complaint(
                    "there is no CA", details: [("place", SafeText.show(store.directory)), ("remedy", place.command("create"))], exit: .usage)
            }
            return CAForm(authority: authority, path: store.path, now: Int64(Date().timeIntervalSince1970))
        } catch let error as TLSProblem { throw TLSComplaint.of(error) }
    }

    var names: String { (["loopback"] + authority.names.words).joined(separator: ", ") }

    func text() -> String {
        let left = authority.days(at: now)
        let days = left > 0 ? "\(Figures.plural(left, "day")) left" : "over; `miswire ca create --renew`"
        return """
              subject      \(SafeText.show(authority.subject))
              file         \(SafeText.show(path)), key and certificate, yours alone
              names        \(SafeText.show(names))
              valid        \(UTCDay.text(authority.begins)) to \(UTCDay.text(authority.ends)), \(days)
              fingerprint  SHA-256 \(authority.fingerprint)

            """
    }

    func emit(_ part: String, _ console: Console, pem: Bool = false) {
        let time = Console.utc()
        var line = JSONLine("ca", time: time).adding("part", part).adding("subject", authority.subject).adding("file", path)
            .adding("names", ["loopback"] + authority.names.words).adding("from", UTCDay.text(authority.begins))
            .adding("until", UTCDay.text(authority.ends)).adding("sha256", authority.fingerprint)
        if pem { line = line.adding("certificate", authority.certificatePEM) }
        console.emit(line)
        console.emit(.summary("ca", .pass, time: time))
    }
}

/// How one kind of client is told to trust a CA, and to trust it no more.
struct TrustWay {
    var client: String
    var commands: [String]
    var removal: String

    static let file = "miswire-ca.pem"

    static let all = [
        TrustWay(client: "curl", commands: ["curl --cacert \(file) https://localhost:9443/"], removal: "leave --cacert out"),
        TrustWay(
            client: "Chromium, Chrome (NSS, ~/.pki/nssdb)",
            commands: [
                "mkdir -p ~/.pki/nssdb && certutil -d sql:$HOME/.pki/nssdb -N --empty-password   # once",
                "certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n miswire -i \(file)",
            ], removal: "certutil -d sql:$HOME/.pki/nssdb -D -n miswire"),
        TrustWay(
            client: "Firefox", commands: ["certutil -d sql:PROFILE-DIRECTORY -A -t C,, -n miswire -i \(file)"],
            removal: "certutil -d sql:PROFILE-DIRECTORY -D -n miswire"),
        TrustWay(
            client: "Python",
            commands: ["SSL_CERT_FILE=\(file) python3 client.py", "ssl.create_default_context(cafile=\"\(file)\")   # in code"],
            removal: "unset SSL_CERT_FILE"),
        TrustWay(client: "Node", commands: ["NODE_EXTRA_CA_CERTS=\(file) node client.js"], removal: "unset NODE_EXTRA_CA_CERTS"),
        TrustWay(
            client: "Java",
            commands: [
                "keytool -importcert -noprompt -alias miswire -file \(file) -keystore miswire.p12 -storetype PKCS12 -storepass miswire",
                "java -Djavax.net.ssl.trustStore=miswire.p12 -Djavax.net.ssl.trustStorePassword=miswire Client.java",
            ], removal: "rm miswire.p12"),
        TrustWay(client: "Go", commands: ["SSL_CERT_FILE=\(file) go run client.go"], removal: "unset SSL_CERT_FILE"),
        TrustWay(
            client: "Debian, Ubuntu: the whole system",
            commands: ["sudo cp \(file) /usr/local/share/ca-certificates/miswire.crt && sudo update-ca-certificates"],
            removal: "sudo rm /usr/local/share/ca-certificates/miswire.crt && sudo update-ca-certificates --fresh"),
    ]

    static func text(_ ca: CAForm, _ place: CAPlace) -> String {
        var lines = ["The CA vouches for \(SafeText.show(ca.names)), until \(UTCDay.text(ca.authority.ends)). Its certificate:"]
        lines.append("  \(place.command("export --out \(file)"))")
        for way in all {
            lines.append("\n\(way.client)")
            lines += way.commands.map { "  " + $0 }
            lines.append("  again without it: \(way.removal)")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
