/// How much must be seen before a line is written that judges, and how much is kept while looking. Below a threshold a
/// line is a comment: what was seen twice is no promise.
package struct InferenceScale: Sendable {
    /// Messages of a type in which a field stood each time, before it is called required.
    package var required = 5
    /// Requests that each got their answer, runs that each came to their end, parts that each were closed.
    package var kept = 3
    /// Runs that were all asked for, before one that nobody asked for is called wrong; and runs of which the longest tells
    /// how long one may take.
    package var plenty = 20
    /// Users, and messages, before an identifier is said to be theirs.
    package var users = 3
    package var named = 20
    /// Sessions that each began with the same event.
    package var greeted = 2

    // What is kept. A recording may be hostile, and is read once for each pass.
    package var kinds = 256
    package var fieldsOfKind = 64
    package var fieldDepth = 3
    package var paths = 64
    package var values = 65_536
    package var sessions = 16_384
    package var recent = 64
    package var fieldsWritten = 4_000
    /// Longest text that may be a type's name or an identifier, in bytes.
    package var longestName = 64
    package var longestValue = 128

    package init() {}
}
