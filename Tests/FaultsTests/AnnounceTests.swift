import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// The field that says that faults are on, and nothing of it where nobody asked for it.
@Suite struct AnnounceTests {
    @Test func theAnswerSaysSo() {
        let rule = Sample.rule("announce", ["value": ["staging-safe 9be012"]], id: "announce")
        var net = Net(profile: Sample.profile(rule))
        let id = net.upgraded(1)
        let told = String(buffer: net.takeClient(id))
        #expect(told == String(Sample.response().dropLast()) + "Miswire: staging-safe 9be012\r\n\r\n")
        #expect(net.faults(id).map { "\($0.id) \($0.kind) \($0.detail)" } == ["announce announce Miswire: staging-safe 9be012"])
        net.server(id, Sample.frame("as ever", masked: false))
        #expect(net.takeClient(id) == Sample.frame("as ever", masked: false))
        #expect(net.conclude().differences == [])
    }

    @Test func whatNoFieldCanSay() {
        #expect(throws: SettingsError.self) { try Announce(Settings([("value", ["a\r\nX: y"])])) }
        #expect(throws: SettingsError.self) { try Announce(Settings([("header", ["Mis wire"])])) }
    }
}
