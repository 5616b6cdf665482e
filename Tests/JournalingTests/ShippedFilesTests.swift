import Foundation
import Testing

@testable import Journaling

/// What is shipped is data that we made, and nobody's secret stands in it (trust.md T32, T34): corpora, recordings, captures and
/// profiles as they lie in the repository, also where base64 hides the bytes.
@Suite struct ShippedFilesTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func files(under folder: String) -> [(path: String, bytes: [UInt8])] {
        let base = root.appendingPathComponent(folder)
        let names = (FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String } ?? []).sorted()
        return names.compactMap { name in
            (try? Data(contentsOf: base.appendingPathComponent(name))).map { ("\(folder)/\(name)", Array($0)) }
        }
    }

    /// Tokens in the bytes, and in what they say in base64.
    private static func tokens(in bytes: [UInt8]) -> [String] {
        let plain = JWTShape.ranges(in: bytes).map { bytes[$0] }
        let packed = runs(of: bytes).flatMap { run -> [ArraySlice<UInt8>] in
            guard let decoded = Data(base64Encoded: Data(run)).map({ Array($0) }) else { return [] }
            return JWTShape.ranges(in: decoded).map { decoded[$0] }
        }
        return (plain + packed).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Stretches that may be base64, long enough for a token.
    private static func runs(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        bytes.split { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2b, 0x2f, 0x3d: false
            default: true
            }
        }.filter { $0.count >= 40 && $0.count % 4 == 0 }
    }

    /// What a secret begins with, and how many letters, digits, `-` and `_` follow it at least.
    private static let shapes: [(name: String, begin: String, more: Int)] = [
        ("a private key", "PRIVATE KEY-----", 0), ("an access key of a cloud", "AKIA", 16), ("a passing key of a cloud", "ASIA", 16),
        ("a key of a map", "AIza", 35), ("a token of a code host", "ghp_", 20), ("another one", "glpat-", 20),
        ("a token of a messenger", "xoxb-", 10), ("a key of a model", "sk-", 20), ("somebody's home", "/home/", 1),
        ("somebody's home", "/Users/", 1),
    ]

    private static func finds(in bytes: [UInt8]) -> [String] {
        shapes.filter { shape in
            Needle.ranges(of: Array(shape.begin.utf8), in: bytes).contains { range in
                let isInWord = range.lowerBound > 0 && Base64URL.value(of: bytes[range.lowerBound - 1]) != nil
                let more = bytes[range.upperBound...].prefix { Base64URL.value(of: $0) != nil }.count
                return more >= shape.more && (shape.more == 0 || !isInWord)
            }
        }.map(\.name)
    }

    @Test(arguments: ["corpus", "profiles"]) func nothingHasTheShapeOfASecret(folder: String) throws {
        let files = Self.files(under: folder)
        #expect(files.count >= 5)
        for file in files { #expect(Self.finds(in: file.bytes) == [], "\(file.path)") }
    }

    @Test func recordingsPlansAndSeedsHoldNoToken() {
        for folder in ["corpus/recordings", "corpus/plans", "corpus/fuzzed", "profiles"] {
            let files = Self.files(under: folder)
            #expect(!files.isEmpty, "\(folder)")
            for file in files { #expect(Self.tokens(in: file.bytes) == [], "\(file.path)") }
        }
    }

    /// Captures keep bytes as they were; what they hold was made for the purpose and has ended.
    @Test func tokensInCapturesHaveEnded() throws {
        var count = 0
        for file in Self.files(under: "corpus/captures") {
            for text in Self.tokens(in: file.bytes) {
                count += 1
                let token = try #require(JWT.first(in: text), "\(file.path)")
                let expires = try #require(token.expires, "\(file.path)")
                #expect(Double(expires) < Date().timeIntervalSince1970, "\(file.path)")
            }
        }
        #expect(count >= 10)
    }

    /// The search itself, on what it is to find.
    @Test func plantedSecretsAreFound() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"
        #expect(Self.tokens(in: Array("x \(token) y".utf8)) == [token])
        #expect(Self.tokens(in: Array("\"\(Data("ab \(token)".utf8).base64EncodedString())\"".utf8)) == [token])
        let letters = "abcdefghijklmnopqrstuvwxyz0123456789"
        let planted = Self.shapes.map { "-----BEGIN EC " + $0.begin + letters.prefix($0.more) }
        #expect(planted.map { Self.finds(in: Array(" \($0) ".utf8)) } == Self.shapes.map { [$0.name] })
    }
}
