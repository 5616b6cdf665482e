/// Why a small part (path, place, pattern, regular expression) cannot be read. `message` is one sentence without a place.
package struct PartError: Error, Sendable, Hashable {
    package var message: String
    /// What to write instead, when that is known: one phrase.
    package var remedy: String?
    package init(_ message: String, remedy: String? = nil) {
        self.message = message
        self.remedy = remedy
    }
}
