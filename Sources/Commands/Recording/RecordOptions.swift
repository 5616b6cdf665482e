import ArgumentParser
import Contracts
import Journaling

/// What is kept of traffic. `redacted` is what everyone wants; the others are asked for by name (trust.md T35, T37).
enum RecordMode: String, ExpressibleByArgument, CaseIterable, Sendable {
    case none, meta, redacted, raw

    /// Nil: nothing is written.
    var header: RecordingHeader.Mode? {
        switch self {
        case .none: nil
        case .meta: .meta
        case .redacted: .redacted
        case .raw: .raw
        }
    }

    /// Behind the recording's name, where a run says what it does.
    var words: String {
        switch self {
        case .none: "nothing is recorded"
        case .meta: "no heads and no payloads"
        case .redacted: "secrets redacted"
        case .raw: "RAW: secrets and all"
        }
    }
}

/// Options of every verb that makes a recording.
struct RecordOptions: ParsableArguments {
    @Option(
        name: .customLong("record-mode"),
        help: "What is kept: none, meta (who, when, how much), redacted (no secrets), raw (all of it; needs a yes).")
    var mode: RecordMode = .redacted
    @Option(help: "Why it is recorded, in one sentence for every header.")
    var purpose: String?
    @Option(help: "How long it may be kept: 7d, 12h, forever. Stands in every header; older segments are deleted.")
    var retain = RetainedTime.standard
    @Option(name: .customLong("retain-size"), help: "How large it may become: 10GiB, 500MiB, unlimited.")
    var retainSize = RetainedSize.standard
    @Flag(help: "The yes that whatever is not redacted needs, where nobody can be asked.")
    var yes = false

    var retention: Retention { Retention(seconds: retain.seconds, bytes: retainSize.bytes) }

    /// What was given for people, and what the program knows by itself.
    func purpose(_ known: String = "") -> String {
        [purpose ?? "", known].filter { !$0.isEmpty }.joined(separator: "; ")
    }

    func validate() throws {
        if (purpose?.utf8.count ?? 0) > 1_000 { throw ValidationError("`--purpose` takes at most 1,000 bytes") }
        if purpose?.contains(where: \.isNewline) ?? false { throw ValidationError("`--purpose` takes one line") }
    }
}

/// A time on the command line that may be long: `7d`, `12h`, `forever`.
struct RetainedTime: Sendable {
    /// Nil: for ever.
    var seconds: Int64?
    let defaultValueDescription: String

    static let standard = RetainedTime(seconds: Retention.standard.seconds, defaultValueDescription: "7d")
}

extension RetainedTime: ExpressibleByArgument {
    init?(argument: String) {
        if argument == "forever" {
            self.init(seconds: nil, defaultValueDescription: argument)
        } else if argument.hasSuffix("d"), let days = Int64(argument.dropLast()), (1...36_500).contains(days) {
            self.init(seconds: days * 86_400, defaultValueDescription: argument)
        } else if let time = DurationText.parse(argument), time >= .seconds(1) {
            self.init(seconds: time.components.seconds, defaultValueDescription: argument)
        } else {
            return nil
        }
    }
}

/// A size on the command line: `10GiB`, `500MiB`, `unlimited`.
struct RetainedSize: Sendable {
    /// Nil: no bound.
    var bytes: Int64?
    let defaultValueDescription: String

    static let standard = RetainedSize(bytes: Retention.standard.bytes, defaultValueDescription: "10GiB")
}

extension RetainedSize: ExpressibleByArgument {
    init?(argument: String) {
        if argument == "unlimited" {
            self.init(bytes: nil, defaultValueDescription: argument)
            return
        }
        let units: [(suffix: String, size: Int64)] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)]
        guard let unit = units.first(where: { argument.hasSuffix($0.suffix) }),
            let count = Int64(argument.dropLast(unit.suffix.count)), (1...1_000_000).contains(count)
        else { return nil }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: unit.size)
        guard !overflow else { return nil }
        self.init(bytes: bytes, defaultValueDescription: argument)
    }
}
