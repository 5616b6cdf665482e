/// Texts at the edges of what a text may be. Each is valid Unicode.
enum OddTexts {
    static let short: [(name: String, text: String)] = [
        ("one letter", "x"), ("one blank", " "), ("blanks around", "  x  "), ("a digit", "0"), ("the word null", "null"),
        ("the word true", "true"), ("JSON inside", #"{"type":"error"}"#), ("quote and backslash", #"a"b\c/d"#),
        ("line breaks", "a\r\nb\nc\td"), ("NUL inside", "a\u{0}b"), ("control signs", "\u{1}\u{1f}\u{7f}\u{85}"),
        ("line separators", "a\u{2028}b\u{2029}c"), ("composed", "caf\u{e9}"), ("decomposed", "cafe\u{301}"),
        ("compatibility forms", "\u{fb01}\u{ff21}\u{2460}"), ("many combining", "x" + String(repeating: "\u{301}", count: 64)),
        ("right to left", "\u{202e}\u{5e9}\u{5dc}\u{5d5}\u{5dd}\u{202c}"), ("astral", "\u{1f600}\u{10348}"),
        ("joined emoji", "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}"), ("zero width", "a\u{200b}b\u{feff}c"),
        ("noncharacters", "\u{ffff}\u{fffe}\u{10ffff}"), ("edges of UTF-8 lengths", "\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}"),
        ("dotless i", "\u{130}\u{131}I i"), ("sharp s", "stra\u{df}e STRASSE"), ("percent signs", "%s%n%00%ff"),
        ("a path upwards", "../../../../etc/passwd"), ("a query", "' OR '1'='1' --"), ("markup", "<script>alert(1)</script>"),
        ("braces", "{{7*7}} ${7*7} #{7*7}"), ("prototype", "__proto__"),
    ]

    /// Lengths around those at which frames and buffers change.
    static let lengths = [125, 126, 127, 1_024, 4_096]
    static let heavyLengths = [65_535, 65_536]

    static func long(_ count: Int) -> String { String(repeating: "x", count: count) }

    static let numbers = [
        "0", "-0", "1", "-1", "1.0", "0.1", "1e2", "127", "128", "255", "256", "65536", "2147483647", "2147483648",
        "-2147483649", "4294967296", "9007199254740991", "9007199254740993", "9223372036854775807",
        "9223372036854775808", "-9223372036854775809", "18446744073709551616", "1e308", "5e-324",
    ]

    static let hugeNumbers = [
        "1e400", "-1e400", "1e-400", String(repeating: "9", count: 400), "0." + String(repeating: "0", count: 400) + "1",
        "1e999999999",
    ]

    /// JSON strings that only exist as text: escapes.
    static let escapes: [(name: String, text: String)] = [
        ("escaped letter", #""\u0041""#), ("escaped pair", #""\ud83d\ude00""#), ("escaped slash", #""\/""#),
        ("escaped NUL", #""\u0000""#),
    ]
    static let loneSurrogates = [#""\ud800""#, #""\udc00""#, #""\udc00\ud800""#, #""x\ud83d""#, #""\ud800\u0041""#]
}
