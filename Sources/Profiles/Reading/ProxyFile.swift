package import Contracts
package import Faults
package import Journaling

/// Several listeners in one file: `miswire proxy --config FILE`.
package struct ProxyFile: Sendable {
    /// A word of the file and where it stands.
    package struct Placed: Sendable, Hashable {
        package var text: String
        package var mark: Mark
        package init(text: String, mark: Mark) {
            self.text = text
            self.mark = mark
        }
    }
    package struct Listener: Sendable {
        package var name: String
        package var listen: Placed
        /// Nil: each client names its own.
        package var upstream: Placed?
        /// Whom a forward proxy may dial beside this machine.
        package var allow: [Placed] = []
        package var hops = ListenerHops()
        package var profile: Profile?
        /// What it was called in the file.
        package var profileName: String?
    }
    package var listeners: [Listener] = []
    package var contract: Contract?
    package var seed: UInt64?
    package var record: String?
    package var recordMode: String?
    /// What is odd about it, and does not keep it from running.
    package var warnings: [ConfigurationError] = []
}

/// What is wrong with an address, each answer one phrase that says what is expected; nil when nothing is.
package struct AddressWords: Sendable {
    package var listen: @Sendable (String) -> String?
    package var upstream: @Sendable (String) -> String?
    package var allow: @Sendable (String) -> String?
    package init(
        listen: @escaping @Sendable (String) -> String?, upstream: @escaping @Sendable (String) -> String?,
        allow: @escaping @Sendable (String) -> String?
    ) {
        self.listen = listen
        self.upstream = upstream
        self.allow = allow
    }

    /// Nobody looks at them.
    package static let any = AddressWords(listen: { _ in nil }, upstream: { _ in nil }, allow: { _ in nil })
}

extension ProxyFile {
    /// Reads a file and says everything that is wrong with it at once.
    package static func load(_ path: String, _ words: AddressWords) throws(ConfigurationErrors) -> ProxyFile {
        let source = try SourceFile.read(path)
        let (file, found) = read(try YAMLReader.read(source.text, file: source.file), words)
        let errors = ConfigurationErrors(found, texts: [source.file: source.text])
        if errors.isFatal { throw errors }
        var good = file
        good.warnings = errors.errors
        return good
    }

    static func read(_ document: Document, _ words: AddressWords, limits: Limits = .standard) -> (ProxyFile, [ConfigurationError]) {
        var reader = ProxyFileReader(document, words, limits)
        let file = reader.read()
        return (file, reader.problems)
    }

    /// Its first keys say that a file is one of these.
    static func isOne(_ keys: [Substring]) -> Bool { keys.contains { $0.hasPrefix("listeners:") } }
}

struct ProxyFileReader {
    private var values: ProfileReader
    private let document: Document
    private let words: AddressWords
    private let limits: Limits
    private var found: [ConfigurationError] = []
    /// The profiles' own words for their contracts, where the file names none.
    private var contracts: [(name: String, mark: Mark)] = []
    private var limited: Mark?

    static let keys = ["miswire", "listeners", "contract", "seed", "record", "record-mode"]
    static let listenerKeys = ["name", "listen", "upstream", "forward", "allow", "profile"] + ListenerHops.keys
    /// Raw recordings are asked for where somebody can be asked back (trust.md T35).
    static let modes = ["none", "meta", "redacted"]

    init(_ document: Document, _ words: AddressWords, _ limits: Limits) {
        self.document = document
        self.words = words
        self.limits = limits
        values = ProfileReader(document, limits: limits)
    }

    var problems: [ConfigurationError] { values.problems + found }

    mutating func read() -> ProxyFile {
        var file = ProxyFile()
        let fields = values.mapping(document, "a file of listeners", Self.keys)
        values.readVersion()
        if let seed = fields["seed"] {
            file.seed = seed.scalar.flatMap { $0.isPlain ? UInt64($0.text) : nil }
            if file.seed == nil {
                values.fail(seed.mark, "`seed` needs a whole number", "found \(seed.found), expected a number from 0")
            }
        }
        file.record = values.text(fields["record"], "record")
        if let mode = fields["record-mode"], let word = values.text(mode, "record-mode") {
            file.recordMode = word
            if word == "raw" {
                values.fail(mode.mark, "`raw` is not for files", "start the proxy with --record-mode raw, which asks first")
            } else if !Self.modes.contains(word) {
                values.fail(mode.mark, "`record-mode` has no `\(word)`", ProfileReader.nearest(word, Self.modes))
            } else if file.record == nil, word == "meta" {
                values.fail(mode.mark, "`record-mode` says what is recorded, and nothing says where", "add `record: rec/`")
            }
        }
        if let list = fields["listeners"] {
            file.listeners = readListeners(list)
        } else if document.map != nil {
            values.fail(document.mark, "`listeners` is missing", "write each listener behind a dash below `listeners:`")
        }
        file.contract = readContract(fields["contract"])
        if let limited, file.record != nil, file.listeners.count > 1 {
            values.fail(
                limited, "a profile limited to users limits the recording, which several listeners share",
                "take `users` out of its scope, leave `record` out, or run this listener by itself")
        }
        return file
    }

