import Reporting

#if canImport(Glibc)
    import Glibc
#endif

/// What is kept as it was on the wire holds live credentials and whatever people said. Nobody makes it by accident: a person
/// at a terminal says yes, or a script says `--yes`, and both are told (trust.md T35).
enum RawConsent {
    /// - Parameters:
    ///   - out: where the recording will be; nil = none is made.
    ///   - packets: a file of packets, which know no other mode.
    static func obtain(_ options: RecordOptions, out: String?, packets: String? = nil, console: Console) throws {
        let out = options.mode == .raw ? out : nil
        guard out != nil || packets != nil else { return }
        if let packets { console.talk(banner(packets: packets, style: console.err)) }
        if let out { console.talk(banner(options, out: out, style: console.err)) }
        if options.yes { return }
        let instead = out == nil ? "or make a recording with --out in place of --write" : "or leave --record-mode out"
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else {
            throw Complaint(
                packets == nil ? "a raw recording needs a yes" : "packets as they are need a yes",
                details: [
                    ("expected", "a terminal to ask at, or --yes"), ("found", "neither"),
                    ("remedy", "add --yes, \(instead): secrets are redacted then"),
                ], exit: .usage)
        }
        console.talk("  write `yes` to \(packets == nil ? "record" : "keep") all of it: ")
        guard readLine(strippingNewline: true) == "yes" else {
            throw Complaint(
                "nothing is recorded and nothing was begun",
                details: [("remedy", (out == nil ? "make a recording with --out" : "leave --record-mode out") + ": secrets are redacted then")],
                exit: .usage)
        }
    }

    static func banner(_ options: RecordOptions, out: String, style: Style) -> String {
        let first = "\(style.glyph(.tool)) RAW RECORDING into \(SafeText.show(out))"
        return style.paint(first, .fail) + "\n"
            + "  Tokens, cookies and all that people say are written as they are, and shown where messages are shown.\n"
            + "  Kept for \(options.retention.words), files for you alone (0600), `raw` in each header. Delete it when done.\n"
    }

    static func banner(packets: String, style: Style) -> String {
        let first = "\(style.glyph(.tool)) RAW PACKETS into \(SafeText.show(packets))"
        return style.paint(first, .fail) + "\n"
            + "  Packets cannot be redacted: tokens, cookies and all that people say are written as they are.\n"
            + "  A file for its owner alone (0600), with `raw` in its header. Nothing deletes it but you, when done.\n"
    }
}
