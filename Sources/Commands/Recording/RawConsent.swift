import Reporting

#if canImport(Glibc)
    import Glibc
#endif

/// A raw recording holds live credentials and whatever people said. Nobody makes one by accident: a person at a terminal
/// says yes, or a script says `--yes`, and both are told (trust.md T35).
enum RawConsent {
    /// - Parameter out: where the recording will be.
    static func obtain(_ options: RecordOptions, out: String, console: Console) throws {
        guard options.mode == .raw else { return }
        console.talk(banner(options, out: out, style: console.err))
        if options.yes { return }
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else {
            throw Complaint(
                "a raw recording needs a yes",
                details: [
                    ("expected", "a terminal to ask at, or --yes"), ("found", "neither"),
                    ("remedy", "add --yes, or leave --record-mode out: secrets are redacted then"),
                ], exit: .usage)
        }
        console.talk("  write `yes` to record all of it: ")
        guard readLine(strippingNewline: true) == "yes" else {
            throw Complaint(
                "nothing is recorded and nothing was begun", details: [("remedy", "leave --record-mode out: secrets are redacted then")],
                exit: .usage)
        }
    }

    static func banner(_ options: RecordOptions, out: String, style: Style) -> String {
        let first = "\(style.glyph(.tool)) RAW RECORDING into \(SafeText.show(out))"
        return style.paint(first, .fail) + "\n"
            + "  Tokens, cookies and all that people say are written as they are, and shown where messages are shown.\n"
            + "  Kept for \(options.retention.words), files for you alone (0600), `raw` in each header. Delete it when done.\n"
    }
}