    private mutating func readListeners(_ document: Document) -> [ProxyFile.Listener] {
        guard let items = document.list, !items.isEmpty else {
            values.fail(document.mark, "`listeners` needs a list", "found \(document.found), write each listener behind a dash")
            return []
        }
        guard items.count <= limits.proxies else {
            values.fail(items[limits.proxies].mark, "more than \(limits.proxies) listeners", "make it smaller (limit L14)")
            return []
        }
        var names: [String: Mark] = [:]
        var places: [String: Mark] = [:]
        var all: [ProxyFile.Listener] = []
        for item in items {
            guard let listener = readListener(item) else { continue }
            once(listener.name, item["name"]?.mark ?? item.mark, in: &names) { "two listeners are called `\($0)`" }
            if !listener.listen.text.hasSuffix(":0") {
                once(listener.listen.text, listener.listen.mark, in: &places) { "two listeners listen on `\($0)`" }
            }
            all.append(listener)
        }
        return all
    }

    private mutating func once(_ word: String, _ mark: Mark, in seen: inout [String: Mark], _ sentence: (String) -> String) {
        guard let first = seen.updateValue(mark, forKey: word) else { return }
        var error = ConfigurationError(at: mark, sentence(word), remedy: "again here; give it another one")
        error.first = .init(line: first.line, column: first.column)
        found.append(error)
    }

    private mutating func readListener(_ document: Document) -> ProxyFile.Listener? {
        let fields = values.mapping(document, "a listener", Self.listenerKeys)
        guard document.map != nil else { return nil }
        guard let name = needed("name", fields, document, "write `name: NAME`"),
            let listen = needed("listen", fields, document, "write `listen: 127.0.0.1:9000`")
        else { return nil }
        if !SourceFile.isName(name.text) {
            values.fail(name.mark, "`\(name.text)` is not a name", "write letters, digits, dots and dashes")
        }
        check(listen, "listen", words.listen)
        var listener = ProxyFile.Listener(name: name.text, listen: listen)
        listener.upstream = placed(fields["upstream"], "upstream")
        if let upstream = listener.upstream { check(upstream, "upstream", words.upstream) }
        let isForward = readForward(fields, document, &listener)
        listener.hops = ListenerHops(fields, isForward: isForward, upstream: listener.upstream?.text, &values)
        if let profile = placed(fields["profile"], "profile") {
            listener.profileName = profile.text
            listener.profile = load(profile)
        }
        return listener
    }

    private mutating func readForward(_ fields: [String: Document], _ document: Document, _ listener: inout ProxyFile.Listener) -> Bool {
        var isForward = false
        if let forward = fields["forward"] {
            if let flag = forward.scalar?.bool {
                isForward = flag
            } else {
                values.fail(forward.mark, "`forward` needs true or false", "found \(forward.found)")
                isForward = true
            }
        }
        for item in fields["allow"].map({ $0.list ?? [$0] }) ?? [] {
            guard let rule = placed(item, "allow") else { continue }
            check(rule, "allow", words.allow)
            listener.allow.append(rule)
        }
        if isForward, let upstream = listener.upstream {
            values.fail(upstream.mark, "a forward proxy has no upstream of its own", "leave out `upstream`, or `forward: true`")
        }
        if !isForward, fields["upstream"] == nil {
            values.fail(document.mark, "listener `\(listener.name)` leads nowhere", "write `upstream: ws://HOST:PORT`, or `forward: true`")
        }
        if !isForward, let allow = fields["allow"] {
            values.fail(allow.mark, "`allow` says whom a forward proxy may dial", "leave it out, or write `forward: true`")
        }
        return isForward
    }

    private mutating func needed(
        _ key: String, _ fields: [String: Document], _ document: Document, _ remedy: String
    ) -> ProxyFile.Placed? {
        if let value = fields[key] { return placed(value, key) }
        values.fail(document.mark, "a listener without `\(key)`", remedy)
        return nil
    }

    private mutating func placed(_ document: Document?, _ name: String) -> ProxyFile.Placed? {
        guard let document, let text = values.text(document, name) else { return nil }
        return ProxyFile.Placed(text: text, mark: document.mark)
    }

    private mutating func check(_ word: ProxyFile.Placed, _ key: String, _ problem: (String) -> String?) {
        if let problem = problem(word.text) { values.fail(word.mark, "`\(key)` cannot be `\(word.text)`", problem) }
    }

    private mutating func load(_ name: ProxyFile.Placed) -> Profile? {
        do throws(ConfigurationErrors) {
            let profile = try ProfileLoader().load(name.text)
            if let contract = profile.contract { contracts.append((contract, name.mark)) }
            if profile.scope.limitsUsers { limited = limited ?? name.mark }
            return profile
        } catch {
            let isMissing = error.errors.allSatisfy { $0.line == 0 }
            if isMissing, let first = error.errors.first {
                values.fail(name.mark, first.message, first.remedy)
            } else {
                found += error.errors
            }
            return nil
        }
    }

    private mutating func readContract(_ document: Document?) -> Contract? {
        var name = placed(document, "contract")
        if name == nil, document == nil, let first = contracts.first {
            name = ProxyFile.Placed(text: first.name, mark: first.mark)
            if let other = contracts.first(where: { $0.name != first.name }) {
                values.fail(
                    other.mark, "this profile is for the contract `\(other.name)`, an earlier one for `\(first.name)`",
                    "write `contract: NAME` at the top: one judge reads all listeners")
            }
        }
        guard let name else { return nil }
        do throws(ConfigurationErrors) {
            let reading = try ContractLoader(beside: name.mark.file).read(name.text, from: name.mark)
            found += reading.found.errors.filter { $0.severity == .error }
            return reading.contract
        } catch {
            found += error.errors
            return nil
        }
    }
}
