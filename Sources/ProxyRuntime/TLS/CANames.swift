import Glibc

/// What a CA may vouch for: loopback always, and what its owner named. A domain stands for itself and for everything under it,
/// as name constraints do (RFC 5280 section 4.2.1.10).
package struct CANames: Sendable, Hashable {
    /// Lower case, without `*.`; `localhost` first.
    package private(set) var domains = ["localhost"]
    /// Single addresses, 4 or 16 bytes, besides 127.0.0.0/8 and ::1.
    package private(set) var addresses: [[UInt8]] = []

    package static let loopback = CANames()

    private init() {}

    /// - Parameter words: `*.staging.example`, `chat.test`, `10.0.4.17`, `::1`; commas and spaces divide too.
    package init(_ words: [String]) throws(TLSProblem) {
        for word in words.flatMap({ $0.split(whereSeparator: { $0 == "," || $0.isWhitespace }) }) {
            let text = word.lowercased()
            if let address = Self.address(text) {
                if !Self.isLoopback(address), !addresses.contains(address) { addresses.append(address) }
                continue
            }
            let domain = text.hasPrefix("*.") ? String(text.dropFirst(2)) : text
            try Self.check(domain, as: String(word))
            if !domains.contains(domain) { domains.append(domain) }
        }
    }

    /// What a CA's certificate says of itself.
    init(domains: [String], addresses: [[UInt8]]) {
        self.domains = domains
        self.addresses = addresses.filter { !Self.isLoopback($0) }
    }

    package var isLoopbackOnly: Bool { domains == ["localhost"] && addresses.isEmpty }

    /// As `--ca-names` takes them, loopback left out.
    package var words: [String] { domains.dropFirst(domains.first == "localhost" ? 1 : 0).map { "*.\($0)" } + addresses.map(Self.text) }

    /// Whether a certificate for this host may be made.
    package func covers(_ host: String) -> Bool {
        let name = host.lowercased()
        if let address = Self.address(name) { return Self.isLoopback(address) || addresses.contains(address) }
        guard Self.problem(of: name) == nil else { return false }
        return domains.contains { name == $0 || name.hasSuffix(".\($0)") }
    }

    package func covers(_ other: CANames) -> Bool {
        other.domains.allSatisfy(covers) && other.addresses.allSatisfy(addresses.contains)
    }

    private static func check(_ domain: String, as word: String) throws(TLSProblem) {
        if let problem = problem(of: domain) {
            throw TLSProblem(
                "`\(word)` is no name that a certificate can bear", expected: "a name, *.NAME or an address", found: problem,
                remedy: "write --ca-names '*.staging.example,10.0.4.17'")
        }
        let labels = domain.split(separator: ".")
        // A guard against slips, no list of all: whoever has a CA for such a name is all of its sites to whoever trusts it.
        guard labels.count == 1, let label = labels.first, label.utf8.count == 2 || wide.contains(String(label)) else { return }
        throw TLSProblem(
            "`\(word)` is a top-level domain", expected: "the name of a host or of a domain of yours",
            remedy: "write --ca-names '*.staging.\(domain)'")
    }

    private static let wide: Set<String> = [
        "com", "net", "org", "edu", "gov", "mil", "int", "arpa", "info", "biz", "name", "app", "dev", "cloud", "xyz", "online", "site",
        "shop", "tech", "store", "page", "web", "live", "pro", "link", "top", "club",
    ]

    /// RFC 1123 section 2.1, RFC 5891's letters in their ASCII form; an underscore is found in the names of containers.
    private static func problem(of domain: String) -> String? {
        guard !domain.isEmpty else { return "nothing" }
        guard domain.utf8.count <= 253 else { return "\(domain.utf8.count) characters, at most 253 are a name" }
        for label in domain.split(separator: ".", omittingEmptySubsequences: false) {
            guard !label.isEmpty else { return "an empty label" }
            guard label.utf8.count <= 63 else { return "a label of \(label.utf8.count) characters, at most 63 are one" }
            let isPlain = label.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) || $0 == 0x2d || $0 == 0x5f
            }
            guard isPlain, label.first != "-", label.last != "-" else { return "`\(label)`" }
        }
        return nil
    }

    // MARK: Addresses

    /// 4 or 16 bytes; nil for what is no literal.
    static func address(_ text: String) -> [UInt8]? {
        let bare = text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
        var four = in_addr()
        if unsafe inet_pton(AF_INET, bare, &four) == 1 { return unsafe withUnsafeBytes(of: four) { unsafe Array($0) } }
        var sixteen = in6_addr()
        guard unsafe inet_pton(AF_INET6, bare, &sixteen) == 1 else { return nil }
        return unsafe withUnsafeBytes(of: sixteen) { unsafe Array($0) }
    }

    static func isLoopback(_ address: [UInt8]) -> Bool {
        address.count == 4 ? address.first == 127 : address.dropLast().allSatisfy { $0 == 0 } && address.last == 1
    }

    static func text(_ address: [UInt8]) -> String {
        if address.count == 4 { return address.map { "\($0)" }.joined(separator: ".") }
        var text = [CChar](repeating: 0, count: 64)
        let found = unsafe address.withUnsafeBytes { bytes in
            unsafe text.withUnsafeMutableBufferPointer { unsafe inet_ntop(AF_INET6, bytes.baseAddress, $0.baseAddress, 64) != nil }
        }
        return found ? String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : "?"
    }
}
