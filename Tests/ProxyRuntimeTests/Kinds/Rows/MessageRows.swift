import Wire

extension KindRow {
    private static let json = ["one", #"{"a_id":"x3","b_id":"y4","n":2}"#, "three"]

    static let message: [KindRow] = [
        KindRow(kind: "drop", sees: { $0.with([], at: 1) }),
        KindRow(
            kind: "json-mutate", settings: "op: [missing], field: [b_id]", words: json,
            sees: { $0.with([$0.text(#"{"a_id":"x3","n":2}"#)], at: 1) }),
        KindRow(
            kind: "json-mutate", settings: "op: [\"null\"], field: [n]", words: json,
            sees: { $0.with([$0.text(#"{"a_id":"x3","b_id":"y4","n":null}"#)], at: 1) }),
        KindRow(kind: "duplicate", settings: "copies: 2", sees: { $0.with([.exact($0.words[1]), .exact($0.words[1]), .exact($0.words[1])], at: 1) }),
        KindRow(kind: "delay", settings: "delay: 2s", late: 2),
        KindRow(kind: "reorder", settings: "window: 1", sees: { [.exact($0.head)] + [0, 2, 1].map { [words = $0.words] in .exact(words[$0]) } }),
        KindRow(kind: "replay-stale", settings: "back: 1, place: behind", sees: { $0.with([.exact($0.words[1]), $0.text("one")], at: 1) }),
        KindRow(kind: "replace", settings: "payload: miswire", sees: { $0.with([$0.text("miswire")], at: 1) }),
        KindRow(
            kind: "replace", settings: "payload: 00 ff, form: hex, opcode: binary", sees: { $0.with([.frame(2, [0, 0xff])], at: 1) }),
        KindRow(kind: "inject", settings: "payload: miswire", sees: { $0.with([.exact($0.words[1]), $0.text("miswire")], at: 1) }),
        KindRow(kind: "truncate", settings: "share: 67%", sees: { $0.with([$0.text("tw")], at: 1) }),
        KindRow(kind: "retype", sees: { $0.with([.frame(2, Array("two".utf8))], at: 1) }),
        KindRow(
            kind: "oversize", settings: "size: 8B, with: letter", sees: { $0.with([$0.text("twoxxxxx")], at: 1) }),
        KindRow(kind: "regex-replace", settings: "pattern: w(.), with: W-", sees: { $0.with([$0.text("tW-")], at: 1) }),
        KindRow(
            kind: "corrupt-id", settings: "how: swap", words: json,
            sees: { $0.with([$0.text(#"{"a_id":"y4","b_id":"x3","n":2}"#)], at: 1) }),
        // Inside permessage-deflate, and what comes behind it decodes all the same.
        KindRow(
            kind: "replace", settings: "payload: miswire", frames: Deflated.frame, requestLines: Deflated.line, acceptLines: Deflated.line,
            sees: { [.exact($0.head), .exact($0.words[0]), .deflated("miswire"), .deflated("three")] }),
    ]
}

/// Words as zlib 1.3 compresses them alone, without what a flush ends with (RFC 7692 section 7.2.1).
enum Deflated {
    static let line = "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover\r\n"
    static let bytes: [String: [UInt8]] = [
        "one": [202, 207, 75, 5, 0], "two": [42, 41, 207, 7, 0], "three": [42, 201, 40, 74, 77, 5, 0],
    ]
    @Sendable static func frame(_ word: String, _ masked: Bool) -> [UInt8] {
        Sample.frame(1, bytes[word] ?? [], rsv: 4, mask: masked ? [1, 2, 3, 4] : nil)
    }
}
