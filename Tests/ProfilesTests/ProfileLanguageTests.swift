import Contracts
import Faults
import Foundation
import Journaling
import Testing
import Wire

@testable import Profiles

/// Profiles that extend others, stand beside others, and name variables of the environment.
@Suite struct ProfileLanguageTests {
    /// Files in a directory of their own, for as long as the body runs.
    private func files<R>(_ texts: [String: String], _ body: (String) throws -> R) throws -> R {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("miswire-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in texts { try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8) }
        return try body(folder.path)
    }

    private func said(_ texts: [String: String], _ names: String...) throws -> [String] {
        try files(texts) { folder in
            do {
                _ = try ProfileLoader(environment: [:]).load(names.map { folder + "/" + $0 })
                return []
            } catch let errors as ConfigurationErrors {
                return errors.errors.filter { $0.severity == .error }.map { $0.plain.replacingOccurrences(of: folder + "/", with: "") }
            }
        }
    }

    private static let base = """
        miswire: 1
        name: base
        about: The first.
        seed: 3
        scope: { paths: ["/ws/**"], share: 20%, expires: 5m }
        faults:
          - { id: slow, fault: latency, latency: 90ms, jitter: 5ms }
          - { fault: drop, when: { message: every 3 } }
          - { id: gone, fault: cut }
        """

    @Test func extendsAndMergesById() throws {
        let mine = """
            miswire: 1
            name: mine
            extends: base.yaml
            scope: { share: 1% }
            faults:
              - { id: gone, off: true }
              - { id: slow, latency: 10ms }
              - { id: f2, fault: delay, delay: 7ms }
              - { id: new, fault: chop }
            """
        try files(["base.yaml": Self.base, "mine.yaml": mine]) { folder in
            let profile = try ProfileLoader().load(folder + "/mine.yaml")
            #expect(profile.name == "mine" && profile.about == "The first." && profile.seed == 3)
            #expect(profile.scope.share == 0.01 && profile.scope.expires == .seconds(300) && profile.scope.paths.map(\.text) == ["/ws/**"])
            #expect(profile.faults.map { "\($0.id) \($0.kind) \($0.settings)" } == [
                "slow latency latency: [\"10ms\"], jitter: [\"5ms\"]", "f2 delay delay: [\"7ms\"]", "new chop ",
            ])
            // The text that a recording holds reads the same without any file.
            let again = try ProfileLoader.parse(text: profile.text, file: "recording")
            #expect(again.hash == profile.hash && "\(again.faults)" == "\(profile.faults)")
            let resolved = try ProfileLoader().resolved(folder + "/mine.yaml")
            let flat = try ProfileLoader.parse(text: resolved, file: "resolved.yaml")
            #expect("\(flat.faults)" == "\(profile.faults)" && flat.scope.share == 0.01 && flat.name == "mine")
            #expect(!resolved.contains("extends"))
            #expect(try ProfileLoader().files([folder + "/mine.yaml"]).count == 2)
        }
    }

    @Test func chainsAndShippedOnes() throws {
        let a = "miswire: 1\nname: a\nextends: b.yaml\n"
        let b = "miswire: 1\nname: b\nextends: delayed-accept\nscope: { share: 3% }\n"
        try files(["a.yaml": a, "b.yaml": b]) { folder in
            let profile = try ProfileLoader().load(folder + "/a.yaml")
            let shipped = try ProfileLoader().load("delayed-accept")
            #expect(profile.name == "a" && profile.scope.share == 0.03)
            #expect(profile.faults.map(\.kind) == shipped.faults.map(\.kind))
        }
    }

    @Test func whatCannotBeExtended() throws {
        let a = "miswire: 1\nname: a\nextends: b.yaml\n"
        #expect(try said(["a.yaml": a, "b.yaml": "miswire: 1\nname: b\nextends: a.yaml\n"], "a.yaml")
            == ["b.yaml:3:10: error: profile \"a.yaml\" extends itself; break the circle"])
        #expect(try said(["a.yaml": "miswire: 1\nname: a\nextends: delayed-acept\n"], "a.yaml")
            == ["a.yaml:3:10: error: no profile is called `delayed-acept`; write `delayed-accept`"])
        #expect(try said(["a.yaml": "miswire: 1\nextends: b.yaml\n", "b.yaml": Self.base], "a.yaml")
            == ["a.yaml:1:1: error: `name` is missing; write `name: NAME` below `miswire`"])
        // Whose mistake it is, the place tells.
        #expect(try said(["a.yaml": a, "b.yaml": "miswire: 1\nname: b\nfaults:\n  - fault: dropp\n"], "a.yaml")
            .map { $0.prefix(14) } == ["b.yaml:4:12: e"])
        let off = a + "faults:\n  - { id: gne, off: true }\n"
        #expect(try said(["a.yaml": off, "b.yaml": Self.base], "a.yaml")
            == ["a.yaml:5:11: error: there is no fault `gne` to take away; write `gone`"])
        #expect(try said(["a.yaml": "miswire: 1\nname: a\nfaults:\n  - { id: gone, off: true }\n"], "a.yaml")
            .map { $0.prefix(29) } == ["a.yaml:4:22: error: `off` tak"])
        var deep: [String: String] = [:]
        for number in 0..<12 { deep["p\(number).yaml"] = "miswire: 1\nname: p\nextends: p\(number + 1).yaml\n" }
        #expect(try said(deep, "p0.yaml").map { $0.contains("extends goes deeper than 8 profiles") } == [true])
    }

    @Test func severalBesideEachOther() throws {
        let other = "miswire: 1\nname: other\nscope: { users: [bob], expires: 1m, budget: { total: 4 } }\nfaults:\n  - { id: slow2, fault: latency }\n"
        try files(["base.yaml": Self.base, "other.yaml": other]) { folder in
            let names = ["base.yaml", "other.yaml"].map { folder + "/" + $0 }
            let profile = try ProfileLoader().load(names)
            #expect(profile.name == "base+other" && profile.faults.map(\.id) == ["slow", "f2", "gone", "slow2"])
            #expect(profile.faults.map { $0.scope?.name } == ["base", "base", "base", "other"])
            #expect(profile.faults.last?.scope?.total == 4 && profile.faults.first?.scope?.share == 0.2)
            #expect(profile.scope.share == 1 && profile.scope.total == nil && profile.scope.expires == .seconds(300))
            let again = try ProfileLoader.parse(text: profile.text, file: "recording")
            #expect(again.name == profile.name && again.hash == profile.hash)
            #expect(again.faults.map { $0.scope?.name } == profile.faults.map { $0.scope?.name })
        }
        let clash = "miswire: 1\nname: other\nfaults:\n  - { id: gone, fault: drop }\n"
        #expect(try said(["base.yaml": Self.base, "other.yaml": clash], "base.yaml", "other.yaml").map { $0.prefix(61) }
            == ["other.yaml:4:11: error: two profiles have a fault `gone`; the"])
    }

    // MARK: Environment

    private static func secret(_ setting: String) -> String {
        "miswire: 1\nname: s\nfaults:\n  - { fault: inject, \(setting) }\n"
    }

    @Test func variablesAreReadByTheFaultAlone() throws {
        let text = Self.secret("payload: 'Bearer ${TOKEN} and $${NOT}'")
        try files(["s.yaml": text]) { folder in
            let profile = try ProfileLoader(environment: ["TOKEN": "hunter2-canary"]).load(folder + "/s.yaml")
            let settings = try #require(profile.faults.first?.settings)
            #expect(settings.values.first?.values == ["Bearer ${TOKEN} and $${NOT}"])
            #expect(SettingsReader.filled(settings) == ["Bearer hunter2-canary and ${NOT}"])
            #expect(profile.secrets == ["hunter2-canary"])
            let shown = "\(profile) \(profile.faults) \(settings) \(String(reflecting: profile))"
            #expect(!shown.contains("hunter2-canary"))
            var dumped = ""
            dump(profile, to: &dumped)
            #expect(!dumped.contains("hunter2-canary"))
            // Another value is another fault, though nobody can see it.
            let other = try ProfileLoader(environment: ["TOKEN": "other"]).load(folder + "/s.yaml")
            #expect(other.hash == profile.hash && other.faults.first?.settings != settings)
            #expect(try ProfileLoader.parse(text: profile.text, file: "recording").faults.first?.settings.filled.values.contains("x") != true)
        }
    }

    @Test func variablesThatCannotBeRead() throws {
        #expect(try said(["s.yaml": Self.secret("payload: 'x ${TOKEN}'")], "s.yaml")
            == ["s.yaml:4:31: error: `payload` needs the variable `TOKEN`, which is not set; set it for this program, or write the text"])
        #expect(try said(["s.yaml": Self.secret("payload: '${}'")], "s.yaml").map { $0.contains("without the name of a variable") } == [true])
        // Only where a text is expected.
        #expect(try said(["s.yaml": "miswire: 1\nname: s\nfaults:\n  - { fault: delay, delay: '${TOKEN}' }\n"], "s.yaml").count == 1)
        #expect(try said(["s.yaml": "miswire: 1\nname: s\nabout: costs ${MUCH}\n"], "s.yaml") == [])
    }

    // MARK: Schema

    @Test func theSchemaNamesEveryKindAndSetting() throws {
        let schema = ProfileSchema.text
        #expect(JSON.decode(ByteBufferText.buffer(schema)).value != nil)
        for kind in FaultRegistry.all {
            #expect(schema.contains("\"const\": \"\(kind.name)\""), "\(kind.name)")
            for parameter in kind.parameters { #expect(schema.contains("\"\(parameter.name)\": "), "\(kind.name) \(parameter.name)") }
        }
        for key in ProfileReader.keys { #expect(schema.contains("\"\(key)\": "), "\(key)") }
    }
}

import NIOCore

private enum ByteBufferText {
    static func buffer(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }
}

extension SettingsReader {
    fileprivate static func filled(_ settings: Settings) -> [String] {
        (try? SettingsReader(settings, for: [Parameter("payload", .text, doc: "")]))?.texts("payload") ?? []
    }
}
