import Journaling
import NIOCore
import Testing
import Wire

@testable import Oracles

/// Canaries as servers write them down.
@Suite struct CanarySearchTests {
    enum Layer: CaseIterable {
        case upper, json, percent, base64, url, lines, hex, gzip, zlib

        func wrap(_ bytes: [UInt8]) throws -> [UInt8] {
            func text(_ digits: some Sequence<Character>) -> [UInt8] { Array(String(digits).utf8) }
            switch self {
            case .upper: return bytes.map { (0x61...0x7a).contains($0) ? $0 - 0x20 : $0 }
            case .json: return bytes.flatMap { Array(#"\u00"#.utf8) + text(Self.hex($0)) }
            case .percent: return bytes.flatMap { text("%" + Self.hex($0)) }
            case .base64: return Self.standard(bytes)
            case .url: return Array(Base64URL.encode(bytes).utf8)
            case .lines:
                return Self.standard(bytes).enumerated().flatMap { $0.offset % 64 == 63 ? [$0.element, 0x0d, 0x0a] : [$0.element] }
            case .hex: return Array(Digest.hex(bytes).utf8)
            case .gzip:
                let head: [UInt8] = [0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3] + Array("name".utf8) + [0]
                return head + (try Self.deflated(bytes)) + [UInt8](repeating: 7, count: 8)
            case .zlib: return [0x78, 0x9c] + (try Self.deflated(bytes)) + [1, 2, 3, 4]
            }
        }

        static func hex(_ byte: UInt8) -> String { Digest.hex([byte]) }

        static func standard(_ bytes: [UInt8]) -> [UInt8] {
            let digits = Array(Base64URL.encode(bytes).utf8).map { $0 == 0x2d ? 0x2b : $0 == 0x5f ? 0x2f : $0 }
            return digits + [UInt8](repeating: 0x3d, count: (4 - digits.count % 4) % 4)
        }

        /// One block that is the last, stored: RFC 1951 section 3.2.4.
        static func deflated(_ bytes: [UInt8]) throws -> [UInt8] {
            let count = UInt16(bytes.count)
            return [1, UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8(~count >> 8)] + bytes
        }
    }

    private let key = CanaryKey(seed: 1)

    private func dice(_ seed: UInt64) -> Dice {
        Dice(DiceKey(seed: seed, profile: "search", user: "", connection: 0), direction: nil, message: 0, fault: "")
    }

    private func words(_ dice: inout Dice) -> [UInt8] {
        let all = Array("abc def-GHI_123 {\"x\":[4.5]} hello, world; mwc- /path/to".utf8)
        return Array(all.prefix(dice.below(all.count + 1)))
    }

    /// All ways to wrap it in at most three layers, with other text around it in each.
    @Test func foundThroughThreeLayers() throws {
        var dice = dice(1)
        for first in Layer.allCases {
            for second in [nil] + Layer.allCases.map({ Optional($0) }) {
                for third in [nil] + Layer.allCases.map({ Optional($0) }) where second != nil || third == nil {
                    let layers = [first, second, third].compactMap { $0 }
                    // Letters of base64 that are folded say something else.
                    if layers.dropFirst().contains(.upper) { continue }
                    let canary = key.canary(of: "alice", number: dice.next())
                    var bytes = words(&dice) + [0x20] + Array(canary.text.utf8) + [0x20] + words(&dice)
                    for layer in layers { bytes = try layer.wrap(bytes) }
                    if [.gzip, .zlib].contains(layers[layers.count - 1]) == false {
                        bytes = Array(#"{"type":"x","data":""#.utf8) + bytes + Array(#"","n":1}"#.utf8)
                    }
                    #expect(Set(CanarySearch.all(in: ByteBuffer(bytes: bytes))) == [canary], "\(layers)")
                }
            }
        }
    }

    /// The bare token, at each place of a group of three bytes, and with digits of base64 glued before the text.
    @Test(arguments: 0..<8) func wherever(shift: Int) throws {
        let canary = key.canary(of: "bob", number: 9)
        let inner = [UInt8](repeating: 0x2e, count: shift) + Array(canary.text.utf8)
        for layer in [Layer.base64, .url, .hex] {
            let glue = String(repeating: "a", count: layer == .hex ? 0 : shift)
            let text = "{\"id\":\"\(glue)\(String(decoding: try layer.wrap(inner), as: UTF8.self))\"}"
            #expect(CanarySearch.all(in: ByteBuffer(string: text)) == [canary], "\(layer) \(shift)")
        }
    }

    @Test func escapedSlashesAndLineBreaks() throws {
        let canary = key.canary(of: "bob", number: 2)
        let digits = try Layer.base64.wrap(Array("?>??~~~ÿ \(canary.text) ?>??~~~ÿ".utf8))
        let text = digits.flatMap { $0 == 0x2f ? [0x5c, 0x2f] : [$0] }
        let lines = text.enumerated().flatMap { offset, byte in
            offset % 90 == 60 && byte != 0x2f ? Array(#"\r\n"#.utf8) + [byte] : [byte]
        }
        for escaped in [text, lines] {
            let message = Array("{\"x\":\"".utf8) + escaped + Array("\"}".utf8)
            #expect(CanarySearch.all(in: ByteBuffer(bytes: message)) == [canary], "\(String(decoding: message, as: UTF8.self))")
        }
    }

    /// Made by Python's gzip and zlib: dynamic blocks, a name, real checksums.
    @Test(arguments: [
        "H4sICAEAAAAC/25vdGVzLnR4dABtjMsVgCAMwFbpADpU+QkirVAQ2F69+rzkkrxUbyG3oCOowp3A8QDBKZC6XlFpY93mwx6PRHzmIrVdfUwEJAPVW3rxP+DHFOhcjCzf6gY4Fg3OdgAAAA==",
        "eNptjMsVgCAMwFbpADpU-QkirVAQ2F69-rzkkrxUbyG3oCOowp3A8QDBKZC6XlFpY93mwx6PRHzmIrVdfUwEJAPVW3rxP-DHFOhcjCzf6gZwRyym",
        "78016d8ccb1580200cc056e9003a54f90922ad5010d85ebdfabce492bc546f21b7a023a8c29dc0f100c12990ba5e516963dde6c31e8f447ce622b55d7d4c042403d55b7af13fe0c714e85c8c2cdfea0670472ca6",
    ])
    func realArchives(text: String) {
        #expect(CanarySearch.all(in: ByteBuffer(string: "{\"body\":\"\(text)\"}")).map(\.text) == ["mwc-abcdefghijklmnopqrstuvwxya"])
    }

    /// What holds none: nothing found, nothing thrown, whatever it is made of.
    @Test(arguments: 1...200 as ClosedRange<UInt64>) func noiseIsSilent(seed: UInt64) {
        var dice = dice(seed)
        let alphabets = [Array("mwcd-abcdefgh%\\u0623nr/=+_".utf8), (0...255).map { UInt8($0) }, Array("0123456789abcdefABCDEF".utf8)]
        let alphabet = alphabets[dice.below(3)]
        var bytes = (0..<dice.below(3_000)).map { _ in alphabet[dice.below(alphabet.count)] }
        if dice.below(3) == 0 { bytes = [0x1f, 0x8b, 8, UInt8(truncatingIfNeeded: dice.next())] + bytes }
        if dice.below(5) == 0 { bytes = [0x78, 0x9c] + bytes }
        let plain = Canary.all(in: bytes)
        #expect(CanarySearch.all(in: ByteBuffer(bytes: bytes)).starts(with: plain))
        if alphabet.count != 26 { #expect(CanarySearch.all(in: ByteBuffer(bytes: bytes)) == plain) }
    }

    /// A bomb, and digits without end, cost what the budget allows.
    @Test func bombsAreBounded() throws {
        let canary = key.canary(of: "bob", number: 2)
        let zeros = try Deflater().deflate(ByteBuffer(repeating: 0, count: 8 << 20))
        let bomb: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3] + Array(zeros.readableBytesView) + [UInt8](repeating: 0, count: 8)
        var text = Array("{\"b\":\"".utf8) + Layer.standard(bomb) + Array("\",\"c\":\"".utf8)
        text += try Layer.base64.wrap(Array(canary.text.utf8)) + Array("\"}".utf8)
        #expect(CanarySearch.all(in: ByteBuffer(bytes: text)) == [canary], "and what stands behind is still found")
        #expect(CanarySearch.all(in: ByteBuffer(repeating: 0x41, count: 4 << 20)).isEmpty)
    }

    /// Compared with each other they would take hours.
    @Test(.timeLimit(.minutes(2))) func manyInOneMessage() {
        let all = (0..<100_000).map { "mwc-abcdef\(100_000 + $0)" }.joined(separator: " ")
        let found = CanarySearch.all(in: ByteBuffer(bytes: Layer.standard(Array((all + " " + all).utf8))))
        #expect(found.count == 100_000 && Set(found).count == 100_000)
    }
}
