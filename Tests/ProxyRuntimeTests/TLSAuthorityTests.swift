import Captures
import Crypto
import Faults
import Foundation
import NIOSSL
import SwiftASN1
import Testing
import X509

@testable import ProxyRuntime

/// The own CA: one of it, for nobody else to read, good for few names (trust.md T1 to T5).
@Suite(.ownThreads, .timeLimit(.minutes(3))) struct TLSAuthorityTests {
    private let now = MonotonicClock.wall / 1_000_000_000

    /// A directory of its own, gone afterwards.
    private func within<Result>(_ body: (String) async throws -> Result) async throws -> Result {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("miswire-ca-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await body(path)
    }

    private func mode(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    // MARK: Names

    @Test func namesStandForThemselvesAndWhatIsUnderThem() throws {
        let names = try CANames(["*.Staging.example, chat.test", "10.0.4.17", "::2"])
        #expect(names.domains == ["localhost", "staging.example", "chat.test"])
        for good in ["localhost", "a.localhost", "STAGING.example", "x.y.staging.example", "chat.test", "127.0.0.1", "127.9.9.9", "::1", "10.0.4.17", "::2"] {
            #expect(names.covers(good), "\(good)")
        }
        for bad in [
            "example", "evilstaging.example", "staging.example.evil", "10.0.4.18", "::3", "", ".", "localhost.", "a..localhost", "*.localhost",
            "-a.localhost", "a b.localhost", "a\0.localhost", "localhost\n", "ünlaut.localhost", String(repeating: "a", count: 64) + ".localhost",
        ] {
            #expect(!names.covers(bad), "\(bad)")
        }
        #expect(CANames.loopback.isLoopbackOnly)
        #expect(try CANames([""]).isLoopbackOnly)
    }

    @Test(arguments: ["*", "*.com", "com", "de", "*.uk", "a..b", "-x.example", "x_.*", "host name!", "http://a.example"])
    func namesThatNoCAIsMadeFor(word: String) {
        #expect(throws: TLSProblem.self) { try CANames([word]) }
    }

    // MARK: T3

    @Test func itsCertificateIsBoundInTimeDepthAndNames() throws {
        let authority = try Authority(names: CANames(["*.staging.example,10.0.4.17"]), at: now)
        let certificate = authority.certificate
        #expect(authority.begins == now - 48 * 3_600)
        #expect(authority.ends == now + 90 * 86_400)
        // A day that has begun counts: what `ca create` says is what `ca create` says a second later.
        let left = [(0, 90), (1, 90), (86_399, 90), (86_400, 89), (90 * 86_400 - 1, 1), (90 * 86_400, 0), (91 * 86_400, 0)]
        for (later, days) in left { #expect(authority.days(at: now + Int64(later)) == days, "\(later)") }
        #expect(try certificate.extensions.basicConstraints == .isCertificateAuthority(maxPathLength: 0))
        for id in ["2.5.29.19", "2.5.29.30", "2.5.29.15"] {
            #expect(certificate.extensions.contains { "\($0.oid)" == id && $0.critical }, "\(id) is critical")
        }
        let stored = try Authority(stored: try authority.stored(), place: "x")
        #expect(stored.names == authority.names)
        #expect(stored.fingerprint == authority.fingerprint)
        #expect(stored.names.words == ["*.staging.example", "10.0.4.17"])
    }

    /// Made past all checks of ours, by whoever has the key.
    private func smuggled(_ name: String, _ authority: Authority) throws -> Certificate {
        let secret = try #require(try PEMDocument.parseMultiple(pemString: authority.stored()).first { $0.discriminator == "PRIVATE KEY" })
        let own = P256.Signing.PrivateKey()
        let subject = try DistinguishedName { CommonName("miswire proxy") }
        let key = SubjectKeyIdentifier(hash: .init(own.publicKey))
        return try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(own.publicKey), notValidBefore: Date(timeIntervalSinceNow: -60),
            notValidAfter: Date(timeIntervalSinceNow: 3_600), issuer: authority.certificate.subject, subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                SubjectAlternativeNames([
                    CANames.address(name).map { .ipAddress(ASN1OctetString(contentBytes: $0[...])) } ?? .dnsName(name)
                ])
                key
                AuthorityKeyIdentifier(keyIdentifier: try? authority.certificate.extensions.subjectKeyIdentifier?.keyIdentifier)
            }, issuerPrivateKey: .init(try P256.Signing.PrivateKey(derRepresentation: secret.derBytes)))
    }

    @Test func twoVerifiersRefuseALeafOutside() async throws {
        try await within { path in
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let narrow = try Authority(names: CANames(["*.staging.example"]), at: now)
            for name in ["a.staging.example", "localhost", "127.0.0.1", "evil.example", "10.0.4.17"] {
                let isInside = narrow.names.covers(name)
                #expect(isInside == ["a.staging.example", "localhost", "127.0.0.1"].contains(name))
                if !isInside { #expect(throws: TLSProblem.self) { try narrow.leaf(.ordinary([name], at: now), for: .init()) } }
                let leaf = isInside ? try narrow.leaf(.ordinary([name], at: now), for: .init()) : try smuggled(name, narrow)
                try leaf.serializeAsPEM().pemString.write(toFile: path + "/leaf.pem", atomically: true, encoding: .utf8)
                try narrow.certificatePEM.write(toFile: path + "/ca.pem", atomically: true, encoding: .utf8)
                let openssl = try run("openssl", ["verify", "-x509_strict", "-CAfile", path + "/ca.pem", path + "/leaf.pem"])
                #expect((openssl.status == 0) == isInside, "\(name): \(openssl.text)")
                if !isInside { #expect(openssl.text.contains("permitted subtree violation"), "\(openssl.text)") }
                var verifier = Verifier(rootCertificates: CertificateStore([narrow.certificate])) { RFC5280Policy() }
                let verdict = await verifier.validate(leaf: leaf, intermediates: CertificateStore([]))
                if case .validCertificate = verdict { #expect(isInside, "\(name)") } else { #expect(!isInside, "\(name): \(verdict)") }
            }
        }
    }

    private func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, text: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let bytes = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }

    // MARK: T1

    @Test func aHundredStartsAtOnceHaveOneCA() async throws {
        try await within { path in
            let old = umask(0)
            defer { umask(old) }
            let marks = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<100 {
                    group.addTask { try AuthorityStore(path + "/deep/ca").obtain(nil, at: self.now).fingerprint }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(marks.count == 1)
            #expect(try mode(path + "/deep/ca/authority.pem") == 0o600)
            for directory in ["", "/deep", "/deep/ca"] { #expect(try mode(path + directory) == 0o700) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: path + "/deep/ca") == ["authority.pem"])
        }
    }

    @Test func whatWasLeftByAStartThatDiedIsNoHindrance() async throws {
        try await within { path in
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try Data().write(to: URL(fileURLWithPath: "\(path)/.authority.pem.\(getpid())"))
            let first = try AuthorityStore(path).obtain(CANames(["a.example"]), at: now)
            #expect(try AuthorityStore(path).load()?.fingerprint == first.fingerprint)
            let renewed = try AuthorityStore(path).renew(CANames(["b.example"]), at: now)
            #expect(renewed.fingerprint != first.fingerprint)
            #expect(try AuthorityStore(path).load()?.names.words == ["*.b.example"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["authority.pem"])
        }
    }

    @Test func namesItDoesNotVouchForAndTheEndOfItsLifeAreSaid() async throws {
        try await within { path in
            let store = try AuthorityStore(path)
            _ = try store.obtain(CANames(["a.example"]), at: now)
            _ = try store.obtain(CANames(["x.a.example"]), at: now)
            let foreign = #expect(throws: TLSProblem.self) { try store.obtain(CANames(["b.example"]), at: now) }
            #expect(foreign?.remedy == "miswire ca create --renew --ca-names '*.a.example,*.b.example'")
            let late = #expect(throws: TLSProblem.self) { try store.obtain(nil, at: now + 91 * 86_400) }
            #expect(late?.sentence == "the CA has expired")
        }
    }

    // MARK: T2

    @Test(arguments: [0o640, 0o604, 0o660, 0o644, 0o610, 0o601])
    func aKeyThatOthersMayReadIsRefused(bits: Int) async throws {
        try await within { path in
            _ = try AuthorityStore(path).obtain(nil, at: now)
            try FileManager.default.setAttributes([.posixPermissions: bits], ofItemAtPath: path + "/authority.pem")
            let problem = #expect(throws: TLSProblem.self) { try AuthorityStore(path).obtain(nil, at: now) }
            #expect(problem?.remedy?.hasPrefix("chmod 0600 \(path)/authority.pem") == true)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path + "/authority.pem")
            _ = try AuthorityStore(path).obtain(nil, at: now)
        }
    }

    @Test(arguments: [0o750, 0o705, 0o770, 0o755, 0o711])
    func aDirectoryThatOthersMayEnterIsRefused(bits: Int) async throws {
        try await within { path in
            _ = try AuthorityStore(path).obtain(nil, at: now)
            try FileManager.default.setAttributes([.posixPermissions: bits], ofItemAtPath: path)
            let problem = #expect(throws: TLSProblem.self) { try AuthorityStore(path).load() }
            #expect(problem?.remedy?.hasPrefix("chmod 0700 \(path)") == true)
        }
    }

    @Test func linksAndForeignOwnersAreRefused() async throws {
        try await within { path in
            let files = FileManager.default
            _ = try AuthorityStore(path + "/real").obtain(nil, at: now)
            try files.createSymbolicLink(atPath: path + "/link", withDestinationPath: path + "/real")
            #expect(throws: TLSProblem.self) { try AuthorityStore(path + "/link").obtain(nil, at: now) }
            try files.moveItem(atPath: path + "/real/authority.pem", toPath: path + "/elsewhere.pem")
            try files.createSymbolicLink(atPath: path + "/real/authority.pem", withDestinationPath: path + "/elsewhere.pem")
            #expect(throws: TLSProblem.self) { try AuthorityStore(path + "/real").obtain(nil, at: now) }
            try files.removeItem(atPath: path + "/real/authority.pem")
            try files.linkItem(atPath: path + "/elsewhere.pem", toPath: path + "/real/authority.pem")
            let twice = #expect(throws: TLSProblem.self) { try AuthorityStore(path + "/real").obtain(nil, at: now) }
            #expect(twice?.sentence == "the CA's key has 2 names")
            try files.removeItem(atPath: path + "/elsewhere.pem")
            _ = try AuthorityStore(path + "/real").obtain(nil, at: now)
            guard geteuid() == 0 else { return }
            try files.setAttributes([.ownerAccountID: 12_345], ofItemAtPath: path + "/real/authority.pem")
            let foreign = #expect(throws: TLSProblem.self) { try AuthorityStore(path + "/real").obtain(nil, at: now) }
            #expect(foreign?.found == "user 12345")
        }
    }

    @Test(arguments: ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])
    func aBrokenFileIsAnErrorWithAPlace(text: String) async throws {
        try await within { path in
            _ = try AuthorityStore(path).obtain(nil, at: now)
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path + "/authority.pem"))
            try file.truncate(atOffset: 0)
            try file.write(contentsOf: Data(text.utf8))
            try file.close()
            let problem = #expect(throws: TLSProblem.self) { try AuthorityStore(path).load() }
            #expect(problem?.place == path + "/authority.pem")
        }
    }

    // MARK: T4

    @Test func nobodyGetsACertificateByAskingForAName() throws {
        let mint = LeafMint(try Authority(names: CANames(["*.staging.example"]), at: now))
        var dice = SystemRandomNumberGenerator()
        for _ in 0..<10_000 {
            let name = "\(UInt64.random(in: 0 ... .max, using: &dice)).example"
            #expect(throws: TLSProblem.self) { try mint.leaf(for: name, at: now) }
            #expect(throws: TLSProblem.self) { try mint.leaf(for: name, flaw: .selfSigned, at: now) }
        }
        #expect(mint.made == 0)
    }

    @Test func leavesAreKeptForgottenAndRenewed() throws {
        let mint = LeafMint(try Authority(names: CANames(["*.staging.example"]), at: now))
        let first = try mint.leaf(for: "A.staging.example", at: now)
        #expect(try mint.leaf(for: "a.staging.example", at: now).chain == first.chain)
        #expect(mint.made == 1)
        #expect(first.ends == now + 7 * 86_400)
        #expect(try mint.leaf(for: "a.staging.example", at: now + 6 * 86_400 + 1).chain != first.chain)
        for number in 0..<1_100 { _ = try mint.leaf(for: "h\(number).staging.example", at: now) }
        #expect(mint.count == LeafMint.most)
        let made = mint.made
        _ = try mint.leaf(for: "h1099.staging.example", at: now)
        #expect(mint.made == made)
        _ = try mint.leaf(for: "h0.staging.example", at: now)
        #expect(mint.made == made + 1)
    }

    @Test func aLeafEndsNoLaterThanItsCA() throws {
        let authority = try Authority(names: .loopback, at: now)
        let late = authority.ends - 3 * 86_400
        #expect(try LeafMint(authority).leaf(for: "localhost", at: late).ends == authority.ends)
    }

    /// T7. Of the test's own process, for good.
    @Test func aProcessThatHoldsAKeyCannotBeDumped() async throws {
        try await within { path in
            _ = try AuthorityStore(path).obtain(nil, at: now)
            #expect(ProcessSecrecy.isHidden)
            let limits = try String(contentsOfFile: "/proc/self/limits", encoding: .utf8)
            let core = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
            #expect(core.split(separator: " ").dropFirst(4).prefix(2) == ["0", "0"])
        }
    }

    // MARK: T5

    @Test func nothingThatPrintsItPrintsItsKey() throws {
        let authority = try Authority(names: .loopback, at: now)
        let secret = try authority.stored().split(separator: "\n").dropFirst().prefix { !$0.hasPrefix("---") }.joined()
        var text = "\(authority) \(String(reflecting: authority)) \(authority.certificatePEM) \(authority.subject) \(authority.fingerprint)"
        dump(authority, to: &text)
        #expect(secret.count > 100)
        #expect(!text.contains(secret.prefix(60)))
        #expect(!text.lowercased().contains("privatekey"))
    }
}
