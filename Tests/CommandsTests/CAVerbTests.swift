import Foundation
import Testing

@testable import Commands

/// `miswire ca` as users run it: one CA that stays, that others cannot read, and a certificate that `openssl` reads alike.
@Suite(.timeLimit(.minutes(3))) struct CAVerbTests {
    private func ca(_ words: [String], in folder: String) async throws -> Program.Outcome {
        try await Program.run(["ca"] + words + ["--ca-dir", "state"], in: folder)
    }

    private func fingerprint(_ outcome: Program.Outcome) -> String? {
        outcome.outLines.first { $0.contains("fingerprint") }?.split(separator: " ").last.map(String.init)
    }

    @Test func madeOnceAndShownAlike() async throws {
        try await Program.inDirectory { folder in
            let none = try await ca(["show"], in: folder)
            #expect(none.code == 4 && none.out.isEmpty)
            #expect(none.err.hasPrefix("error: there is no CA\n") && none.err.contains("remedy    miswire ca create --ca-dir state"))
            let made = try await ca(["create", "--ca-names", "*.staging.example"], in: folder)
            #expect(made.code == 0 && made.out.hasPrefix("made\n") && made.err == "next: miswire ca trust --ca-dir state\n")
            #expect(made.out.contains("names        loopback, *.staging.example"))
            let again = try await ca(["create"], in: folder)
            #expect(again.out == made.out.replacing("made\n", with: "there already\n") && again.err.isEmpty)
            let shown = try await ca(["show", "--json"], in: folder)
            let mark = try #require(fingerprint(made))
            #expect(shown.outLines.first?.contains("\"sha256\":\"\(mark)\"") == true)
            #expect(shown.outLines.last?.contains("\"kind\":\"summary\"") == true)
            // Another key under the same names: whoever trusted the old one does not trust this.
            let renewed = try await ca(["create", "--renew"], in: folder)
            #expect(renewed.code == 0 && fingerprint(renewed) != mark && renewed.out.contains("loopback, *.staging.example"))
        }
    }

    @Test func itsCertificateAndNeverItsKey() async throws {
        try await Program.inDirectory { folder in
            let made = try await ca(["create"], in: folder)
            let pem = try await ca(["export"], in: folder)
            #expect(pem.code == 0 && pem.out.hasPrefix("-----BEGIN CERTIFICATE-----\n") && !pem.out.contains("PRIVATE"))
            let key = try String(contentsOfFile: folder + "/state/authority.pem", encoding: .utf8)
                .split(separator: "-----").first { $0.count > 40 && !pem.out.contains($0) }
            let secret = try #require(key).split(separator: "\n").max { $0.count < $1.count }.map(String.init) ?? ""
            #expect(secret.count > 40)
            for words in [["show"], ["show", "--json"], ["trust"], ["trust", "--json"], ["export", "--json"], ["export", "--out", "ca.pem"]] {
                let told = try await ca(words, in: folder)
                #expect(told.code == 0 && !told.out.contains(secret) && !told.err.contains(secret), "\(words)")
            }
            let text = try await ca(["export", "--form", "der"], in: folder)
            #expect(text.code == 4 && text.err.contains("remedy    add --out miswire-ca.der"))
            _ = try await ca(["export", "--form", "der", "--out", "ca.der"], in: folder)
            for (file, form) in [("ca.pem", "PEM"), ("ca.der", "DER")] {
                let seen = try openssl(["x509", "-in", file, "-inform", form, "-noout", "-fingerprint", "-sha256"], in: folder)
                #expect(seen.split(separator: "=").last.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) } == fingerprint(made), "\(file)")
            }
        }
    }

    private func openssl(_ words: [String], in folder: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = words
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }

    /// T2: what others could read is not used, and the remedy is the command.
    @Test func whatOthersCouldReadIsRefused() async throws {
        try await Program.inDirectory { folder in
            _ = try await ca(["create"], in: folder)
            for (path, mode, right) in [("state", 0o755, "0700"), ("state/authority.pem", 0o640, "0600")] {
                let file = folder + "/" + path
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
                for words in [["show"], ["create"], ["export"], ["trust"]] {
                    let refused = try await ca(words, in: folder)
                    #expect(refused.code == 4 && refused.out.isEmpty && refused.err.contains("chmod \(right) "), "\(words) \(refused.err)")
                }
                try FileManager.default.setAttributes([.posixPermissions: mode & 0o700], ofItemAtPath: file)
            }
            let well = try await ca(["show"], in: folder)
            #expect(well.code == 0, "\(well.err)")
        }
    }

    @Test func everyClientHasItsWay() async throws {
        try await Program.inDirectory { folder in
            _ = try await ca(["create"], in: folder)
            let told = try await ca(["trust"], in: folder)
            for client in ["curl", "Chromium", "NSS", "Python", "Node", "Java", "Go"] { #expect(told.out.contains(client), "\(client)") }
            #expect(told.out.contains("  miswire ca export --out miswire-ca.pem --ca-dir state\n"))
            #expect(told.out.split(separator: "\n").filter { $0.contains("again without it: ") }.count >= 7)
        }
    }
}
