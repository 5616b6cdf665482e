import Contracts
import Faults
import Foundation
import Journaling
import NIOCore
import Testing
import Wire

@testable import Profiles

/// Every contract and profile of the program, through whatever a session does with them.
@Suite("All shipped contracts and profiles")
struct ContractSuiteTests {
    /// Out to a recording's first line and in again, in a directory that holds no file of ours.
    private func reread(profile: Profile?, contract: Contract?) throws -> RecordingHeader {
        let header = RecordingHeader(
            program: "0.1.0", started: "2026-09-21T14:02:16.014Z", seed: 1,
            profile: profile.map { .init(name: $0.name, hash: $0.hash, text: $0.text) },
            contract: contract.map { .init(name: $0.name, hash: $0.hash, text: $0.text) })
        let line = try EntryCodec.roundTrip(header)
        #expect(line == header)
        return line
    }

    @Test(arguments: ContractLoader.shipped)
    func contractSurvivesARecording(name: String) throws {
        let contract = try ContractLoader().load(name)
        let source = try #require(reread(profile: nil, contract: contract).contract)
        let again = try ContractLoader.parse(text: source.text, file: contract.file)
        #expect(written(again) == written(contract))
        #expect(again.hash == source.hash)
        #expect(contract.text.hasPrefix("miswire-contract: 1\n") || contract.text.hasPrefix("#"))
    }

    @Test(arguments: ProfileLoader.shipped)
    func profileSurvivesARecording(name: String) throws {
        let profile = try ProfileLoader().load(name)
        let source = try #require(reread(profile: profile, contract: nil).profile)
        let again = try ProfileLoader.parse(text: source.text, file: name + ".yaml")
        #expect(written(again) == written(profile))
    }

    @Test(arguments: ProfileLoader.shipped)
    func profileNamesKnownFaultsWithGoodSettings(name: String) throws {
        let profile = try ProfileLoader().load(name)
        #expect(profile.faults.isEmpty == (name == "transparent"))
        #expect(Set(profile.faults.map(\.id)).count == profile.faults.count)
        for rule in profile.faults {
            let kind = try #require(FaultRegistry.kind(rule.kind))
            let known = kind.parameters.map(\.name)
            #expect(rule.settings.values.allSatisfy { known.contains($0.name) })
            for parameter in kind.parameters {
                let values = rule.settings.values.first { $0.name == parameter.name }?.values ?? []
                #expect(values.allSatisfy { parameter.unit.admits($0) })
            }
            _ = try FaultRegistry.make(rule.kind, rule.settings)
        }
    }

    /// Whatever a profile can name can be written with its defaults, and its example is one that works.
    @Test func everyFaultCanBeNamed() throws {
        for kind in FaultRegistry.all {
            var text = "miswire: 1\nname: t\nfaults:\n  - fault: \(kind.name)\n"
            for parameter in kind.parameters where parameter.required {
                text += "    \(parameter.name): \(Self.sample(of: parameter.unit))\n"
            }
            let profile = try ProfileLoader.parse(text: text, file: "t.yaml")
            #expect(profile.faults.map(\.kind) == [kind.name])
        }
    }

    private static func sample(of unit: Parameter.Unit) -> String {
        switch unit {
        case .duration: "5ms"
        case .bytes: "1KiB"
        case .rate: "64KiB/s"
        case .share: "5%"
        case .count: "3"
        case .text, .names: "x"
        case .choice(let words), .choices(let words): words.first ?? ""
        }
    }

    @Test(arguments: ContractLoader.shipped)
    func flowsAreValidAndProbesAreRefused(name: String) throws {
        let contract = try ContractLoader().load(name)
        let recogniser = Recognizer(contract)
        let labeler = Labeler(contract)
        #expect(!contract.flows.isEmpty)
        for flow in contract.flows {
            for case .send(let template) in flow.steps {
                let message = Template.fill(template, now: 1_000) { .string($0 == "canary" ? "mwc-abcdefghijkl" : $0) }
                let read = recogniser.recognise(message, direction: .toServer)
                #expect(read.outcome == .valid)
                #expect(labeler.label(read, in: Ready()) == .mustAccept)
            }
        }
        #expect(contract.probes.map(\.kind) == contract.errors?.kinds ?? [])
        for probe in contract.probes {
            let read = recogniser.recognise(probe.message, direction: .toServer)
            #expect(labeler.label(read, in: Ready()) == .mustReject(rule: probe.rule, stateful: false))
        }
    }

    private struct Ready: LabelContext {
        var isReady: Bool { true }
        func hasSeen(_ name: MessageName) -> Bool { false }
        func isRunOpen(key: JSON?) -> Bool { false }
        func isForeign(_ path: Path, _ value: JSON) -> Bool { false }
    }

    @Test(arguments: [
        ("monitor: {}", "nearest: monitors"), ("delivry: {}", "nearest: delivery"), ("wire: { formt: raw }", "nearest: format"),
        ("wire: { zzz: raw }", "known: paths subprotocols format binary split batch envelope type …"), ("session: { greting: x }", "nearest: greeting"),
        ("reject: [{ wehn: <unknown> }]", "nearest: when"), ("identity: { idz: {} }", "nearest: ids"),
        ("zzz: 1", "known: miswire-contract name about extends import wire identity auth …"),
    ])
    func otherKeysAreUnknown(line: String, remedy: String) {
        let found = #expect(throws: ConfigurationErrors.self) {
            _ = try ContractLoader.parse(text: "miswire-contract: 1\nname: t\n" + line, file: "c.yaml")
        }
        let error = found?.errors.first { $0.message.hasPrefix("unknown key ") }
        #expect(error?.remedy == remedy)
        #expect(error?.line == 3)
    }
}

extension EntryCodec {
    /// What a recording's reader makes of the first line that its writer wrote.
    fileprivate static func roundTrip(_ header: RecordingHeader) throws -> RecordingHeader {
        var buffer = ByteBuffer()
        encode(header, into: &buffer)
        guard case .header(let read) = try decode(buffer, place: "0001.ndjson:1") else {
            Issue.record("the first line is no header")
            return header
        }
        return read
    }
}
