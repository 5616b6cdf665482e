import ArgumentParser
import Contracts

/// A time on the command line: `30s`, `500ms`, `2m`; a bare number means seconds.
struct TimeSpan: ExpressibleByArgument, Sendable, CustomStringConvertible {
    var duration: Duration
    var description: String { defaultValueDescription }
    let defaultValueDescription: String

    init(seconds: Int) {
        duration = .seconds(seconds)
        defaultValueDescription = "\(seconds)s"
    }

    init?(argument: String) {
        defaultValueDescription = argument
        if let seconds = Int(argument), (0...86_400).contains(seconds) {
            duration = .seconds(seconds)
        } else if let read = DurationText.parse(argument), read <= .seconds(86_400) {
            duration = read
        } else {
            return nil
        }
    }
}
