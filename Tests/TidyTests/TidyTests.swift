import Foundation
import Testing

/// Keeps the style and the arrows of the module table where a compiler does not look.
@Suite struct TidyTests {
    static let core: Set<String> = ["Wire", "Journaling", "Contracts", "Faults", "Oracles", "Plans"]
    /// What each module may import; arrows only point down, and a transitive import is not allowed to pass in silence.
    static let arrows: [String: Set<String>] = [
        "Wire": ["CZlib", "NIOCore"],
        "Journaling": ["Wire", "NIOCore", "Crypto", "Synchronization"],
        "Contracts": ["Wire", "Journaling", "NIOCore"],
        "Faults": ["Wire", "Journaling", "Contracts", "NIOCore", "Synchronization"],
        "Oracles": ["Wire", "Journaling", "Contracts", "NIOCore"],
        "Plans": ["Wire", "Journaling", "Contracts", "Faults", "NIOCore"],
    ]

    @Test func coreImportsOnlyWhatTheTableAllows() {
        for source in Source.all(under: "Sources") {
            guard let allowed = Self.arrows[source.module] else { continue }
            for line in source.lines where Source.code(line).contains("import ") {
                let words = Source.code(line).split(separator: " ").map(String.init)
                guard let at = words.firstIndex(of: "import"), words.count > at + 1 else { continue }
                let kinds: Set = ["struct", "class", "enum", "protocol", "func", "typealias"]
                let name = words[kinds.contains(words[at + 1]) ? min(at + 2, words.count - 1) : at + 1]
                let module = String(name.split(separator: ".")[0])
                #expect(allowed.contains(module), "\(source.path) imports \(module)")
            }
        }
    }

    @Test func faultsAndOraclesNeverMeet() {
        for source in Source.all(under: "Sources") {
            let imports = source.lines.map(Source.code).filter { $0.contains("import ") }
            if source.module == "Faults" { #expect(!imports.contains { $0.hasSuffix("import Oracles") }) }
            if source.module == "Oracles" { #expect(!imports.contains { $0.hasSuffix("import Faults") }) }
        }
    }

    /// Clocks, dice of the system and traps have no place where verdicts are made (design.md, trust.md T18).
    static let banned: [(word: String, instead: String)] = [
        ("Date(", "an Instant handed in"), ("ContinuousClock", "an Instant handed in"),
        ("SuspendingClock", "an Instant handed in"), ("DispatchTime", "an Instant handed in"),
        (".random(", "Dice"), ("SystemRandomNumberGenerator", "Dice"), ("Hasher(", "Digest"),
        ("hashValue", "Digest"), ("Task.sleep", "a value in an Effect"), ("try!", "a typed error"),
        ("as!", "a checked cast"), ("fatalError(", "a typed error"), ("unowned", "a strong reference"),
        ("unsafelyUnwrapped", "a guard"), ("-Ounchecked", "nothing"),
    ]

    @Test func coreHasNoClockDiceOrTrap() {
        for source in Source.all(under: "Sources") where Self.core.contains(source.module) {
            for (index, line) in source.lines.enumerated() {
                let code = Source.code(line)
                for (word, instead) in Self.banned where code.contains(word) {
                    Issue.record("\(source.path):\(index + 1): `\(word)` in core; use \(instead)")
                }
            }
        }
    }

    /// Pointers of ours are where a library or the kernel wants them (trust.md T29): nowhere in core but in `Wire`, and of
    /// the sandbox in the one file that calls the kernel.
    @Test func pointersStayWhereTheyBelong() {
        for source in Source.all(under: "Sources") {
            let isPlain = Self.core.contains(source.module) && source.module != "Wire"
            let isSandbox = source.path.contains("/Sandbox/") && !source.path.hasSuffix("/SandboxCalls.swift")
            guard isPlain || isSandbox else { continue }
            for (index, line) in source.lines.enumerated() where Source.code(line).contains("unsafe ") {
                Issue.record("\(source.path):\(index + 1): `unsafe` outside of its place")
            }
        }
    }

    @Test func nothingForceUnwraps() throws {
        let unwrap = try Regex(#"[A-Za-z0-9_\)\]]!(?![=])"#)
        for source in Source.all(under: "Sources") {
            for (index, line) in source.lines.enumerated() where Source.code(line).firstMatch(of: unwrap) != nil {
                Issue.record("\(source.path):\(index + 1): force unwrap: \(line)")
            }
        }
    }

    @Test func filesAndFunctionsFitTheirScreen() {
        for source in Source.all(under: "Sources") {
            #expect(source.lines.count <= 420, "\(source.path) has \(source.lines.count) lines; split it by concern")
            for function in functions(of: source) where function.length > 70 {
                Issue.record("\(source.path):\(function.line): a function of \(function.length) lines; at most 70")
            }
        }
    }

    private func functions(of source: Source) -> [(line: Int, length: Int)] {
        var found: [(Int, Int)] = []
        var open: (line: Int, indent: Int)?
        for (index, line) in source.lines.enumerated() {
            let indent = line.prefix { $0 == " " }.count
            let code = Source.code(line)
            if let start = open {
                if indent == start.indent, code.dropFirst(indent).first == "}" {
                    found.append((start.line, index + 2 - start.line))
                    open = nil
                }
            } else if code.contains("func ") || code.dropFirst(indent).hasPrefix("init("), code.hasSuffix("{") {
                open = (index + 1, indent)
            }
        }
        return found
    }

    @Test func nothingIsLeftForLater() {
        let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK", "not " + "implemented"]
        for source in Source.all(under: "Sources") + Source.all(under: "Tests") {
            for (index, line) in source.lines.enumerated() {
                for word in words where line.contains(word) {
                    Issue.record("\(source.path):\(index + 1): leftover `\(word)`")
                }
            }
        }
    }

    @Test func theTopLevelHoldsOnlyWhatBelongs() throws {
        let allowed: Set = ["Package.swift", "Package.resolved", "Sources", "Tests", "corpus", "profiles", "README.md"]
        for name in try FileManager.default.contentsOfDirectory(atPath: Source.root.path) where !name.hasPrefix(".") {
            #expect(allowed.contains(name), "\(name) does not belong at the top")
        }
    }

    @Test func everyRegistryEntryIsOneFile() {
        let faults = Source.all(under: "Sources/Faults").filter { $0.text.contains(": Fault {") }
        for source in faults {
            let count = source.text.components(separatedBy: ": Fault {").count - 1
            #expect(count == 1, "\(source.path) holds \(count) faults")
        }
        #expect(faults.count >= 6)
    }
}
