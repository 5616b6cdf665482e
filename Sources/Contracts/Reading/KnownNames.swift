/// The names that a contract declares, some of which may be globs; asked once for each mention.
struct KnownNames {
    let names: [String]
    private let exact: Set<String>
    private let globs: [Glob]

    init(_ names: [String]) {
        self.names = names
        exact = Set(names)
        globs = names.map { Glob($0) }.filter { !$0.isExact }
    }

    func declares(_ name: String) -> Bool { exact.contains(name) }

    func covers(_ name: String) -> Bool { exact.contains(name) || globs.contains { $0.matches(name) } }
}
