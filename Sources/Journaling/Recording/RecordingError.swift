/// Why a recording cannot be read or written: place, expected, found, remedy (style.md 17).
package struct RecordingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// `rec/0007.ndjson:88214`, or the path alone.
    package var place: String
    /// One sentence: `the line is no entry`.
    package var sentence: String
    package var expected: String
    package var found: String
    /// An order: `remove the line`.
    package var remedy: String
    package init(place: String, sentence: String, expected: String = "", found: String = "", remedy: String = "") {
        self.place = place
        self.sentence = sentence
        self.expected = expected
        self.found = found
        self.remedy = remedy
    }

    /// One line: `rec/0007.ndjson:12: error: the line is no entry: expected …, found …; remedy`.
    package var description: String {
        var text = "\(place): error: \(sentence)"
        if !expected.isEmpty { text += ": expected \(expected)" }
        if !found.isEmpty { text += (expected.isEmpty ? ": found " : ", found ") + found }
        if !remedy.isEmpty { text += "; \(remedy)" }
        return text
    }
}
