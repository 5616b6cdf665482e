import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// TLS faults as the machine decides them, and what TLS adds to a session's ends.
@Suite struct TLSFaultTests {
    static let kinds = FaultRegistry.all.filter { $0.group == .tls }.map { $0.name }
    private static let secure = TLSHops(client: .tls(hasAuthority: true), server: .tls(hasAuthority: false))

    private func net(_ kind: String, _ settings: [String: [String]] = [:], _ hops: TLSHops = secure) -> Net {
        var net = Net(profile: Sample.profile(Sample.rule(kind, settings)))
        net.hops = hops
        return net
    }

    /// A session whose upgrade is over, with a message each way.
    private func talk(_ net: inout Net, _ number: UInt32 = 1) -> SessionID {
        let id = net.open(number)
        if net.hops.isTLS(.client) { net.send(.secured(.client, "TLS 1.3"), to: id) }
        if net.hops.isTLS(.server) { net.send(.secured(.server, "TLS 1.3, http/1.1"), to: id) }
        net.send(.connected, to: id)
        net.client(id, Sample.request())
        net.server(id, Sample.response())
        net.client(id, Sample.frame("up", masked: true))
        net.server(id, Sample.frame("down", masked: false))
        return id
    }

    @Test(arguments: kinds) func onPlainHopsNothingIsDoneAndThatIsSaid(kind: String) {
        var net = net(kind, [:], TLSHops())
        let id = talk(&net)
        #expect(net.faults(id).count > 0)
        #expect(net.faults(id).allSatisfy { !$0.applied && $0.detail == "the client's hop is not wss" }, "\(net.faults(id))")
        #expect(net.commands(id) == ["connect"])
        #expect(String(buffer: net.takeClient(id)).hasSuffix("down"))
        #expect(net.conclude().differences == [])
    }

    @Test func ordersComeBeforeTheHandshakeAndBeforeTheServerIsDialled() {
        let first = Sample.rule("tls-version", ["side": ["server"], "min": ["1.2"], "max": ["1.3"], "ciphers": ["aes128-gcm"]])
        let second = Sample.rule("tls-certificate", ["how": ["self-signed"]])
        var net = Net(profile: Sample.profile(first, second))
        net.hops = Self.secure
        let id = net.open(1)
        let versions = TLSOrders(versions: .tls12 ... .tls13, ciphers: [0xC02B, 0xC02F])
        #expect(net.commands(id) == ["secure server \(versions)", "secure client \(TLSOrders(flaw: .selfSigned))", "connect"])
        #expect(net.faults(id).map(\.detail) == ["TLS 1.2 to 1.3 with the server, aes128-gcm", "the client is shown a certificate: self-signed"])
        #expect(net.faults(id).allSatisfy { $0.applied && $0.tap == .clientIn })
    }

    @Test func aGivenCertificateCannotBeMadeOnlyALittleWrong() {
        let given = TLSHops(client: .tls(hasAuthority: false))
        for flaw in TLSOrders.Flaw.allCases {
            var net = net("tls-certificate", ["how": [flaw.rawValue]], given)
            let id = net.open(1)
            #expect(net.faults(id).map(\.applied) == [!flaw.needsAuthority], "\(flaw)")
        }
    }

    /// Who the user is stands in the head, which comes when the handshake is over.
    @Test func whoAsksForAUserComesTooLateForTheClient() {
        for side in Side.allCases {
            let rule = Sample.rule("tls-version", ["side": [side.rawValue]]) { $0.user = .init("alice") }
            var net = Net(profile: Sample.profile(rule))
            net.hops = Self.secure
            let id = net.open(1)
            net.send(.secured(.client, "TLS 1.3"), to: id)
            #expect(net.commands(id) == [])
            net.client(id, Sample.request(user: "alice"))
            #expect(net.faults(id).map(\.applied) == [side == .server])
            #expect(net.commands(id).last == "connect")
        }
    }

