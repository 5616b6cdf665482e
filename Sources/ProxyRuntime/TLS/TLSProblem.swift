/// What is wrong with certificates, keys or their places: one sentence, and where the reader may go from there.
package struct TLSProblem: Error, Sendable, Equatable {
    package var sentence: String
    /// File or directory.
    package var place: String?
    package var expected: String?
    package var found: String?
    /// An order, such as a command to paste.
    package var remedy: String?

    package init(_ sentence: String, place: String? = nil, expected: String? = nil, found: String? = nil, remedy: String? = nil) {
        self.sentence = sentence
        self.place = place
        self.expected = expected
        self.found = found
        self.remedy = remedy
    }
}
