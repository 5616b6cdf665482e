import Journaling
import Testing
import Wire

@testable import Contracts

/// Plain scalars as JSON: numbers are those of YAML's core schema, however they are written.
@Suite struct ScalarTests {
    @Test(arguments: [
        (".5", "0.5"), ("+5", "5"), ("-.5e3", "-0.5e3"), ("1.", "1"), ("1.e2", "1e2"), ("010", "10"), ("-007", "-7"), ("0x10", "16"), ("0o7", "7"), ("0xFF", "255"),
        ("0", "0"), ("00", "0"), ("-0", "-0"), ("-5", "-5"), ("1.50", "1.50"), ("1e-3", "1e-3"), ("12345678901234567890", "12345678901234567890"),
        ("true", "true"), ("~", "null"),
    ])
    func numbers(written: String, read: String) {
        #expect(Document.Scalar(text: written, isPlain: true).json?.text == read)
        #expect(Document.Scalar(text: written, isPlain: false).json == nil)
    }

    @Test(arguments: ["", ".", "+", "-", "e5", ".e5", "1e", "1e+", "0x", "0xg", "0x-1", "0o8", "-0x10", "1_000", "1.2.3", "2024-01-01", "5s", ".inf", ".nan", "--1", "+-1"])
    func texts(written: String) {
        guard !written.isEmpty else { return }
        #expect(Document.Scalar(text: written, isPlain: true).json == nil)
    }
}
