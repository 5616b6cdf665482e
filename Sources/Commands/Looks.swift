package import ArgumentParser

/// Options that every verb takes.
package struct Looks: ParsableArguments {
    package enum Colour: String, ExpressibleByArgument, CaseIterable, Sendable { case always, never, auto }

    @Option(name: .customLong("color"), help: "When to colour: always, never or auto (NO_COLOR is respected).")
    package var colour: Colour = .auto
    @Flag(help: "Draw with ASCII only.")
    package var ascii = false
    @Flag(help: "NDJSON on standard output; the last line is the summary.")
    package var json = false
    @Flag(help: "Show what is usually left out.")
    package var verbose = false

    package init() {}
}
