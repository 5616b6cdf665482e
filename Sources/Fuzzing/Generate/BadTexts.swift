import NIOCore
import Wire

/// Messages that are no message, or only to some parsers.
enum BadTexts {
    /// What no JSON parser takes, made from a valid message, the commonest first.
    static func malformed(_ message: String) -> [(name: String, text: String)] {
        let scalars = Array(message.unicodeScalars)
        func front(_ share: Int) -> String {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars.prefix(scalars.count * share / 100))
            return String(view)
        }
        return [
            ("truncated behind a comma", #"{"type":"x","#), ("truncated in the middle", front(50)),
            ("the last byte missing", String(message.unicodeScalars.dropLast())), ("empty", ""),
            ("trailing bytes", message + "x"), ("two values", message + message), ("a bare word", "hello"),
            ("an unterminated text", #"{"type":"x"#), ("an opening brace", "{"), ("single quotes", "{'type':'x'}"),
            ("an unquoted key", #"{type:"x"}"#), ("a trailing comma", #"{"type":"x",}"#),
            ("a missing colon", #"{"type" "x"}"#), ("a missing comma", #"{"type":"x" "y":1}"#),
            ("a comment", #"{"type":"x"/* y */}"#), ("a leading zero", #"{"type":"x","y":01}"#),
            ("a plus sign", #"{"type":"x","y":+1}"#), ("a bare point", #"{"type":"x","y":.5}"#),
            ("hexadecimal", #"{"type":"x","y":0x1}"#), ("a wrong escape", #"{"type":"\x41"}"#),
            ("a short escape", #"{"type":"\u00"}"#), ("a raw control sign", "{\"type\":\"x\u{1}\"}"),
            ("a raw line break", "{\"type\":\"a\nb\"}"), ("crossed brackets", #"{"type":["x"}]"#),
            ("blanks", "   "), ("a capital literal", #"{"type":True}"#), ("undefined", #"{"type":undefined}"#),
            ("a closing brace", "}"), ("a NUL behind it", message + "\u{0}"), ("HTML", "<html><body>x</body></html>"),
        ]
    }

    /// What some parsers take: nobody can blame a server for either.
    static func tolerated(_ message: String) -> [(name: String, text: String)] {
        func with(_ member: String) -> String {
            guard message.hasPrefix("{"), message.count > 2 else { return "{" + member + "}" }
            return "{" + member + "," + message.dropFirst()
        }
        return [
            ("a byte order mark", "\u{feff}" + message), ("NaN", with(#""x":NaN"#)), ("Infinity", with(#""x":-Infinity"#)),
            ("a duplicate key", with(#""type":"other""#)), ("the same key thrice", with(#""x":1,"x":2,"x":3"#)),
        ]
            + OddTexts.loneSurrogates.map { ("a lone surrogate", with(#""x":"# + $0)) }
            + [64, 65, 128, 129].map { ("\($0) levels", with(#""x":"# + nested($0 - 1))) }
    }

    /// Valid JSON that costs something.
    static func heavy(_ message: String) -> [(name: String, text: String)] {
        func with(_ member: String) -> String {
            guard message.hasPrefix("{"), message.count > 2 else { return "{" + member + "}" }
            return "{" + member + "," + message.dropFirst()
        }
        return [
            ("10,000 levels", with(#""x":"# + nested(10_000))), ("10,000 opening brackets", String(repeating: "[", count: 10_000)),
            ("10,000 objects open", String(repeating: #"{"x":"#, count: 10_000)),
            ("1,000,000 letters", with(#""x":""# + OddTexts.long(1_000_000) + "\"")),
            ("20,000 members", with((0..<20_000).map { "\"k\($0)\":0" }.joined(separator: ","))),
            ("100,000 elements", with(#""x":["# + Array(repeating: "0", count: 100_000).joined(separator: ",") + "]")),
        ] + OddTexts.hugeNumbers.map { ("a huge number", with(#""x":"# + $0)) }
    }

    static func nested(_ depth: Int) -> String {
        String(repeating: "[", count: max(1, depth)) + String(repeating: "]", count: max(1, depth))
    }

    /// Values that are JSON and no message.
    static let wrongTopLevels: [(name: String, text: String)] = [
        ("a list", "[]"), ("a list of a message", #"[{"type":"x"}]"#), ("a text", #""hello""#), ("an empty text", #""""#),
        ("a number", "0"), ("null", "null"), ("true", "true"), ("an empty object", "{}"),
    ]

    /// Bytes that are no UTF-8, each in one text frame.
    static let invalidUTF8: [(name: String, bytes: [UInt8])] = [
        ("a lone continuation byte", [0x80]), ("an overlong slash", [0xc0, 0xaf]), ("a surrogate", [0xed, 0xa0, 0x80]),
        ("beyond Unicode", [0xf4, 0x90, 0x80, 0x80]), ("a code point cut short", [0x22, 0xe2, 0x82]),
        ("0xff in a text", Array(#"{"type":""#.utf8) + [0xff] + Array(#""}"#.utf8)),
    ]

    /// One masked frame as it is on the wire. The key is fixed: a plan is the same bytes each time.
    static func frame(_ payload: [UInt8], opcode: Opcode) -> [UInt8] {
        let frame = Frame(opcode: opcode, maskKey: 0x3a7f_12c5, payload: ByteBuffer(bytes: payload))
        return Array(FrameWriter.bytes(frame).readableBytesView)
    }
}
