/// Where a line stands: put together only when an error names it, for a recording has millions.
package struct LinePlace: Sendable, Hashable, ExpressibleByStringInterpolation, CustomStringConvertible {
    private var file: String
    private var line: Int?

    /// `rec/0007.ndjson:88214`
    package init(_ file: String, line: Int) {
        self.file = file
        self.line = line
    }
    package init(stringLiteral value: String) { file = value }
    package init(_ place: String) { file = place }

    package var description: String { line.map { "\(file):\($0)" } ?? file }
}
