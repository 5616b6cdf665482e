import NIOCore
import Testing

@testable import Journaling

@Suite struct CanaryTests {
    private let key = CanaryKey(seed: 7)

    @Test func readsWhatItWrites() throws {
        for number in [0, 1, 0x12_3456, 0xff_ffff] as [UInt64] {
            for user in ["", "alice", "zoë"] {
                let canary = key.canary(of: user, number: number)
                #expect(canary.text.utf8.count == Canary.length)
                #expect(Canary.all(in: ByteBuffer(string: "say \(canary.text).")) == [canary])
                #expect(Canary.all(in: Array(canary.text.uppercased().utf8)) == [canary], "in any case")
                #expect(!canary.text.utf8.contains { !((0x61...0x7a).contains($0) || (0x32...0x37).contains($0) || $0 == 0x2d) })
            }
        }
        #expect(Canary.all(in: Array("mwc-abcdefghijkl".utf8)).map(\.text) == ["mwc-abcdefghijkl"])
        #expect(Canary.all(in: Array("mwc-abcdefghijk mwc- wc-abcdefghijkl mwd-abcdefghijkl".utf8)).isEmpty)
    }

    /// Bits at every place of the text come back.
    @Test func everyBitComesBack() {
        for bit in 0..<128 {
            let canary = Canary(.ordinary, high: bit < 64 ? 1 << UInt64(bit) : 0, low: bit >= 64 ? 1 << UInt64(bit - 64) : 0)
            #expect(Canary.all(in: Array(canary.text.utf8)) == [canary], "bit \(bit)")
        }
    }

    @Test func whoHasTheKeyKnowsWhoseItIs() throws {
        let canary = key.canary(of: "alice", number: 3)
        #expect(key.made(canary) && key.isOwner("alice", of: canary) && !key.isOwner("bob", of: canary))
        #expect(key.owner(of: canary, among: ["bob", "alice"]) == "alice")
        #expect(CanaryKey(seed: 7).isOwner("alice", of: canary), "in any process")
        let other = CanaryKey(seed: 8)
        #expect(!other.made(canary) && other.owner(of: canary, among: ["alice"]) == nil)
        #expect(other.canary(of: "alice", number: 3) != canary && key.canary(of: "alice", number: 4) != canary)
        let declassified = try #require(Canary.declassified(ByteBuffer(string: canary.text)).flatMap { Canary.all(in: $0).first })
        #expect(declassified.isDeclassified && key.isOwner("alice", of: declassified))
        // Any other token is nobody's.
        for bit in 0..<64 as Range<UInt64> {
            #expect(!key.made(Canary(.ordinary, high: canary.high, low: canary.low ^ 1 << bit)))
            #expect(!key.made(Canary(.ordinary, high: canary.high ^ 1 << bit, low: canary.low)))
        }
        #expect(!key.made(Canary.all(in: Array("mwc-abcdefghijkl".utf8))[0]))
    }

    @Test func declassifiesInPlace() {
        let one = key.canary(of: "alice", number: 1).text
        let two = key.canary(of: "bob", number: 1).text.uppercased()
        let text = #"{"a":"\#(one)","b":"x-mwc-short \#(two)"}"#
        let declassified = Canary.declassified(ByteBuffer(string: text)).map { String(buffer: $0) }
        #expect(declassified == text.replacing("mwc-\(one.dropFirst(4))", with: "mwd-\(one.dropFirst(4))").replacing("MWC-", with: "MWD-"))
        #expect(Canary.declassified(ByteBuffer(string: declassified ?? "")) == nil)
        #expect(Canary.declassified(ByteBuffer(string: "mwc-abcdefghijkl")) == nil, "the old ones have no other class")
    }
}

extension String {
    fileprivate func replacing(_ piece: String, with other: String) -> String {
        let (bytes, wanted) = (Array(utf8), Array(piece.utf8))
        var out: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index...].starts(with: wanted) {
                out += Array(other.utf8)
                index += wanted.count
            } else {
                out.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