    @Test func theSameSeedDamagesTheSameBits() {
        let draws = (0..<3).map { seed -> [String] in
            var net = Net(profile: Sample.profile(Sample.rule("tls-corrupt", ["record": ["3"]])), seed: UInt64(seed / 2))
            net.hops = Self.secure
            return net.commands(net.open(1))
        }
        #expect(draws[0] == draws[1])
        #expect(draws[0] != draws[2])
    }

    @Test(arguments: Side.allCases, ["before", "after", "mid-message"])
    func truncationEndsOneSideUnannounced(side: Side, place: String) {
        var net = Net(
            profile: Sample.profile(Sample.rule("tls-truncate", ["side": [side.rawValue], "at": [place]]) { $0.to = .client }))
        net.hops = Self.secure
        let id = talk(&net)
        #expect(net.commands(id) == ["connect", "truncate \(side.rawValue)"])
        let frame = Sample.frame("down", masked: false)
        let got = net.takeClient(id).readableBytes - Sample.response().utf8.count
        #expect(got == (place == "before" ? 0 : place == "after" ? frame.readableBytes : frame.readableBytes / 2))
        #expect(net.ends(id).map(\.by) == [.fault])
        #expect(net.conclude().differences == [])
    }

    @Test func limitsMustBeInOrder() {
        #expect(throws: SettingsError.self) { try TLSVersionFault(Settings([("min", ["1.3"]), ("max", ["1.2"])])) }
        #expect(throws: SettingsError.self) { try TLSCorrupt(Settings([("record", ["0"])])) }
        #expect(throws: SettingsError.self) { try TLSStall(Settings([("time", ["2h"])])) }
    }

    // MARK: What TLS adds to a session

    @Test func theHeadsTimeBeginsBehindTheHandshake() {
        var net = Net()
        net.hops = Self.secure
        let id = net.open(1)
        net.send(.connected, to: id)
        net.pass(.seconds(60))
        #expect(net.became(id) == [])
        net.send(.secured(.client, "TLS 1.3"), to: id)
        net.pass(.seconds(9))
        #expect(net.became(id) == [])
        net.pass(.seconds(2))
        #expect(net.became(id).count == 1)
    }

    @Test func aHandshakeThatFailsIsTheSessionsEndAndNoSession() {
        for limit in ["L2", nil] {
            var net = Net()
            net.hops = Self.secure
            let id = net.open(1)
            net.send(.broken(.client, "the client does not know the CA", limit: limit), to: id)
            #expect(net.became(id) == [])
            #expect(net.ends(id).first == EndRecord(
                side: .client, style: .reset, by: limit == nil ? .peer : .tool, cause: "the client does not know the CA"))
            #expect(net.commands(id) == ["connect", "close server reset"])
            #expect(net.conclude().differences == [])
        }
    }

    @Test(arguments: Side.allCases) func tlsThatBreaksLaterEndsBothSides(side: Side) {
        var net = Net()
        net.hops = Self.secure
        let id = talk(&net)
        net.send(.broken(side, "a record cannot be decrypted", limit: nil), to: id)
        #expect(net.commands(id) == ["connect", "close \(side.other.rawValue) reset"])
        #expect(net.ends(id).first == EndRecord(side: side, style: .reset, by: .peer, cause: "a record cannot be decrypted"))
        #expect(net.conclude().differences == [])
    }

    @Test(arguments: Side.allCases, [true, false]) func anUnannouncedEndGoesOnAsOneWhereThatCanBeSaid(side: Side, canSay: Bool) {
        var net = Net()
        net.hops = canSay ? Self.secure : side == .client ? TLSHops(client: .tls(hasAuthority: true)) : TLSHops(server: .tls(hasAuthority: false))
        let id = talk(&net)
        net.send(.truncated(side), to: id)
        #expect(net.commands(id) == ["connect", (canSay ? "truncate " : "finish ") + side.other.rawValue])
        #expect(net.ends(id).map(\.cause) == ["FIN without close_notify, so that something may be missing"])
        net.send(.ended(side.other, .finish), to: id)
        #expect(net.conclude().differences == [])
    }
}
