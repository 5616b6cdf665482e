/// What is wrong with a plan's text: all of it, in file order. Place, expected, found, remedy (looks.md section 4).
package struct PlanErrors: Error, Sendable, Equatable {
    package var file: String
    package var errors: [PlanError]
    package init(file: String, errors: [PlanError]) {
        self.file = file
        self.errors = errors
    }
}

package struct PlanError: Error, Sendable, Equatable {
    /// From 1; columns count characters, a tab is one.
    package var line: Int
    package var column: Int
    /// How many characters to underline, at least 1.
    package var width: Int
    /// One sentence without its full stop: "no verb is called `sent`".
    package var sentence: String
    /// What stands under the line: "found a word, expected a duration such as 250ms".
    package var remedy: String
    /// The whole line, for the excerpt.
    package var source: String

    package init(line: Int, column: Int, width: Int = 1, sentence: String, remedy: String, source: String) {
        self.line = line
        self.column = column
        self.width = max(1, width)
        self.sentence = sentence
        self.remedy = remedy
        self.source = source
    }
}
